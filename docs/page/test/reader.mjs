// reader.mjs PAGE BUILD: what the reader brings: an image of their own, a drawing (mouse, touch, keys) and
// the files of Fashion-MNIST, good and broken ones.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { build, check, done, open, program, send, sleep, until, value, walk } from './chromium.mjs';

const folder = mkdtempSync(tmpdir() + '/reader-');
const file = (name, bytes) => (writeFileSync(`${folder}/${name}`, bytes), `${folder}/${name}`);
async function choose(...paths) {
    await value('window.before = ownImage, 1');
    const { root } = await send('DOM.getDocument');
    const { nodeId } = await send('DOM.querySelector', { nodeId: root.nodeId, selector: 'input[type=file]' });
    await send('DOM.setFileInputFiles', { nodeId, files: paths });
}
const bytes = async expression => Buffer.from(await value(`(() => { let s = ''; for (const b of ${expression}) s += String.fromCharCode(b); return btoa(s); })()`), 'base64');
const taken = () => until('ownImage !== window.before', 60);
// An image as this browser writes it: draw is code that paints on c, 2D.
const painted = async (width, height, type, draw) => Buffer.from(await value(`new Promise(good => { const canvas = document.createElement('canvas'); canvas.width = ${width}; canvas.height = ${height};
    const c = canvas.getContext('2d'); ${draw}; canvas.toBlob(blob => { const reader = new FileReader(); reader.onload = () => good(reader.result.split(',')[1]); reader.readAsDataURL(blob); }, '${type}'); })`), 'base64');

// The page's answer to its image is the program's to the same bytes.
async function answered(what) {
    await done();
    const image = await bytes("state.image === 'own' ? ownImage : pgm(testImage(+state.image))");
    const [, , probability, , name] = execFileSync(`${build}/00_resnet`, ['classify', '-', '--weights', 'results/weights/00_resnet.safetensors', '--format', 'tsv'], { input: image, encoding: 'utf8' }).split('\n')[1].split('\t');
    const said = await value('document.querySelector(".answers tr").innerText');
    check(`${what}: the answer`, said.includes(name) && said.includes((100 * probability).toFixed(1)), `${said}, not ${name} ${probability}`);
}
const size = () => value('[document.querySelector(".shown").width, document.querySelector(".shown").height].join("x")');

async function ownImages() {
    await open('look?a=00_resnet&b=00_resnet');
    await done();
    const shirt = width => `c.fillRect(0, 0, ${width}, ${width}); c.fillStyle = '#ddd'; c.fillRect(${width} * .3, ${width} * .2, ${width} * .4, ${width} * .7)`;
    const good = [
        ['gray.png', 28, 28, 'image/png', shirt(28), '28x28'],
        ['photo.jpg', 640, 480, 'image/jpeg', shirt(480), '640x480'],
        ['photo.webp', 50, 90, 'image/webp', shirt(50), '50x90'],
        ['huge.png', 6000, 4500, 'image/png', shirt(4500), '1024x768'],
        ['thin.png', 3000, 2, 'image/png', shirt(3000), '1024x1'],
        ['tiny.png', 1, 1, 'image/png', "c.fillStyle = '#fff'; c.fillRect(0, 0, 1, 1)", '1x1'],
        ['transparent.png', 40, 40, 'image/png', "c.fillStyle = '#f00'; c.fillRect(10, 10, 20, 20); c.fillStyle = 'rgba(255, 255, 255, .5)'; c.fillRect(30, 30, 10, 10)", '40x40'],
    ];
    for (const [name, width, height, type, draw, expected] of good) {
        await choose(file(name, await painted(width, height, type, draw)));
        await taken();
        check(name, (await size()) === expected, await size());
        await answered(name);
        if (name === 'transparent.png')
            check('what is transparent is black', await value('(() => { const c = document.querySelector(".shown").getContext("2d"); return [...c.getImageData(0, 0, 1, 1).data].join() === "0,0,0,255" && [...c.getImageData(15, 15, 1, 1).data].join() === "255,0,0,255" && Math.abs(c.getImageData(35, 35, 1, 1).data[0] - 127.5) < 2; })()'));
    }
    const pixels = Buffer.from(Array.from({ length: 600 }, (_, i) => i % 256));
    await choose(file('own.pgm', Buffer.concat([Buffer.from('P5 # of a camera\n30 20\n255\n'), pixels])));
    await taken();
    await answered('own.pgm');
    await value('[...document.querySelectorAll(".chooser button.quiet")].find(b => b.textContent === t("invert")).click()');
    await until('ownImage[ownImage.length - 600] === 255');
    check('inverted', Buffer.compare((await bytes('ownImage')).subarray(-600), pixels.map(v => 255 - v)) === 0);
    await answered('inverted');

    const png = readFileSync(`${folder}/gray.png`);
    for (const [name, content] of [['text.png', 'no image'], ['cut.png', png.subarray(0, 40)], ['empty.jpg', ''], ['cut.pgm', 'P5\n30 20\n255\nshort'], ['notes.txt', 'notes']]) {
        await choose(file(name, content));
        await until(`[...document.querySelectorAll('.chooser .error')].some(e => e.textContent.includes('${name}'))`, 20).catch(() => 0);
        check(`${name} is refused`, await value(`document.querySelector('.chooser .error')?.textContent.includes('${name}') && document.querySelector('.shown').width === 30`));
    }
    await choose(`${folder}/gray.png`); // the view has gone on
    await taken();
    check('no error is left', await value('!document.querySelector(".error")'));
}

