// Predict before you see: each lesson's first exercise, a field for every figure in it; the program answers.
'use strict';

// The steps as the answers edit them: the module has them as try_NN, a terminal as 14_try.
const EDITS = Object.fromEntries($('edits').textContent.trim().split('\n').filter(line => line).map(line => {
    const [number, step, edit] = line.split('\t');
    return ['try_' + number, { step, edit }];
}));

// A call is [step, words, pattern, kind]: what the step prints on the words, those of its lines that
// grep -E finds (kind 'o': only what it finds). A field is { key: its label in words.js, calls, value: its
// figure from what they print, decimals }, or of another kind: 'yes' (yes or no) or 'text'.
const TOTAL = '= total', figure = text => Number(text.replace(/,/g, ''));
const columns = text => text.trim().split('\n').map(line => line.trim().split(/\s+/));
const parameters = text => figure(columns(text).pop().slice(-2)[0]), macs = text => figure(columns(text).pop().pop());
const lines = text => text.split('\n').filter(line => line.trim()).length;
const width = text => +/x(\d+)$/.exec(columns(text)[0].find(word => /^1x/.test(word)))[1];
const sum = numbers => numbers.reduce((all, n) => all + n, 0);
const one = (key, value, step, words, pattern, more) => ({ key, calls: [[step, words, pattern]], value: ([text]) => value(text), ...more });
const testCase = step => ['weights', 'batch'].map(file => `tests/data/steps/${step}/${file}.safetensors`);
const stream = (key, step, layer) => {
    const [weights, batch] = testCase(step);
    const words = ['show', '--weights', weights, ...'--stem 4 --widths 4,8,16,32 --depths 1,2,2,1 --classes 10 --input 3x64x64'.split(' '), '--batch', batch, '--layer', layer];
    return { key, files: { [weights]: `test_${step}_weights`, [batch]: `test_${step}_batch` }, decimals: 2,
        calls: [[step, words, 'minimum']], value: ([text]) => +/minimum ([-\d.]+)/.exec(text)[1] };
};
const rates = (key, step, mean) => ({ key, decimals: 4, calls: [[step, ['report', '--format', 'json', '--drop-path', '0.1'], '"op": "drop_path"|"p": [0-9.]+', 'o']],
    value: ([text]) => {
        const found = [...text.matchAll(/"p": ([\d.]+)/g)].map(([, p]) => +p);
        return mean ? sum(found) / text.split('drop_path').slice(1).length : Math.max(...found);
    } });
const counted = (key, step, op) => one(key, lines, step, [], ` ${op} `);
const statistics = (key, step) => one(key, text => sum(columns(text).map(line => +line[1])), step, ['keys'], 'running');
const ROWS = Array.from({ length: 15 }, (_, i) => i + 1);

