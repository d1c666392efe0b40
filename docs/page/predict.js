// Predict before you see: a question of each lesson, answered by the program.
'use strict';

const parametersOf = text => JSON.parse(text).parameters;
const macsOf = text => JSON.parse(text).macs;
const paper = ['report', '--format', 'json', '--preset', 'paper'];
// calls: what answers it, as [step, words]; value: the number in what they print.
const QUESTIONS = [
    { step: '00_resnet', calls: [['00_resnet', ['report', '--format', 'json', '--depths', '3,4,6,3']]], value: ([text]) => parametersOf(text) },
    { step: '01_stage_ratio', calls: [['01_stage_ratio', ['report', '--format', 'json', '--depths', '2,2,6,2']]], value: ([text]) => parametersOf(text) },
    { step: '02_patchify_stem', calls: [['02_patchify_stem', ['report', '--format', 'json', '--part', 'encoder']]], value: ([text]) => +JSON.parse(text).output.split('x').pop() },
    { step: '03_depthwise_conv', calls: [['02_patchify_stem', paper], ['03_depthwise_conv', paper]], value: ([a, b]) => parametersOf(a) - parametersOf(b) },
    { step: '04_inverted_bottleneck', calls: [['04_inverted_bottleneck', ['report', '--format', 'json']], ['04_inverted_bottleneck', paper]], value: ([a, b]) => parametersOf(a) - parametersOf(b) },
    { step: '05_large_kernel', calls: [['13_paper_roadmap', ['report', '--format', 'json', '--row', '8']], ['13_paper_roadmap', ['report', '--format', 'json', '--row', '9']]], value: ([a, b]) => parametersOf(b) - parametersOf(a) },
    { step: '06_gelu', calls: [['05_large_kernel', paper], ['06_gelu', paper]], value: ([a, b]) => parametersOf(b) - parametersOf(a) },
    { step: '07_fewer_activations', calls: [['07_fewer_activations', paper]], value: ([text]) => JSON.parse(text).layers.filter(layer => ['gelu', 'relu'].includes(layer.op)).length },
    { step: '08_fewer_norms', calls: [['07_fewer_activations', paper], ['08_fewer_norms', paper]], value: ([a, b]) => parametersOf(a) - parametersOf(b) },
    { step: '09_layer_norm', calls: [['08_fewer_norms', paper], ['09_layer_norm', paper]], value: ([a, b]) => parametersOf(b) - parametersOf(a) },
    { step: '10_separate_downsampling', calls: [['10_separate_downsampling', ['report', '--format', 'json', '--part', 'encoder']]], value: ([text]) => +JSON.parse(text).output.split('x').pop() },
    { step: '11_drop_path_layer_scale', calls: [['11_drop_path_layer_scale', ['report', '--format', 'json', '--depths', '3,4,6,4']]], value: ([text]) => parametersOf(text) },
    { step: '12_official_convnext', calls: [['12_official_convnext', ['report', '--format', 'json']], ['12_official_convnext', ['report', '--format', 'json', '--variant', 'small']]], value: ([a, b]) => parametersOf(b) - parametersOf(a) },
    { step: '13_paper_roadmap', calls: [['13_paper_roadmap', ['report', '--format', 'json', '--row', '11']], ['13_paper_roadmap', ['report', '--format', 'json', '--row', '12']]], value: ([a, b]) => macsOf(b) - macsOf(a) },
].filter(q => STEPS.some(step => step.name === q.step));

VIEWS.push({
    name: 'predict',
    defaults: { step: '05_large_kernel' },
    show(root) {
        const question = QUESTIONS.find(q => q.step === state.step) || QUESTIONS[0];
        const field = h('input', { id: 'guess', inputmode: 'decimal', autocomplete: 'off', required: true }), answer = h('div.answer', { role: 'status' });
        const list = h('ol.questions', QUESTIONS.map(q => h('li', h('a', { href: address({ step: q.step }), 'aria-current': q === question ? 'true' : null }, h('span.number', q.step.slice(0, 2)), ' ', stepTitle(q.step)))));
        const form = h('form', { onsubmit: async event => {
            event.preventDefault();
            const given = number(field.value);
            if (Number.isNaN(given)) return fill(answer, h('p.error', t('noNumber')));
            fill(answer, h('p.note', t('running')));
            const texts = [];
            try {
                for (const [step, words] of question.calls) texts.push((await ask(step, words)).out);
            } catch (error) {
                return showError(answer, error);
            }
            const right = question.value(texts), near = right === 0 ? given === 0 : Math.abs(given / right - 1);
            const judged = given === right ? 'exact' : right !== 0 && near < 0.1 ? 'close' : 'off';
            fill(answer, h('p.judged.' + judged, t('judged_' + judged)), h('p.figure', { 'data-answer': right }, integer(right)),
                judged === 'off' && right !== 0 && h('p.note', t('factor', (given / right).toPrecision(3))),
                h('p', h('a', { href: lessonOf(question.step) + '#exercises' }, t('why'))));
            showCommand(...question.calls.map(([step, words]) => commandText(step, words)));
            root.dataset.done = 'yes';
        } }, h('label', { for: 'guess' }, t('q_' + question.step.slice(0, 2))), h('div.controls', field, h('button.main', { type: 'submit' }, t('check'))), answer);
        root.append(h('div.columns.reverse', h('div', h('h2', stepTitle(question.step)), form), list));
    },
});
// "26,762,056", "26.8 M", "1.2e6", "190k"
function number(text) {
    const [, digits, unit] = /^\s*([-+−]?[\d.,\s]*\d(?:e\d+)?)\s*([kKmMgG万亿]?)\s*$/.exec(text) || [];
    const scale = { k: 1e3, m: 1e6, g: 1e9, 万: 1e4, 亿: 1e8, '': 1 }[(unit || '').toLowerCase()];
    return digits === undefined ? NaN : Number(digits.replace('−', '-').replace(/[,\s]/g, '')) * scale;
}
