// A step at other sizes: shapes, parameters, MACs and memory follow the sliders.
'use strict';

VIEWS.push({
    name: 'size',
    defaults: { step: '05_large_kernel', preset: 'small', stem: '', widths: '', depths: '', input: '', classes: '', row: '', variant: '' },
    async show(root) {
        const late = stale(), { step, preset } = state;
        const rows = step.startsWith('13'), published = step.startsWith('12');
        const sliders = h('div.sliders'), result = h('div.result', { 'aria-live': 'polite' });
        const none = { stem: '', widths: '', depths: '', input: '', classes: '', row: '', variant: '' };
        root.append(h('div.controls',
            stepChoice(t('step'), step, value => change({ ...none, step: value })),
            !rows && choice(t('preset'), ['small', 'paper', 'article'].map(p => [p, t('preset_' + p)]), preset, value => change({ ...none, preset: value })),
            h('button', { type: 'button', onclick: () => change(none) }, t('reset'))),
        h('div.columns', sliders, result));

        const base = rows || (published && preset !== 'small') ? [] : preset === 'article' ? [] : ['--preset', preset];
        const words = () => ['report', '--format', 'json', ...base,
            ...['row', 'variant', 'stem', 'widths', 'depths', 'classes'].flatMap(key => state[key] ? ['--' + key, state[key]] : []),
            ...(state.input ? ['--input', state.input] : [])];
        const show = async () => {
            showCommand(commandText(step, words().filter(w => w !== '--format' && w !== 'json')));
            try {
                const report = JSON.parse((await ask(step, words(), { slot: 'size' })).out);
                if (late()) return;
                fill(result, sizeResult(report, first));
                root.dataset.done = 'yes';
                return report;
            } catch (error) {
                if (!late()) showError(result, error);
            }
        };
        let first = null;
        try {
            const plain = [...base, ...(state.row ? ['--row', state.row] : []), ...(state.variant ? ['--variant', state.variant] : [])];
            first = JSON.parse((await ask(step, ['report', '--format', 'json', ...plain])).out);
        } catch (error) {
            return showError(result, error);
        }
        if (late()) return;

        const slider = (label, value, [low, high, by], changed) => {
            const output = h('output', String(value));
            return h('label.slider', h('span', label, output), h('input', { type: 'range', 'aria-label': label, min: low, max: high, step: by, value,
                oninput: event => {
                    output.textContent = event.target.value;
                    changed(event.target.value);
                    show();
                } }));
        };
        const four = (key, label, bounds) => {
            const values = (state[key] || first[key].join(',')).split(',');
            return h('fieldset', h('legend', t(key)), values.map((value, i) => slider(t('stage', i + 1), value, bounds(i), now => {
                values[i] = now;
                remember({ [key]: values.join(',') });
            })));
        };
        const [channels, height] = (state.input || first.input.slice(2)).split('x');
        const classes = first.layers[first.layers.length - 1].output.split('x')[1];
        if (rows) sliders.append(slider(t('row'), state.row || first.row, [0, 15, 1], value => remember({ row: value })),
            h('p.note', t('kernelNote')));
        if (published && preset !== 'small') sliders.append(choice(t('variant'), ['tiny', 'small', 'base', 'large', 'xlarge'].map(v => [v, v]), state.variant || 'tiny',
            value => change({ ...none, variant: value })));
        sliders.append(
            slider(t('input'), height, preset === 'small' && !rows ? [4, 128, 4] : [32, 448, 32], value => remember({ input: `${channels}x${value}x${value}` })),
            slider(t('classes'), state.classes || classes, [2, 1000, 1], value => remember({ classes: value })),
            slider(t('stem'), state.stem || first.stem, [8, Math.max(128, first.stem), 8], value => remember({ stem: value })),
            four('widths', t('widths'), i => [8, Math.max(256 << i, first.widths[i]), 8]),
            four('depths', t('depths'), () => [0, 12, 1]));
        show();
    },
});

function sizeResult(report, first) {
    const against = (now, then) => now === then ? '' : ` ${now > then ? '+' : '−'}${Math.abs(100 * (now / then - 1)).toFixed(1)}%`;
    const figures = [['parameters', report.parameters, first.parameters, integer], ['macs', report.macs, first.macs, integer],
        ['inferenceMemory', report.inference_bytes, first.inference_bytes, mebibytes], ['trainingMemory', report.training_bytes, first.training_bytes, mebibytes]];
    const most = key => Math.max(...report.parts.map(part => part[key]), 1);
    return [
        h('dl.figures', figures.map(([key, now, then, text]) => h('div', { 'data-figure': key }, h('dt', t(key)), h('dd', text(now), h('small', against(now, then)))))),
        h('table.parts', h('caption', t('parts')), h('thead', h('tr', ['part', 'shape', 'parameters', 'macs'].map(key => h('th', { scope: 'col' }, t(key))))),
            h('tbody', report.parts.map(part => h('tr', h('th', { scope: 'row' }, part.part), h('td', part.output),
                ...['parameters', 'macs'].map(key => h('td.bars', bar(part[key] / most(key), short(part[key])))))))),
        h('details', h('summary', t('allLayers', report.layers.length)), h('div.scroll', h('table.layers', h('thead', h('tr', ['layer', 'op', 'shape', 'parameters', 'macs'].map(key => h('th', { scope: 'col', class: ['parameters', 'macs'].includes(key) ? 'number' : null }, t(key))))),
            h('tbody', report.layers.map(layer => h('tr', h('th', { scope: 'row' }, layer.name), h('td', layer.op), h('td', layer.output),
                h('td.number', integer(layer.parameters)), h('td.number', integer(layer.macs)))))))),
    ];
}
