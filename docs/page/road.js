// The whole road: every step's parameters and MACs, counted by its program, and what it reached.
'use strict';

VIEWS.push({
    name: 'road',
    defaults: { preset: 'paper' },
    async show(root) {
        const late = stale(), preset = state.preset;
        const table = h('table.road', h('thead', h('tr', ['step', 'parameters', 'macs', 'measured', ''].map((key, i) =>
            h('th', { scope: 'col', class: i === 0 || i === 4 ? null : 'bars' }, key && t(key))))), h('tbody'));
        root.append(h('div.controls', choice(t('preset'), ['paper', 'article', 'small'].map(p => [p, t('preset_' + p)]), preset,
            value => change({ preset: value }))), h('div.scroll', table), h('p.note', t('measuredNote')));
        showCommand(`for step in build/0* build/1[01]*; do $step report --format tsv ${presetWords('', preset).join(' ')} | tail -n 1; done`.replace('  ', ' '));
        const rows = STEPS.map((step, i) => {
            const cells = [0, 1].map(() => h('td.bars'));
            const before = i > 0 ? STEPS[i - 1].name : null;
            const row = h('tr', h('th', { scope: 'row' }, h('a', { href: lessonOf(step.name) },
                h('span.number', step.number), ' ', step.title[lang()].split(/[:：]/)[0])), cells,
                h('td.bars', step.accuracy ? bar((step.accuracy - 85) / 8, step.accuracy.toFixed(2) + '%', 'accuracy') : h('span.none', '–')),
                h('td', before && h('a', { href: address({ view: 'compare', from: before, to: step.name }) }, t('whatChanged'))));
            table.tBodies[0].append(row);
            return cells;
        });
        const found = [];
        for (const [i, step] of STEPS.entries()) {
            const text = await ask(step.name, ['report', '--format', 'json', ...presetWords(step.name, preset)]);
            if (late()) return;
            const report = JSON.parse(text.out);
            found[i] = [report.parameters, report.macs];
            const most = [0, 1].map(k => Math.max(...found.filter(f => f).map(f => f[k])));
            for (const [j, figures] of found.entries())
                if (figures) rows[j].forEach((cell, k) => fill(cell, bar(figures[k] / most[k], short(figures[k]))));
        }
        root.dataset.done = 'yes';
    },
});

const bar = (share, text, kind = '') => h('span.bar' + (kind && '.' + kind), { style: `--share:${Math.max(0, Math.min(1, share)).toFixed(4)}` }, h('span', text));
// The published networks have sizes of their own in place of the article's and the paper's.
const presetWords = (step, preset) => preset === 'article' || (preset === 'paper' && /^1[23]/.test(step)) ? [] : ['--preset', preset];
const lessonOf = name => `docs/${lang() ? 'zh/' : ''}${name}.html`;
