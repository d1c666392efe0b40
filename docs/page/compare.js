// Two steps side by side: the program's drawing, the lines of the diff, and for every layer its C line.
'use strict';

const OWN_SIZES = ['01_stage_ratio']; // what this step changes are the depths

VIEWS.push({
    name: 'compare',
    defaults: { from: '04_inverted_bottleneck', to: '05_large_kernel', preset: 'paper', blocks: 'few', layer: '' },
    async show(root) {
        const late = stale(), { from, to, preset, blocks } = state;
        const picture = h('div.drawing', { 'aria-busy': 'true' }), side = h('aside.side'), detail = h('div.detail', { 'aria-live': 'polite' });
        const neighbour = shift => {
            const i = STEPS.findIndex(s => s.name === to) + shift;
            return i >= 1 && i < STEPS.length ? { from: STEPS[i - 1].name, to: STEPS[i].name, layer: '' } : null;
        };
        const turn = (shift, key) => h('button', { type: 'button', disabled: !neighbour(shift), onclick: () => change(neighbour(shift)) }, t(key));
        root.append(
            h('div.controls', stepChoice(t('before'), from, value => change({ from: value, layer: '' })),
                stepChoice(t('after'), to, value => change({ to: value, layer: '' })),
                choice(t('preset'), ['paper', 'article', 'small'].map(p => [p, t('preset_' + p)]), preset, value => change({ preset: value })),
                choice(t('blocks'), [['few', t('blocksFew')], ['all', t('blocksAll')]], blocks, value => change({ blocks: value })),
                h('span.pair', turn(-1, 'previous'), turn(1, 'next'))),
            h('div.columns', picture, side));
        fill(side, detail, diffBlock(from, to), articleLinks(to));
        fill(detail, h('p.note', t('hoverLayer')));

        const options = [...presetWords(to, preset),
            ...(blocks === 'few' && !OWN_SIZES.includes(to) ? ['--depths', '1,1,0,0'] : [])];
        const words = ['compare', from.startsWith(to) ? from : from.slice(0, 2), '--format', 'svg', ...options];
        const say = (...layer) => showCommand(commandText(to, words), ...layer, `diff -U 3 steps/${from}/main.c steps/${to}/main.c`);
        say();
        try {
            const svg = (await ask(to, words)).out;
            if (late()) return;
            picture.innerHTML = svg;
            picture.removeAttribute('aria-busy');
            picture.scrollLeft = (picture.scrollWidth - picture.clientWidth) / 2;
            const layers = {};
            for (const step of new Set([from, to])) {
                const report = JSON.parse((await ask(step, ['report', '--format', 'json', ...sizesOf(step, to, options)])).out);
                if (late()) return;
                layers[step] = new Map(report.layers.map(layer => [layer.name, layer]));
            }
            followLayers(picture, layers, (step, layer) => {
                fill(detail, layerDetail(step, layer));
                say(`${commandText(step, ['report', ...sizesOf(step, to, options)])} | grep '${layer.name} '`);
            });
        } catch (error) {
            if (!late()) showError(picture, error);
        }
        root.dataset.done = 'yes';
    },
});

// compare asks the other step for the paper's widths where the published step has them.
const sizesOf = (step, to, options) => /^1[23]/.test(to) && !/^1[23]/.test(step) && !options.includes('--preset') ? ['--preset', 'paper', ...options] : options;

// Pointer, focus and arrow keys go from layer to layer; one of them is in the order of tabs.
function followLayers(picture, layers, show) {
    const svg = picture.querySelector('svg'), middle = svg.viewBox.baseVal.width / 2;
    const boxes = [...svg.querySelectorAll('rect')].filter(rect => rect.querySelector('title'));
    svg.setAttribute('role', 'group');
    svg.setAttribute('aria-label', svg.querySelector('title').textContent);
    let current = null;
    const choose = (box, byUser) => {
        if (current) current.classList.remove('chosen');
        boxes.forEach(b => b.setAttribute('tabindex', b === box ? '0' : '-1'));
        current = box;
        box.classList.add('chosen');
        const step = +box.getAttribute('x') < middle ? state.from : state.to;
        const name = box.querySelector('title').textContent.split(':')[0].split(' ')[0];
        const layer = layers[step].get(name);
        if (byUser) remember({ layer: `${step.slice(0, 2)}:${name}` });
        if (layer) show(step, layer);
        markLines(layer ? callLines(step, layer) : [0, 0], step);
    };
    boxes.forEach((box, i) => {
        box.setAttribute('role', 'img');
        box.setAttribute('tabindex', i === 0 ? '0' : '-1');
        box.setAttribute('aria-label', box.querySelector('title').textContent);
        box.addEventListener('pointerenter', () => choose(box, true));
        box.addEventListener('focus', () => choose(box, true));
        box.addEventListener('keydown', event => {
            const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
            if (!by || !boxes[i + by]) return;
            event.preventDefault();
            boxes[i + by].focus();
        });
    });
    const [number, name] = state.layer.split(':');
    const wanted = boxes.find(box => name && box.querySelector('title').textContent.split(':')[0] === name &&
        (+box.getAttribute('x') < middle ? state.from : state.to).startsWith(number));
    const first = wanted || boxes.find(box => !box.classList.contains('kept'));
    if (first) choose(first, false);
}