const QUESTIONS = {
    '00': [one('f_parameters', parameters, '00_resnet', ['--depths', '3,4,6,3'], TOTAL), one('f_parameters448', parameters, '00_resnet', ['--input', '3x448x448'], TOTAL),
        one('f_macs448', macs, '00_resnet', ['--input', '3x448x448'], TOTAL)],
    '01': [one('f_parameters', parameters, '01_stage_ratio', ['--depths', '3,3,27,3'], TOTAL)],
    '02': [one('f_width8', width, 'try_02', [], '= encoder.stages.3'), one('f_macs8', macs, 'try_02', [], TOTAL),
        one('f_stem226', width, '02_patchify_stem', ['--input', '3x226x226'], '= encoder.stem')],
    '03': [['f_grouped', 'try_03'], ['f_depthwise', '03_depthwise_conv']].map(([key, step]) =>
        one(key, text => sum(columns(text).map(line => figure(line[3]))), step, ['report', '--format', 'tsv'], 'block[.]1[.]0')),
    '04': [{ key: 'f_saved', calls: ['04_inverted_bottleneck', 'try_04'].map(step => [step, ['--preset', 'paper'], TOTAL]), value: ([a, b]) => parameters(a) - parameters(b) }],
    '05': [{ key: 'f_gained', calls: ['05_large_kernel', 'try_05'].map(step => [step, ['--preset', 'paper'], TOTAL]), value: ([a, b]) => parameters(b) - parameters(a) },
        { key: 'f_share', decimals: 1, calls: [['05_large_kernel', ['--preset', 'paper'], 'block.0.0 |= total']], value: ([text]) => {
            const found = columns(text).map(line => figure(line[line.length - 1]));
            return 100 * sum(found.slice(0, -1)) / found[found.length - 1];
        } }],
    '06': [{ key: 'f_loads', kind: 'yes', calls: [['05_large_kernel', ['keys']], ['06_gelu', ['keys']]], value: ([a, b]) => a === b },
        counted('f_gelus', '06_gelu', 'gelu'), counted('f_relus', '06_gelu', 'relu')],
    '07': [counted('f_gelus', '07_fewer_activations', 'gelu'), counted('f_relus', '07_fewer_activations', 'relu'),
        stream('f_minimum06', '06_gelu', 'encoder.stages.2.1.0'), stream('f_minimum07', '07_fewer_activations', 'encoder.stages.2.1.add')],
    '08': [['f_width7', / 1x\d+x\d+x(\d+) and/], ['f_line', /main\.c:(\d+)/]].map(([key, pattern]) => one(key, text => +pattern.exec(text)[1], 'try_08', [], 'shapes differ')).concat(
        statistics('f_running07', '07_fewer_activations'), statistics('f_running08', '08_fewer_norms')),
    '09': [one('f_batch', lines, '09_layer_norm', ['keys'], 'running_mean')],
    '10': [one('f_width10', width, 'try_10', [], '= encoder.stages.3'), one('f_macs10', macs, 'try_10', [], TOTAL),
        { key: 'f_smallest', search: side => ['10_separate_downsampling', ['--input', `3x${side}x${side}`], '= total|too small'] }],
    '11': [one('f_parameters', parameters, '11_drop_path_layer_scale', ['--depths', '3,4,6,4'], TOTAL), rates('f_rate', '11_drop_path_layer_scale'),
        rates('f_mean', '11_drop_path_layer_scale', true), rates('f_rate_paper', '12_official_convnext'), rates('f_mean_paper', '12_official_convnext', true)],
    '12': [['f_depth', 'tiny', 'small'], ['f_widths', 'small', 'base']].map(([key, ...variants]) => ({ key,
        calls: variants.map(variant => ['12_official_convnext', ['--variant', variant], TOTAL]), value: ([a, b]) => parameters(b) - parameters(a) })).concat(
        one('f_macs256', macs, '12_official_convnext', ['--input', '3x256x256'], TOTAL),
        ['official', 'timm', 'torchvision', 'transformers'].map(scheme => one('f_' + scheme, text => text.split('\t')[0], '12_official_convnext', ['keys', '--scheme', scheme], '96x1x7x7', { kind: 'text' }))),
    '13': [{ key: 'f_row', commands: ["build/13_paper_roadmap report --format json | grep -E '\"row\": .*accuracy'",
        `for row in ${ROWS.join(' ')}; do build/13_paper_roadmap --row $row | grep -E 'Against row'; done`], calls: [['13_paper_roadmap', ['report', '--format', 'json'], '"row": .*accuracy'], ...ROWS.map(row => ['13_paper_roadmap', ['--row', row], 'Against row'])],
        value: ([table, ...against]) => {
            const accuracy = [...table.matchAll(/"accuracy": ([\d.]+)/g)].map(([, percent]) => +percent);
            const gains = against.map((text, i) => {
                const [, from, more] = /row (\d+): .* MACs ([-+−]?[\d.]+)%/.exec(text);
                return Number(more.replace('−', '-')) <= 0 ? accuracy[i + 1] - accuracy[+from] : -Infinity;
            });
            return gains.indexOf(Math.max(...gains)) + 1;
        } },
    { key: 'f_same', kind: 'yes', calls: [['12_official_convnext', ['compare', '13:15'], 'Layers']], value: ([text]) => /\b0 added, 0 removed, 0 changed/.test(text) }],
};

// What a call prints, as the command shown does in a terminal.
async function called([step, words, pattern, kind]) {
    const result = await desk.run([program(step), ...words.map(String)]);
    const text = EDITS[step] ? (result.out + result.err).replaceAll(step, '14_try') : result.out + result.err;
    const found = !pattern ? [text.trimEnd()] : kind ? text.match(new RegExp(pattern, 'g')) || [] : text.split('\n').filter(line => new RegExp(pattern).test(line));
    if (result.broken || !found.length || result.status && !pattern) throw new Error(result.err.trim() || t('ended', result.status));
    return found.join('\n') + '\n';
}
// The command that prints in a terminal what a call does.
function callCommand([step, words, pattern, kind]) {
    const edited = EDITS[step], all = /too small|differ/.test(pattern) ? ' 2>&1' : '', grep = pattern ? ` | grep ${kind ? '-o ' : ''}-E ${quoted(pattern)}` : '';
    if (!edited) return commandText(step, words.map(String)) + all + grep;
    return ['mkdir steps/14_try', `sed '${edited.edit}' steps/${edited.step}/main.c > steps/14_try/main.c`, 'make QUIET=1 build/14_try',
        ['build/14_try', ...words].join(' ') + all + grep, 'rm -r steps/14_try build/14_try'].join('\n');
}

async function answerOf(field) {
    for (const [path, file] of Object.entries(field.files || {})) await desk.put({ [path]: await fileBeside(path, file) });
    if (!field.search) {
        const texts = [];
        for (const call of field.calls) texts.push(await called(call));
        return { texts, calls: field.calls, value: field.value(texts) };
    }
    let bad = 0, good = 224; // the smallest side that the program takes
    while (good - bad > 1) {
        const side = bad + good >> 1;
        if (/too small/.test(await called(field.search(side)))) bad = side;
        else good = side;
    }
    const calls = [field.search(bad), field.search(good)], texts = [await called(calls[0]), await called(calls[1])];
    return { texts, calls, value: good };
}

