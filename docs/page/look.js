// An image and two trained networks: their answers, a layer's activations, the pixels that a pixel of a
// stage depends on, and how they stand altered images.
'use strict';

const TRAINED = JSON.parse($('trained').textContent);
const TEST = { images: fromBase64($('images').textContent), labels: fromBase64($('labels').textContent) };
const SIDE = 28, SHOWN = 200; // the side of a test image; how many the page has
const FIRST = '9';

const pgm = pixels => joined([encoder.encode(`P5\n${SIDE} ${SIDE}\n255\n`), pixels]);
const testImage = i => TEST.images.subarray(16 + i * SIDE * SIDE, 16 + (i + 1) * SIDE * SIDE);
const weightsPath = step => trainedHere[step] ? `runs/${step}/best.safetensors` : `results/weights/${step}.safetensors`;
const weightsOf = step => trainedHere[step] || fileBeside(weightsPath(step), step);
const trainedHere = {}; // by the view Train: the weights of a step
let ownImage = null; // a PNM file: drawn, or from a file of the reader's

// Reads the head of a PGM or PPM file; null where it is of another kind.
function pnmHead(bytes) {
    const gap = '(?:\\s|#[^\\n]*\\n)+';
    const found = new RegExp(`^(P[56])${gap}(\\d+)${gap}(\\d+)${gap}255\\s`).exec(String.fromCharCode(...bytes.subarray(0, 1000)));
    if (!found) return null;
    const [head, kind, width, height] = found, planes = kind === 'P6' ? 3 : 1;
    return width * height > 0 && bytes.length >= head.length + planes * width * height ? { planes, width: +width, height: +height, at: head.length } : null;
}
function drawPnm(canvas, bytes) {
    const { planes, width, height, at } = pnmHead(bytes), pixels = bytes.subarray(at);
    canvas.width = width;
    canvas.height = height;
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[planes * i + (planes === 3 ? c : 0)];
        image.data[4 * i + 3] = 255;
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
}

// The first network, and the one that reached most of those that are there.
const bestTrained = () => STEPS.filter(step => TRAINED.includes(step.name) && step.name !== TRAINED[0]).sort((a, b) => b.accuracy - a.accuracy)[0];

VIEWS.push({
    name: 'look',
    defaults: { a: TRAINED[0] || '', b: (bestTrained() || {}).name || TRAINED[0] || '', image: FIRST, stage: '3', pixel: '', layer: '', noise: '' },
    async show(root) {
        const late = stale(), there = step => TRAINED.includes(step) || trainedHere[step];
        if (state.image === 'own' && !ownImage) remember({ image: FIRST });
        const networks = [['a', state.a], ['b', state.b]].map(([key, step]) => ({ key, step, answers: h('div.answers'), sheet: h('div.sheet'), field: h('div.fieldview'), noise: h('div') }));
        const image = state.image === 'own' ? ownImage : pgm(testImage(Math.abs(Math.trunc(+state.image)) % SHOWN || 0));
        const look = h('canvas.shown', { role: 'img', 'aria-label': t('chosenImage') });
        drawPnm(look, image);
        const part = (name, ...rest) => h('section', { 'data-part': name }, rest);
        const terminals = Object.fromEntries(['answers', 'field', 'layers', 'noise'].map(name => [name, h('div')]));
        const say = (name, command) => fill(terminals[name], inTerminal(...new Set(networks.map(({ step }) => command(program(step), weightsPath(step), fileName(image))))));
        root.append(h('div.chooser', h('div', look, h('p.note', t('chosenImage'), ' ', saved(image), ' ', inverted(image))), gallery(), drawingBoard(), ownFile()),
            h('div.controls', networks.map(n => networkChoice(n, there))));
        const absent = networks.filter(n => !there(n.step));
        if (absent.length) {
            root.append(...absent.map(n => h('p.error', { role: 'alert' }, t('noWeights', n.step || '–'))));
            root.dataset.done = 'yes';
            return;
        }
        root.append(
            part('answers', h('h2', t('answers')), h('div.two', networks.map(n => n.answers)), terminals.answers),
            part('field', h('h2', t('fieldTitle')), h('p.note', t('fieldNote')),
                h('div.controls', choice(t('stageLabel'), [1, 2, 3, 4].map(i => [String(i), t('stage', i)]), state.stage, value => change({ stage: value, pixel: '' }))),
                h('div.two', networks.map(n => n.field)), terminals.field),
            part('layers', h('h2', t('activations')), h('div.controls.layers'), h('div.two', networks.map(n => n.sheet)), terminals.layers),
            part('noise', h('h2', t('robust')), h('p.note', t('robustNote', SHOWN)), h('div.controls.noise'), h('div.two', networks.map(n => n.noise)), terminals.noise));
        say('answers', (call, weights, file) => `${call} classify ${file} --weights ${weights}`);
        say('field', (call, weights, file) => `${call} field ${file} --weights ${weights} --stage ${state.stage}${state.pixel ? ' --at ' + state.pixel : ''} --output field.tsv`);
        say('noise', (call, weights) => `${call} evaluate --weights ${weights} --limit ${SHOWN} | head -n 1\nfor alter in ${LEVELS.slice(1).join(' ')}; do ${call} evaluate --weights ${weights} --limit ${SHOWN} --alter $alter | head -n 1; done`);
        let at = networks[0]; // whose fault an error is
        try {
            for (const { step } of networks) await desk.put({ [weightsPath(step)]: await weightsOf(step) });
            await desk.put({ 'image.pgm': image });
            for (const show of [showAnswers, showField]) for (at of networks) await show(at, late);
            await showLayers(root, networks, say, late);
            if (late()) return;
            showNoise(root, networks, late);
            root.dataset.done = 'yes';
        } catch (error) {
            if (!late()) showError(at.answers, error);
            root.dataset.done = 'yes';
        }
    },
});