// The first and the last line of the layer's call: a compiler may name either.
function callLines(step, layer) {
    const source = CODE(step).split('\n');
    let first = +layer.at.split(':')[1];
    while (first > 1 && !source[first - 1].includes(layer.call + '(')) first--;
    let last = first;
    while (last < source.length && !source[last - 1].includes(';')) last++;
    return [first, last];
}

function layerDetail(step, layer) {
    const [first, last] = callLines(step, layer), from = Math.max(1, first - 1), source = CODE(step).split('\n').slice(from - 1, last + 1);
    const rows = [['shape', layer.output], ['weight', layer.weight], ['parameters', integer(layer.parameters)], ['macs', integer(layer.macs)]];
    return [
        h('h2', layer.op, ' ', h('small', layer.name)),
        h('dl', rows.filter(([, value]) => value).map(([key, value]) => h('div', h('dt', t(key)), h('dd', String(value))))),
        h('p.where', `${layer.at.split(':')[0]}:${first}`),
        h('pre.code', source.map((text, i) =>
            h('span.line' + (from + i >= first && from + i <= last ? '.here' : ''), text))),
    ];
}

// --- the diff ---

// The longest common subsequence of two lists of lines, as [kind, text, line before, line after].
function diffLines(a, b) {
    const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--)
        for (let j = b.length - 1; j >= 0; j--)
            best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    const lines = [];
    let i = 0, j = 0;
    while (i < a.length || j < b.length)
        if (i < a.length && j < b.length && a[i] === b[j]) lines.push([' ', a[i], ++i, ++j]);
        else if (i < a.length && (j === b.length || best[i + 1][j] >= best[i][j + 1])) lines.push(['-', a[i], ++i, 0]);
        else lines.push(['+', b[j], 0, ++j]);
    return lines;
}

function diffBlock(from, to) {
    const lines = diffLines(CODE(from).replace(/\n$/, '').split('\n'), CODE(to).replace(/\n$/, '').split('\n'));
    const near = lines.map((_, i) => lines.slice(Math.max(0, i - 3), i + 4).some(line => line[0] !== ' '));
    const block = h('pre.code.diff', { tabindex: '0', role: 'region', 'aria-label': t('diff') });
    lines.forEach(([kind, text, before, after], i) => {
        if (!near[i]) {
            if (i > 0 && near[i - 1]) block.append(h('span.gap', '⋯'));
            return;
        }
        block.append(h('span.line' + (kind === '+' ? '.come' : kind === '-' ? '.gone' : ''), { 'data-before': before, 'data-after': after }, kind + text));
    });
    if (!block.children.length) block.append(t('noDiff'));
    return h('div', h('h2', t('diff'), ' ', h('small', `steps/${to}/main.c`)), block);
}

function markLines([first, last], step) {
    const key = step === state.to ? 'after' : 'before';
    document.querySelectorAll('.diff .line').forEach(element => {
        const here = +element.dataset[key] >= first && +element.dataset[key] <= last;
        element.classList.toggle('here', here);
        if (here && +element.dataset[key] === first) element.parentNode.scrollTop = element.offsetTop - element.parentNode.offsetTop - 60;
    });
}

const ARTICLE = ['https://github.com/FrancescoSaverioZuppichini/ConvNext', 'https://avoid.overfit.cn/post/1fd17e7520134996b532ecd50de9672f'];
function articleLinks(name) {
    const step = STEPS.find(s => s.name === name), section = step.section[lang()];
    return h('p.links',
        section && h('a', { href: ARTICLE[lang()], rel: 'noreferrer' }, t('article', section)),
        h('a', { href: lessonOf(name) }, t('lesson')),
        h('a', { href: address({ view: 'size', step: name }) }, t('changeSizes')));
}
