// Two steps trained at the same time, each by its program in a worker of its own. Stop kills it, go on
// starts it again with --resume: it ends with the bytes that it would have had.
'use strict';

const race = { runs: [], key: '' }; // goes on while the reader looks at another view

VIEWS.push({
    name: 'train',
    defaults: { a: '00_resnet', b: '09_layer_norm', data: 'shapes', limit: '1024', epochs: '6', lr: '4e-3', batch: '32' },
    show(root) {
        const { a, b, data } = state;
        const board = h('div.race', { 'aria-live': 'off' }), buttons = h('div.controls'), said = h('p.note', { role: 'status' });
        const number = (key, label, attributes) => labelled(t(label), h('input', { type: 'number', value: state[key], ...attributes, onchange: event => change({ [key]: event.target.value }) }));
        root.append(h('div.controls',
            stepChoice(t('network') + ' A', a, value => change({ a: value })), stepChoice(t('network') + ' B', b, value => change({ b: value })),
            choice(t('data'), [['shapes', t('shapes')], ['fashion-mnist', t('fashion')]], data, value => change({ data: value, limit: value === 'shapes' ? '1024' : '1000' })),
            number('limit', 'limit', { min: 32, max: 60000, step: 32 }), number('epochs', 'epochs', { min: 1, max: 200 }), number('batch', 'batchSize', { min: 2, max: 512 }),
            labelled(t('learningRate'), h('input', { value: state.lr, size: 6, inputmode: 'decimal', onchange: event => change({ lr: event.target.value }) }))),
        data === 'fashion-mnist' ? ownFashion(said) : '', buttons, said, board);
        const words = ['train', '--data', data, '--preset', 'small', '--limit', state.limit, '--epochs', state.epochs, '--batch-size', state.batch, '--lr', state.lr];
        showCommand(...[...new Set([a, b])].map(step => commandText(step, [...words, '--out', `runs/${step}`])));

        const controls = () => {
            const running = race.runs.some(run => run.state === 'running'), stopped = race.runs.some(run => run.state === 'stopped');
            fill(buttons,
                h('button.main', { type: 'button', disabled: running, onclick: () => {
                    race.runs = [...new Set([a, b])].map((step, i) => new RaceRun(step, words, i));
                    race.runs.forEach(run => run.start());
                    controls();
                } }, t('start')),
                h('button', { type: 'button', disabled: !running, onclick: () => {
                    race.runs.forEach(run => run.stop());
                    controls();
                } }, t('stop')),
                h('button', { type: 'button', disabled: !stopped, onclick: () => {
                    race.runs.filter(run => run.state === 'stopped').forEach(run => run.start());
                    controls();
                } }, t('goOn')));
            root.dataset.done = !running && race.runs.length && race.runs.every(run => run.state === 'done' || run.state === 'failed') ? 'yes' : 'no';
        };
        race.changed = () => {
            fill(board, raceBoard());
            controls();
        };
        race.changed();
    },
});

class RaceRun {
    constructor(step, words, number) {
        Object.assign(this, { step, number, words: [...words, '--out', `runs/${step}`], epochs: [], files: {}, state: 'running', last: '', seconds: 0 });
    }
    async start() {
        this.state = 'running';
        this.client = new DeskClient();
        const saved = `runs/${this.step}/last.safetensors` in this.files; // else it begins again
        if (!saved) this.files = {};
        const put = { ...this.files, ...(this.words.includes('fashion-mnist') ? fashionFiles : {}) };
        const began = performance.now(), before = this.seconds;
        const clock = () => this.seconds = before + (performance.now() - began) / 1000;
        race.changed();
        const result = await this.client.run([program(this.step), ...this.words, ...(saved ? ['--resume'] : [])], { put, watch: part => {
            clock();
            if (part.path) this.files[part.path] = part.bytes;
            else this.hear(part.say);
            race.changed();
        } });
        this.client.end();
        this.state = result.status === 0 ? 'done' : 'failed';
        clock();
        if (result.status !== 0) this.last = result.err.trim() || t('ended', result.status);
        race.changed();
    }
    hear(text) {
        for (const line of text.split('\n').filter(l => l)) {
            const epoch = /^epoch (\d+)\/(\d+): loss ([\d.]+), held out: loss ([\d.]+), top-1 ([\d.]+)/.exec(line);
            if (epoch) {
                const [, number, , loss, heldLoss, top1] = epoch.map(Number);
                this.epochs = this.epochs.filter(e => e.number < number).concat({ number, loss, heldLoss, top1, seconds: this.seconds });
            }
            if (line.startsWith('test set')) this.tested = line;
            this.last = line;
        }
    }
    stop() {
        if (this.state !== 'running') return;
        this.client.end();
        this.state = 'stopped';
        race.changed();
    }
}