// All steps, those without weights last and not to be chosen.
function networkChoice({ key, step }, there) {
    const control = stepChoice(t('network') + ' ' + key.toUpperCase(), step, value => change({ [key]: value, layer: '', pixel: '' }));
    for (const option of control.querySelectorAll('option'))
        if (trainedHere[option.value]) option.textContent += ' · ' + t('trainedHere');
        else if (!there(option.value)) {
            option.disabled = option.value !== step;
            option.textContent += ' · ' + t('noWeightsShort');
        }
    return control;
}

// --- choosing an image ---

const chosen = image => {
    ownImage = image;
    change({ image: 'own' });
};
// The file of the commands shown.
const fileName = image => pnmHead(image).planes === 3 ? 'image.ppm' : 'image.pgm';
function saved(image) {
    const name = fileName(image);
    return h('a', { href: blobOf('image', image), download: name }, t('save', name));
}
const inverted = image => h('button.quiet', { type: 'button', onclick: () => {
    const { at } = pnmHead(image);
    chosen(image.map((byte, i) => i < at ? byte : 255 - byte));
} }, t('invert'));

function gallery() {
    const buttons = Array.from({ length: 20 }, (_, i) => {
        const canvas = h('canvas', { 'aria-hidden': 'true' });
        drawPnm(canvas, pgm(testImage(i)));
        return h('button.tile', { type: 'button', 'aria-pressed': String(state.image === String(i)), 'aria-label': t('testImage', i + 1), onclick: () => change({ image: String(i) }) }, canvas);
    });
    return h('div', h('div.gallery', buttons), h('p.note', t('galleryNote')));
}

