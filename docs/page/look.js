// An image and two trained networks: their answers, a layer's activations, the pixels that a pixel of a
// stage depends on, and how they stand altered images.
'use strict';

const TRAINED = JSON.parse($('trained').textContent);
const TEST = { images: fromBase64($('images').textContent), labels: fromBase64($('labels').textContent) };
const SIDE = 28;

const pgm = pixels => joined([encoder.encode(`P5\n${SIDE} ${SIDE}\n255\n`), pixels]);
const testImage = i => TEST.images.subarray(16 + i * SIDE * SIDE, 16 + (i + 1) * SIDE * SIDE);
const weightsPath = step => `results/weights/${step}.safetensors`;
let ownImage = null; // a PNM file: drawn, or from a file of the reader's

// Reads a PGM or PPM file as the programs write it, onto a canvas.
function drawPnm(canvas, bytes) {
    const [head, kind, width, height] = /^(P[56])\s+(\d+)\s+(\d+)\s+255\s/.exec(decoder.decode(bytes.subarray(0, 40)));
    const planes = kind === 'P6' ? 3 : 1, pixels = bytes.subarray(head.length);
    canvas.width = +width;
    canvas.height = +height;
    const image = new ImageData(+width, +height);
    for (let i = 0; i < width * height; i++) {
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[planes * i + (planes === 3 ? c : 0)];
        image.data[4 * i + 3] = 255;
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
}

VIEWS.push({
    name: 'look',
    defaults: { a: TRAINED[0], b: TRAINED[1] || TRAINED[0], image: '9', stage: '3', pixel: '', layer: '', noise: '' },
    async show(root) {
        const late = stale();
        if (!TRAINED.length) return showError(root, t('noWeights'));
        const list = STEPS.filter(step => TRAINED.includes(step.name));
        const networks = [['a', state.a], ['b', state.b]].map(([key, step]) => ({ key, step, answers: h('div.answers'), sheet: h('div.sheet'), field: h('div.fieldview'), noise: h('div') }));
        const look = h('canvas.shown', { width: SIDE, height: SIDE, role: 'img', 'aria-label': t('chosenImage') });
        root.append(h('div.chooser', h('div', look, h('p.note', t('chosenImage'))), gallery(), drawingBoard(), ownFile()),
            h('div.controls', networks.map(n => stepChoice(t('network') + ' ' + n.key.toUpperCase(), n.step, value => change({ [n.key]: value, layer: '' }), list))),
            h('h2', t('answers')), h('div.two', networks.map(n => n.answers)),
            h('h2', t('fieldTitle')), h('p.note', t('fieldNote')),
            h('div.controls', choice(t('stageLabel'), [1, 2, 3, 4].map(i => [String(i), t('stage', i)]), state.stage, value => change({ stage: value, pixel: '' }))),
            h('div.two', networks.map(n => n.field)),
            h('h2', t('activations')), h('div.controls.layers'), h('div.two', networks.map(n => n.sheet)),
            h('h2', t('robust')), h('p.note', t('robustNote')), h('div.controls.noise'), h('div.two', networks.map(n => n.noise)));
        const image = state.image === 'own' && ownImage ? ownImage : pgm(testImage(+state.image % 200 || 0));
        drawPnm(look, image);
        showCommand(...new Set(networks.flatMap(({ step }) => [`${program(step)} classify image.pgm --weights ${weightsPath(step)}`,
            `${program(step)} field image.pgm --weights ${weightsPath(step)} --stage ${state.stage}${state.pixel ? ' --at ' + state.pixel : ''} --output field.tsv`])));
        try {
            for (const { step } of networks) await desk.put({ [weightsPath(step)]: await weightsOf(step) });
            await desk.put({ 'image.pgm': image });
            for (const n of networks) await showAnswers(n, late);
            for (const n of networks) await showField(n, image, late);
            root.dataset.done = 'yes';
            await showLayers(root, networks, late);
            showNoise(root, networks, late);
        } catch (error) {
            if (!late()) showError(networks[0].answers, error);
        }
    },
});

// --- choosing an image ---

function gallery() {
    const buttons = Array.from({ length: 20 }, (_, i) => {
        const canvas = h('canvas', { 'aria-hidden': 'true' });
        drawPnm(canvas, pgm(testImage(i)));
        return h('button.tile', { type: 'button', 'aria-pressed': String(state.image === String(i)), 'aria-label': t('testImage', i + 1), onclick: () => change({ image: String(i) }) }, canvas);
    });
    return h('div', h('div.gallery', buttons), h('p.note', t('galleryNote')));
}

function drawingBoard() {
    const pixels = state.image === 'own' && ownImage && ownImage.length < 800 ? ownImage.slice(-SIDE * SIDE) : new Uint8Array(SIDE * SIDE);
    const board = h('canvas.board', { 'aria-label': t('board'), role: 'img' });
    const paint = () => drawPnm(board, pgm(pixels));
    paint();
    let last = null;
    const stroke = event => {
        const box = board.getBoundingClientRect();
        const at = [(event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE];
        const from = last || at, count = Math.ceil(Math.hypot(at[0] - from[0], at[1] - from[1]) * 2) + 1;
        for (let k = 1; k <= count; k++) {
            const cx = from[0] + (at[0] - from[0]) * k / count, cy = from[1] + (at[1] - from[1]) * k / count;
            for (let y = Math.max(0, Math.floor(cy - 2)); y <= Math.min(SIDE - 1, cy + 2); y++)
                for (let x = Math.max(0, Math.floor(cx - 2)); x <= Math.min(SIDE - 1, cx + 2); x++) {
                    const light = 255 * Math.min(1, Math.max(0, 1.9 - Math.hypot(x + .5 - cx, y + .5 - cy)));
                    pixels[y * SIDE + x] = Math.max(pixels[y * SIDE + x], light);
                }
        }
        last = at;
        paint();
    };
    board.addEventListener('pointerdown', event => {
        board.setPointerCapture(event.pointerId);
        last = null;
        stroke(event);
    });
    board.addEventListener('pointermove', event => event.buttons && stroke(event));
    board.addEventListener('pointerup', () => {
        ownImage = pgm(pixels);
        change({ image: 'own' });
    });
    return h('div', board, h('p.note', t('board'), ' ', h('button.quiet', { type: 'button', onclick: () => {
        pixels.fill(0);
        paint();
    } }, t('clear'))));
}

function ownFile() {
    const said = h('p.note', t('fileNote'));
    return h('div', h('label.file', h('span', t('ownImage')), h('input', { type: 'file', accept: 'image/*,.pgm,.ppm', onchange: async event => {
        try {
            ownImage = await imageOf(event.target.files[0]);
            change({ image: 'own' });
        } catch {
            fill(said, h('span.error', { role: 'alert' }, t('badImage', event.target.files[0].name)));
        }
    } })), said);
}

// The browser reads the file; the program brings it to size.
async function imageOf(file) {
    const bitmap = await createImageBitmap(file);
    const canvas = h('canvas', { width: bitmap.width, height: bitmap.height }), context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const pixels = new Uint8Array(data.length / 4 * 3);
    for (let i = 0, to = 0; i < data.length; i++) if (i % 4 < 3) pixels[to++] = data[i];
    return joined([encoder.encode(`P6\n${bitmap.width} ${bitmap.height}\n255\n`), pixels]);
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

async function showField({ step, field }, image, late) {
    const at = state.pixel ? ['--at', state.pixel] : [];
    const { out, files } = await ask(step, ['field', 'image.pgm', '--weights', weightsPath(step), '--stage', state.stage, ...at, '--output', 'field.tsv'], { take: ['field.tsv'] });
    if (late()) return;
    const [, height, width, y, x] = /(\d+)x(\d+) output, its pixel (\d+),(\d+)/.exec(out).map(Number);
    const cells = decoder.decode(files['field.tsv']).trim().split('\n').slice(1).map(line => +line.split('\t')[2]);
    const side = Math.sqrt(cells.length), most = Math.max(...cells) || 1;
    const canvas = h('canvas.heat', { width: side, height: side, 'aria-hidden': 'true' }), heat = new ImageData(side, side);
    cells.forEach((value, i) => heat.data.set(heatColour(Math.sqrt(value / most)), 4 * i));
    canvas.getContext('2d').putImageData(heat, 0, 0);
    const grid = h('div.grid', { style: `--columns:${width}`, role: 'grid', 'aria-label': t('pixelGrid', height, width) });
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
    fill(field, h('h3', stepTitle(step)), h('div.overlay', canvas, grid), h('p.note', out.trim().replace(/^[^:]*: /, '')));
}
// From the paper's white to a deep blue, by the share of the largest gradient.
const heatColour = s => [250 - 217 * s, 250 - 148 * s, 247 - 75 * s, 255].map(Math.round);

async function showLayers(root, networks, late) {
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

function showNoise(root, networks, late) {
    const levels = ['clean', 'noise:16', 'noise:32', 'noise:64', 'blur:3', 'dark:0.25', 'shift:4', 'box:10'];
    const start = h('button', { type: 'button', onclick: async () => {
        start.disabled = true;
        remember({ noise: 'yes' });
        const data = { images: TEST.images, labels: TEST.labels };
        for (const part of ['train', 't10k'])
            await desk.put({ [`data/fashion-mnist/${part}-images-idx3-ubyte`]: data.images, [`data/fashion-mnist/${part}-labels-idx1-ubyte`]: data.labels });
        for (const n of networks) {
            const body = h('tbody');
            fill(n.noise, h('h3', stepTitle(n.step)), h('table', h('thead', h('tr', h('th', { scope: 'col' }, t('alteration')), h('th.bars', { scope: 'col' }, t('top1')))), body));
            for (const level of levels) {
                const { out } = await ask(n.step, ['evaluate', '--weights', weightsPath(n.step), '--format', 'tsv', ...(level === 'clean' ? [] : ['--alter', level])]);
                if (late()) return;
                const top1 = +out.split('\n')[1].split('\t')[1];
                body.append(h('tr', h('th', { scope: 'row' }, level), h('td.bars', bar(top1 / 100, top1.toFixed(1) + '%'))));
            }
        }
        start.disabled = false;
        showCommand(...networks.map(n => `${program(n.step)} evaluate --weights ${weightsPath(n.step)} --alter noise:32`));
    } }, t('measure'));
    fill(root.querySelector('.noise'), start);
    if (state.noise) start.click();
}
