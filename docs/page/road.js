// The whole road: every step's parameters, MACs and receptive field, counted by its program, and what it
// reached on the test set, clean or altered.
'use strict';

const ALTERED = {}; // alteration: { step: mean top-1 }, measured in a terminal (results/altered.tsv)
for (const line of $('altered').textContent.trim().split('\n').filter(l => l)) {
    const [alteration, step, top1] = line.split('\t');
    (ALTERED[alteration] = ALTERED[alteration] || {})[step] = +top1;
}

ALTERED.clean = Object.fromEntries(STEPS.filter(step => step.accuracy).map(step => [step.name, step.accuracy]));

VIEWS.push({
    name: 'road',
    defaults: { preset: 'paper', alter: 'clean' },
    async show(root) {
        const late = stale(), { preset, alter } = state, keys = ['parameters', 'macs', 'field'];
        const measured = ALTERED[alter] || {}, top = Object.values(measured);
        const least = Math.floor(Math.min(...top, 100) / 5) * 5 - (alter === 'clean' ? 0 : 5), most = Math.ceil(Math.max(...top, 0));
        const heads = ['step', ...keys, 'measured'].map((key, i) => h('th', { scope: 'col', role: 'columnheader', class: i ? 'bars' : null }, t(key)));
        // A phone shows the table as a grid; without roles it would be none any more.
        const table = h('table.road', { role: 'table' }, h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads)), h('tbody', { role: 'rowgroup' }));
        root.append(h('div.controls', choice(t('preset'), ['paper', 'article', 'small'].map(p => [p, t('preset_' + p)]), preset, value => change({ preset: value })),
            choice(t('testImages'), Object.keys(ALTERED).map(one => [one, alterationName(one)]), alter, value => change({ alter: value }))),
        h('div.scroll', table), h('p.note', t('fieldColumn')), h('p.note', t('measuredNote', least, most)));
        const words = step => ['report', '--format', 'json', ...presetWords(step.name, preset)];
        const alike = [...new Set(STEPS.map(step => words(step).join(' ')))].map(options => [options, STEPS.filter(step => words(step).join(' ') === options).map(step => step.number)]);
        showCommand(...alike.map(([options, numbers]) => `for step in ${numbers.join(' ')}; do build/$\{step}_* ${options} | ${FIELD_COMMAND}; done`));
        const rows = STEPS.map((step, i) => {
            const cells = keys.map(() => h('td.bars', { role: 'cell' }));
            const before = i > 0 ? STEPS[i - 1].name : null, top1 = measured[step.name];
            table.tBodies[0].append(h('tr', { 'data-step': step.name, role: 'row' }, h('th', { scope: 'row', role: 'rowheader' }, h('a', { href: lessonOf(step.name) }, h('span.number', step.number), ' ', stepTitle(step.name)),
                before && h('a.changed', { href: address({ view: 'compare', from: before, to: step.name }), 'aria-label': `${t('whatChanged')}: ${stepTitle(step.name)}` }, t('whatChanged'))), cells,
            h('td.bars', { role: 'cell' }, top1 ? bar((top1 - least) / (most - least), top1.toFixed(2) + '%', 'accuracy') : h('span.none', '–'))));
            return cells;
        });
        const found = [];
        for (const [i, step] of STEPS.entries()) {
            const text = await ask(step.name, words(step));
            if (late()) return;
            const report = JSON.parse(text.out);
            found[i] = [report.parameters, report.macs, receptiveField(report, 2)];
            const largest = keys.map((_, k) => Math.max(...found.filter(f => f).map(f => f[k])));
            for (const [j, figures] of found.entries())
                if (figures) rows[j].forEach((cell, k) => fill(cell, bar(figures[k] / largest[k], k === 2 ? `${figures[k]} px` : short(figures[k]))).title = integer(figures[k]));
        }
        root.dataset.done = 'yes';
    },
});

// The side of the field of a pixel behind that many stages, by kernels and strides (lesson 05); the
// shortcuts see less than the blocks that they pass.
function receptiveField({ layers }, stages) {
    let side = 1, apart = 1;
    for (const layer of layers) {
        const stage = /(?:stages|downsample_layers)\.(\d)/.exec(layer.name);
        if (!layer.kernel || layer.name.includes('shortcut') || (stage && +stage[1] >= stages)) continue;
        side += (layer.kernel - 1) * apart;
        apart *= layer.stride;
    }
    return side;
}

// Parameters, MACs and that side in a terminal.
const FIELD_COMMAND = `awk '/"kernel"/ && !/shortcut|(stages|downsample_layers)[.][2-9]/ { k = s = $0; sub(/.*"kernel": /, "", k); sub(/.*"stride": /, "", s); ` +
    `if (!j) j = r = 1; r += (k - 1) * j; j *= s } /^ "parameters"/ { print $2, $4, r }'`;

const bar = (share, text, kind = '') => h('span.bar' + (kind && '.' + kind), { style: `--share:${Math.max(0, Math.min(1, share)).toFixed(4)}` }, h('span', text));
// The published networks have sizes of their own in place of the article's and the paper's.
const presetWords = (step, preset) => preset === 'article' || (preset === 'paper' && /^1[23]/.test(step)) ? [] : ['--preset', preset];
const lessonOf = name => `docs/${lang() ? 'zh/' : ''}${name}.html`;