// Drawn on with a pointer, or with the arrow keys, where the space bar lowers and lifts the pen.
let pen = { x: 13, y: 13, down: false, keys: false };
function drawingBoard() {
    const pixels = state.image === 'own' && ownImage && ownImage.length === pgm(testImage(0)).length ? ownImage.slice(-SIDE * SIDE) : new Uint8Array(SIDE * SIDE);
    const board = h('canvas.board', { 'aria-label': t('boardLabel'), role: 'application', tabindex: '0' });
    const paint = () => {
        drawPnm(board, pgm(pixels));
        if (!pen.keys || document.activeElement !== board) return;
        const context = board.getContext('2d');
        context.fillStyle = pen.down ? '#e0a526' : '#7fb3e6';
        context.fillRect(pen.x, pen.y, 1, 1);
    };
    paint();
    const dab = (cx, cy) => {
        for (let y = Math.max(0, Math.floor(cy - 2)); y <= Math.min(SIDE - 1, cy + 2); y++)
            for (let x = Math.max(0, Math.floor(cx - 2)); x <= Math.min(SIDE - 1, cx + 2); x++) {
                const light = 255 * Math.min(1, Math.max(0, 1.9 - Math.hypot(x + .5 - cx, y + .5 - cy)));
                pixels[y * SIDE + x] = Math.max(pixels[y * SIDE + x], light);
            }
    };
    let last = null, wait = null;
    const stroke = event => {
        const box = board.getBoundingClientRect();
        const at = [(event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE];
        const from = last || at, count = Math.ceil(Math.hypot(at[0] - from[0], at[1] - from[1]) * 2) + 1;
        for (let k = 1; k <= count; k++) dab(from[0] + (at[0] - from[0]) * k / count, from[1] + (at[1] - from[1]) * k / count);
        last = at;
        paint();
    };
    let over = false; // another board takes this one's place, and the focus
    const ready = () => {
        over = true;
        chosen(pgm(pixels));
    };
    board.addEventListener('pointerdown', event => {
        if (!event.isPrimary || event.button) return;
        board.setPointerCapture(event.pointerId);
        pen.keys = false;
        last = null;
        stroke(event);
    });
    board.addEventListener('pointermove', event => last && event.isPrimary && event.buttons && stroke(event));
    for (const end of ['pointerup', 'pointercancel'])
        board.addEventListener(end, () => {
            if (last) ready();
            last = null;
        });
    board.addEventListener('keydown', event => {
        const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
        if (!by && event.key !== ' ') return;
        event.preventDefault();
        pen.keys = true;
        if (by) pen = { ...pen, x: Math.min(SIDE - 1, Math.max(0, pen.x + by[0])), y: Math.min(SIDE - 1, Math.max(0, pen.y + by[1])) };
        else pen.down = !pen.down;
        if (pen.down) dab(pen.x + .5, pen.y + .5);
        paint();
        clearTimeout(wait);
        if (pen.down || !by) wait = setTimeout(() => board.isConnected && ready(), 600);
        said.textContent = t(pen.down ? 'penDown' : 'penUp', pen.x, pen.y);
    });
    board.addEventListener('focus', paint);
    board.addEventListener('blur', () => {
        if (over) return;
        pen.down = pen.keys = false;
        paint();
    });
    const said = h('span.unseen', { role: 'status' });
    return h('div', board, h('p.note', t('board'), ' ', h('button.quiet', { type: 'button', onclick: () => {
        pixels.fill(0);
        ready();
    } }, t('clear')), said));
}

function ownFile() {
    const said = h('p.note', t('fileNote'));
    return h('div', h('label.file', h('span', t('ownImage')), h('input', { type: 'file', accept: 'image/*,.pgm,.ppm', onchange: async event => {
        const file = event.target.files[0];
        event.target.value = ''; // the same file may be chosen again
        if (!file) return;
        try {
            chosen(await imageOf(file));
        } catch {
            fill(said, h('span.error', { role: 'alert' }, t('badImage', file.name)));
        }
    } })), said);
}

const LARGEST = 1024; // longer sides are brought to this by the browser; all else of the size is the program's
// The browser reads the file, unless it is PGM or PPM, which the programs read as it is. What is
// transparent lies on black, the ground of the data set.
async function imageOf(file) {
    const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    if (start[0] === 80 && (start[1] === 53 || start[1] === 54)) {
        const bytes = new Uint8Array(await file.arrayBuffer()), head = pnmHead(bytes);
        if (head && Math.max(head.width, head.height) <= 4 * LARGEST) return bytes;
    }
    const bitmap = await createImageBitmap(file), scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [bitmap.width, bitmap.height].map(side => Math.max(1, Math.round(scale * side)));
    const context = h('canvas', { width, height }).getContext('2d');
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height), pixels = new Uint8Array(data.length / 4 * 3);
    for (let i = 0, to = 0; i < data.length; i++) if (i % 4 < 3) pixels[to++] = data[i];
    return joined([encoder.encode(`P6\n${width} ${height}\n255\n`), pixels]);
}

// --- what the programs say ---

async function showAnswers({ step, answers }, late) {
    const { out } = await ask(step, ['classify', 'image.pgm', '--weights', weightsPath(step), '--format', 'tsv']);
    if (late()) return;
    const rows = out.trim().split('\n').slice(1).map(line => line.split('\t'));
    fill(answers, h('h3', stepTitle(step)), h('table', h('tbody', rows.map(([, , probability, , name]) =>
        h('tr', h('th', { scope: 'row' }, className(name)), h('td.bars', bar(+probability, (100 * probability).toFixed(1) + '%')))))));
}
const className = name => t('class_' + name) || name;

async function showField({ step, field }, late) {
    if (late()) return;
    const at = state.pixel ? ['--at', state.pixel] : [];
    const { out, files } = await ask(step, ['field', 'image.pgm', '--weights', weightsPath(step), '--stage', state.stage, ...at, '--output', 'field.tsv'], { take: ['field.tsv'] });
    if (late()) return;
    const [, height, width, y, x] = /(\d+)x(\d+) output, its pixel (\d+),(\d+)/.exec(out).map(Number);
    const cells = decoder.decode(files['field.tsv']).trim().split('\n').slice(1).map(line => line.split('\t').map(Number));
    const [rows, columns] = cells[cells.length - 1].map(last => last + 1), most = Math.max(...cells.map(cell => cell[2])) || 1;
    const canvas = h('canvas.heat', { width: columns, height: rows, 'aria-hidden': 'true' }), heat = new ImageData(columns, rows);
    cells.forEach((cell, i) => heat.data.set(heatColour(Math.sqrt(cell[2] / most)), 4 * i));
    canvas.getContext('2d').putImageData(heat, 0, 0);
    const grid = h('div.grid', { role: 'grid', 'aria-label': `${stepTitle(step)}: ${t('pixelGrid', height, width)}` });
    for (let i = 0; i < height; i++) {
        const row = h('div', { role: 'row' });
        for (let j = 0; j < width; j++) {
            const here = i === y && j === x;
            row.append(h('button', { type: 'button', role: 'gridcell', tabindex: here ? 0 : -1, 'aria-selected': String(here), 'aria-label': `${i}, ${j}`,
                onclick: () => change({ pixel: `${i},${j}` }), onkeydown: event => {
                    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
                    if (!move) return;
                    event.preventDefault();
                    const target = grid.children[i + move[0]] && grid.children[i + move[0]].children[j + move[1]];
                    if (target) target.focus();
                } }));
        }
        grid.append(row);
    }
    fill(field, h('h3', stepTitle(step)), h('div.overlay', { style: `aspect-ratio: ${columns} / ${rows}` }, canvas, grid), h('p.note', t('fieldOf', state.stage, `${height}x${width}`, `${y},${x}`)));
}
// From the paper's white to a deep blue, by the share of the largest gradient.
const heatColour = s => [250 - 217 * s, 250 - 148 * s, 247 - 75 * s, 255].map(Math.round);