VIEWS.push({
    name: 'predict',
    defaults: { step: '05_large_kernel' },
    show(root) {
        const known = ([step]) => EDITS[step] || STEPS.some(s => s.name === step);
        const asked = STEPS.filter(s => QUESTIONS[s.number] && s.exercise[lang()]);
        const step = asked.find(s => s.name === state.step) || asked[0];
        const list = h('ol.questions', asked.map(s => h('li', h('a', { href: address({ step: s.name }), 'aria-current': s === step ? 'true' : null }, h('span.number', s.number), ' ', stepTitle(s.name)))));
        const said = h('p.note', { role: 'status' });
        const fields = QUESTIONS[step.number].filter(field => (field.calls || [field.search(1)]).every(known)).map((field, i) => {
            const id = 'guess' + i, answer = h('div.answer', { 'aria-live': 'polite' });
            const input = field.kind === 'yes' ? h('select', { id }, [['', '–'], ['yes', t('yes')], ['no', t('no')]].map(([value, text]) => h('option', { value }, text)))
                : h('input', { id, autocomplete: 'off', inputmode: field.kind === 'text' ? 'text' : 'decimal', size: field.kind === 'text' ? 34 : 16 });
            return { field, input, answer, row: h('div.guess', h('label', { for: id }, t(field.key)), input, answer) };
        });
        const check = async ({ field, input, answer }) => {
            const given = field.kind === 'yes' ? input.value === 'yes' : field.kind === 'text' ? input.value.trim() : number(input.value);
            if (Number.isNaN(given)) return fill(answer, h('p.error', { role: 'alert' }, t('noNumber')));
            fill(answer, h('p.note', t('running')));
            try {
                fill(answer, judgement(field, given, await answerOf(field)));
            } catch (error) {
                showError(answer, error);
            }
        };
        const form = h('form', { onsubmit: async event => {
            event.preventDefault();
            const filled = fields.filter(({ input }) => input.value.trim());
            said.textContent = filled.length ? '' : t('fillIn');
            for (const one of filled) await check(one);
            if (filled.length) root.dataset.done = 'yes';
        } }, fields.map(({ row }) => row), h('div.controls', h('button.main', { type: 'submit' }, t('check')), said));
        root.append(h('div.columns.reverse', h('div', h('h2', stepTitle(step.name)), h('p.exercise', inline(step.exercise[lang()])), form,
            h('p.links', h('a', { href: lessonOf(step.name) }, t('lesson')), h('a', { href: lessonOf('answers/' + step.name) }, t('why')))), list));
    },
});

// Markdown's `code` and [links](…) in a line.
const inline = text => text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').split('`').map((part, i) => i % 2 ? h('code', part) : part);

function judgement(field, given, { texts, calls, value }) {
    const right = field.decimals === undefined ? value : +value.toFixed(field.decimals);
    const counts = typeof right === 'number', unit = counts ? 0.5 * 10 ** -(field.decimals || 0) * (1 + 1e-9) : 0;
    const exact = counts ? field.decimals === undefined ? given === right : Math.abs(given - value) <= unit || given === right : given === right;
    const near = counts && right !== 0 && Math.abs(given / right - 1) < 0.1;
    const judged = exact ? 'exact' : near ? 'close' : 'off', most = 8;
    const printed = texts.join('').trimEnd().split('\n').map(line => line.trim().replace(/ {2,}/g, '  '));
    const text = counts ? field.decimals === undefined ? integer(right) : right.toFixed(field.decimals) : field.kind === 'yes' ? t(right ? 'yes' : 'no') : right;
    const commands = field.commands || [...new Set(calls.map(callCommand))];
    return [h('p.judged.' + judged, h('span.figure', { 'data-answer': String(right) }, text), ' ', t(counts ? 'judged_' + judged : exact ? 'judged_yes' : 'judged_no')),
        judged === 'off' && right >= 1000 && given > 0 && h('p.note', t('factor', (given / right).toPrecision(3))),
        h('details', h('summary', t('printed')), h('pre.code', [...printed.slice(0, most), ...(printed.length > most ? [t('moreLines', printed.length - most)] : [])].join('\n')), inTerminal(...commands))];
}
// "26,762,056", "26.8 M", "1.2e6", "190k", "2.4%"
function number(text) {
    const [, digits, unit] = /^\s*([-+−]?[\d.,\s]*\d(?:e-?\d+)?)\s*([kKmMgG万亿%]?)\s*$/.exec(text) || [];
    const scale = { k: 1e3, m: 1e6, g: 1e9, 万: 1e4, 亿: 1e8, '': 1, '%': 1 }[(unit || '').toLowerCase()];
    return digits === undefined ? NaN : Number(digits.replace('−', '-').replace(/[,\s]/g, '')) * scale;
}