async function drawing() {
    const lit = '(ownImage ? [...ownImage.slice(-784)].filter(v => v > 200).length : 0)';
    const board = () => value('(() => { const b = document.querySelector(".board").getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()');
    await open('look?a=00_resnet&b=00_resnet');
    await done();
    await value('document.querySelector(".board").scrollIntoView({ block: "center" })');
    let [left, top, width, height] = await board();
    const mouse = (type, x, y, buttons) => send('Input.dispatchMouseEvent', { type, x: left + x * width, y: top + y * height, button: 'left', buttons, clickCount: 1 });
    await mouse('mousePressed', .3, .2, 1);
    for (const y of [.4, .6, .8]) await mouse('mouseMoved', .3, y, 1);
    await mouse('mouseReleased', .3, .8, 0);
    await until('state.image === "own"');
    const first = await value(lit);
    check('drawn with the mouse', first > 15 && first < 200, first);
    await answered('drawn with the mouse');
    [left, top, width, height] = await board();
    await mouse('mousePressed', .7, .2, 1);
    await mouse('mouseMoved', .7, .8, 1);
    await mouse('mouseReleased', .7, .8, 0);
    await until(`${lit} > ${first}`);
    check('a second stroke is added', (await value(lit)) > first * 1.5);
    await mouse('mouseMoved', .5, .5, 0);
    await sleep(200);
    check('moving alone draws nothing', (await value(lit)) < first * 3);

    await value('[...document.querySelectorAll(".chooser button.quiet")].find(b => b.textContent === t("clear")).click()');
    await until(`${lit} === 0`);
    await send('Emulation.setTouchEmulationEnabled', { enabled: true });
    await value('document.querySelector(".board").scrollIntoView({ block: "center" })');
    [left, top, width, height] = await board();
    const scrolled = await value('scrollY'), touch = (type, ...at) => send('Input.dispatchTouchEvent', { type, touchPoints: at.length ? [{ x: left + at[0] * width, y: top + at[1] * height }] : [] });
    await touch('touchStart', .2, .5);
    for (const x of [.4, .6, .8]) await touch('touchMove', x, .5);
    await touch('touchEnd');
    await until(`${lit} > 15`);
    check('drawn with a finger, without scrolling', (await value('scrollY')) === scrolled);
    await answered('drawn with a finger');
    await send('Emulation.setTouchEmulationEnabled', { enabled: false });

    await value('[...document.querySelectorAll(".chooser button.quiet")].find(b => b.textContent === t("clear")).click()');
    await until(`${lit} === 0`);
    await value('document.querySelector(".board").focus()');
    const key = async key => {
        await send('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key === ' ' ? 'Space' : key, windowsVirtualKeyCode: { ' ': 32, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40 }[key] });
        await send('Input.dispatchKeyEvent', { type: 'keyUp', key });
    };
    for (let i = 0; i < 5; i++) await key('ArrowUp');
    await key(' ');
    for (let i = 0; i < 10; i++) await key('ArrowDown');
    await key(' ');
    await until(`${lit} > 8`);
    check('drawn with the keys', (await value(lit)) < 60 && (await value('document.activeElement.className')) === 'board', await value(lit));
    await answered('drawn with the keys');

    await value('document.querySelectorAll(".tile")[4].focus(), document.activeElement.click()');
    await until('state.image === "4"');
    check('the tile keeps the focus', (await value('document.activeElement.getAttribute("aria-label")')) === (await value('t("testImage", 5)')));
}

async function fashionFiles() {
    const images = readFileSync('docs/page/t10k-images-idx3-ubyte'), labels = readFileSync('docs/page/t10k-labels-idx1-ubyte');
    const said = 'document.querySelector(".file ~ .note").textContent';
    await open('train?data=fashion-mnist&a=05_large_kernel&b=05_large_kernel&limit=64&epochs=1&batch=16');
    await until('document.querySelector("button.main")');
    const startable = () => value('!document.querySelector("button.main").disabled');
    check('no files, no start', !(await startable()) && (await value(said)).includes('train-images'));
    const error = 'document.querySelector("main .error")?.textContent || ""';
    for (const [name, content, expected] of [['report.pdf', 'no set', 'report.pdf'], ['train-labels-idx1-ubyte.gz', gzipSync(labels).subarray(0, -8), 'train-labels-idx1-ubyte.gz']]) {
        await choose(file(name, content));
        await until(`(${error}).includes('${expected}')`, 20).catch(() => 0);
        check(`${name} is refused`, (await value(error)).includes(expected) && !(await startable()), await value(error));
    }
    // Packed and unpacked, with a dot or a dash in the name; labels where images should be.
    await choose(file('train-images.idx3-ubyte', labels), file('train-labels-idx1-ubyte.gz', gzipSync(labels)), file('t10k-images-idx3-ubyte', images));
    await until(`(${said}).includes('t10k-labels')`, 20);
    check('three of four', !(await startable()));
    await choose(file('t10k-labels-idx1-ubyte.gz', gzipSync(labels)));
    await until(`(${error}).includes('train-images')`, 60).catch(() => 0);
    check('the program refuses labels as images', (await value(error)).includes('data/fashion-mnist/train-images-idx3-ubyte') && !(await startable()), await value(error));
    check('and asks for that file alone', (await value(said)).includes('train-images') && !(await value(said)).includes('t10k'), await value(said));
    await choose(file('train-images-idx3-ubyte (1).gz', gzipSync(images)));
    await until('!document.querySelector("button.main").disabled', 60).catch(() => 0);
    check('four good files', (await startable()) && (await value(error)) === '' && (await value(said)).includes('1x28x28'), (await value(said)) + (await value(error)));
    await value('document.querySelector("button.main").click()');
    await done(300);
    const data = mkdtempSync(folder + '/set-');
    for (const set of ['train', 't10k']) {
        writeFileSync(`${data}/${set}-images-idx3-ubyte`, images);
        writeFileSync(`${data}/${set}-labels-idx1-ubyte`, labels);
    }
    process.env.FASHION_MNIST = data;
    const printed = program('05_large_kernel', 'train', '--data', 'fashion-mnist', '--preset', 'small', '--limit', '64', '--epochs', '1', '--batch-size', '16', '--lr', '4e-3', '--out', `${folder}/run`);
    const digest = await value('race.runs[0].last');
    check('trained on the reader’s files', digest.startsWith('sha256') && printed.trim().endsWith(digest), digest);
}

await walk('reader', async () => {
    await ownImages();
    await drawing();
    await fashionFiles();
});
rmSync(folder, { recursive: true });