async function showLayers(root, networks, say, late) {
    const controls = root.querySelector('.layers');
    for (const n of networks) {
        const report = JSON.parse((await ask(n.step, ['report', '--preset', 'small', '--format', 'json'])).out);
        if (late()) return;
        n.layers = report.layers.filter(layer => /x\d+x\d+x\d+$/.test(layer.output) && !/x1x1$/.test(layer.output)).map(layer => [layer.name, layer.op]);
    }
    const all = [...new Map(networks.flatMap(n => n.layers))];
    const common = all.filter(([name]) => networks.every(n => n.layers.some(layer => layer[0] === name)));
    const standard = (common.find(([, op]) => op === 'add') || common[0] || all[0])[0];
    const show = async name => {
        say('layers', (call, weights, file) => `${call} show ${file} --weights ${weights} --layer ${name} --output sheet.pgm`);
        for (const n of networks) {
            const has = n.layers.some(layer => layer[0] === name);
            if (!has) {
                fill(n.sheet, h('h3', stepTitle(n.step)), h('p.note', t('noLayer', name)));
                continue;
            }
            const { out, files } = await ask(n.step, ['show', 'image.pgm', '--weights', weightsPath(n.step), '--layer', name, '--output', 'sheet.pgm'], { take: ['sheet.pgm'] });
            if (late()) return;
            const canvas = h('canvas', { role: 'img', 'aria-label': out.split('\n')[0] });
            drawPnm(canvas, files['sheet.pgm']);
            fill(n.sheet, h('h3', stepTitle(n.step)), canvas, h('p.note', out.trim()));
        }
    };
    fill(controls, choice(t('layer'), all.map(([name, op]) => [name, `${name}  ${op}`]), state.layer || standard, name => {
        remember({ layer: name });
        show(name).catch(error => showError(networks[0].sheet, error));
    }));
    await show(state.layer || standard);
}

const LEVELS = ['clean', 'noise:16', 'noise:32', 'noise:64', 'blur:3', 'dark:0.25', 'shift:4', 'box:10'];
function showNoise(root, networks, late) {
    const start = h('button', { type: 'button', onclick: async () => {
        start.disabled = true;
        remember({ noise: 'yes' });
        const data = { images: TEST.images, labels: TEST.labels };
        for (const part of ['train', 't10k'])
            await desk.put({ [`data/fashion-mnist/${part}-images-idx3-ubyte`]: data.images, [`data/fashion-mnist/${part}-labels-idx1-ubyte`]: data.labels });
        try {
            for (const n of networks) {
                const body = h('tbody');
                fill(n.noise, h('h3', stepTitle(n.step)), h('table', h('thead', h('tr', h('th', { scope: 'col' }, t('alteration')), h('th.bars', { scope: 'col' }, t('top1')))), body));
                for (const level of LEVELS) {
                    const { out } = await ask(n.step, ['evaluate', '--weights', weightsPath(n.step), '--limit', String(SHOWN), '--format', 'tsv', ...(level === 'clean' ? [] : ['--alter', level])]);
                    if (late()) return;
                    const top1 = +out.split('\n')[1].split('\t')[1];
                    body.append(h('tr', { 'data-level': level }, h('th', { scope: 'row' }, alterationName(level)), h('td.bars', bar(top1 / 100, top1.toFixed(1) + '%'))));
                }
            }
            root.dataset.measured = 'yes';
        } catch (error) {
            if (!late()) showError(networks[0].noise, error);
        }
        start.disabled = false;
    } }, t('measure'));
    fill(root.querySelector('.noise'), start);
    if (state.noise) start.click();
}
const alterationName = level => {
    const [kind, strength] = level.split(':'), name = t('alter_' + kind);
    return strength && name ? `${name} ${strength}` : name || level;
};