function raceBoard() {
    if (!race.runs.length) return [h('p.note', t('raceNote'))];
    const width = 640, height = 300, left = 44, bottom = 34, all = race.runs.flatMap(run => run.epochs);
    const most = Math.max(...race.runs.map(run => +run.words[run.words.indexOf('--epochs') + 1]), 1);
    const x = n => left + (width - left - 12) * n / most, y = percent => 10 + (height - bottom - 10) * (1 - percent / 100);
    const lines = race.runs.map(run => {
        const points = run.epochs.map(e => `${x(e.number).toFixed(1)},${y(e.top1).toFixed(1)}`);
        return `<polyline class="run${run.number}" points="${points.join(' ')}"/>` + points.map(p => `<circle class="run${run.number}" cx="${p.split(',')[0]}" cy="${p.split(',')[1]}" r="3"/>`).join('');
    });
    const plot = h('div.plot');
    plot.innerHTML = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${t('heldOut')}">` +
        [0, 25, 50, 75, 90, 100].map(v => `<line class="${v === 90 ? 'goal' : 'rule'}" x1="${left}" x2="${width - 12}" y1="${y(v)}" y2="${y(v)}"/><text x="${left - 8}" y="${y(v) + 4}" text-anchor="end">${v}%</text>`).join('') +
        `<text x="${left}" y="${height - 8}">${t('epoch')} 0</text><text x="${width - 12}" y="${height - 8}" text-anchor="end">${most}</text>` + lines.join('') + '</svg>';
    const row = run => {
        const last = run.epochs[run.epochs.length - 1], best = run.files[`runs/${run.step}/best.safetensors`];
        return h('tr', { 'data-step': run.step }, h('th', { scope: 'row' }, h('span.key.run' + run.number), ' ', stepTitle(run.step)),
            h('td.number', last ? `${last.number}` : '0'), h('td.number', last ? last.loss.toFixed(3) : '–'), h('td.number.top1', last ? last.top1.toFixed(1) + '%' : '–'),
            h('td.number', run.seconds.toFixed(0) + ' s'), h('td', t('run_' + run.state)),
            h('td', best && h('a.button', { href: URL.createObjectURL(new Blob([best])), download: `${run.step}.safetensors` }, t('download'))));
    };
    const done = race.runs.some(run => run.state === 'done');
    return [plot, h('div.scroll', h('table', h('thead', h('tr', ['step', 'epoch', 'loss', 'heldOut', 'time', 'status', ''].map(key => h('th', { scope: 'col', class: ['epoch', 'loss', 'heldOut', 'time'].includes(key) ? 'number' : null }, key && t(key))))), h('tbody', race.runs.map(row)))),
        ...race.runs.filter(run => run.state === 'failed').map(run => h('p.error', { role: 'alert' }, run.last)),
        done && h('div', h('pre.code.said', race.runs.filter(run => run.tested).map(run => `${run.step}: ${run.tested}\n${' '.repeat(run.step.length)}  ${run.last}\n`)), h('p.note', t('pytorch')),
            h('pre.code', 'from safetensors.torch import load_file\n', `net.load_state_dict(load_file("${race.runs[0].step}.safetensors"), strict=False)  # num_batches_tracked is not in it`))];
}

// --- the reader's Fashion-MNIST ---

let fashionFiles = {};
function ownFashion(said) {
    return h('label.file', h('span', t('fashionFiles')), h('input', { type: 'file', multiple: true, onchange: async event => {
        for (const file of event.target.files) {
            const gz = file.name.endsWith('.gz');
            const stream = gz ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
            try {
                fashionFiles['data/fashion-mnist/' + file.name.replace(/\.gz$/, '')] = new Uint8Array(await new Response(stream).arrayBuffer());
            } catch {
                said.textContent = t('badFile', file.name);
                return;
            }
        }
        said.textContent = t('filesThere', Object.keys(fashionFiles).length);
    } }));
}
