// Two steps trained at the same time, each by its program in a worker of its own. Stop kills it, go on
// starts it again with --resume: it ends with the bytes that it would have had.
'use strict';

const race = { runs: [], key: '' }; // goes on while the reader looks at another view

VIEWS.push({
    name: 'train',
    defaults: { a: '00_resnet', b: '09_layer_norm', data: 'shapes', limit: '1024', epochs: '6', lr: '4e-3', batch: '32' },
    show(root) {
        const { a, b, data } = state;
        const board = h('div.race', { 'aria-live': 'off' }), buttons = h('div.controls'), said = h('p.note', { role: 'status' }), lacking = () => data === 'fashion-mnist' && !fashion.good;
        const number = (key, label, attributes) => labelled(t(label), h('input', { type: 'number', value: state[key], ...attributes, onchange: event => change({ [key]: event.target.value }) }));
        root.append(h('div.controls',
            stepChoice(t('network') + ' A', a, value => change({ a: value })), stepChoice(t('network') + ' B', b, value => change({ b: value })),
            choice(t('data'), [['shapes', t('shapes')], ['fashion-mnist', t('fashion')]], data, value => change({ data: value, limit: value === 'shapes' ? '1024' : '1000' })),
            number('limit', 'limit', { min: 32, max: 60000, step: 32 }), number('epochs', 'epochs', { min: 1, max: 200 }), number('batch', 'batchSize', { min: 2, max: 512 }),
            labelled(t('learningRate'), h('input', { value: state.lr, size: 6, inputmode: 'decimal', onchange: event => change({ lr: event.target.value }) }))),
        data === 'fashion-mnist' ? ownFashion(() => controls()) : '', buttons, said, board);
        const words = ['train', '--data', data, '--preset', 'small', '--limit', state.limit, '--epochs', state.epochs, '--batch-size', state.batch, '--lr', state.lr];
        showCommand(...[...new Set([a, b])].map(step => commandText(step, [...words, '--out', `runs/${step}`])));

        const controls = () => {
            const running = race.runs.some(run => run.state === 'running'), stopped = race.runs.some(run => run.state === 'stopped');
            fill(buttons,
                h('button.main', { type: 'button', disabled: running || lacking(), onclick: () => {
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
        delete trainedHere[this.step];
        const saved = `runs/${this.step}/last.safetensors` in this.files; // else it begins again
        if (!saved) this.files = {};
        const put = { ...this.files, ...(this.words.includes('fashion-mnist') ? fashion.files : {}) };
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
        else trainedHere[this.step] = this.files[`runs/${this.step}/best.safetensors`];
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
        const last = run.epochs[run.epochs.length - 1], best = blobOf('weights' + run.number, run.files[`runs/${run.step}/best.safetensors`]);
        return h('tr', { 'data-step': run.step }, h('th', { scope: 'row' }, h('span.key.run' + run.number), ' ', stepTitle(run.step)),
            h('td.number', last ? `${last.number}` : '0'), h('td.number', last ? last.loss.toFixed(3) : '–'), h('td.number.top1', last ? last.top1.toFixed(1) + '%' : '–'),
            h('td.number', run.seconds.toFixed(0) + ' s'), h('td', t('run_' + run.state)),
            h('td', best && h('a.button', { href: best, download: `${run.step}.safetensors` }, t('download'))));
    };
    const doneSteps = race.runs.filter(run => run.state === 'done').map(run => run.step), done = doneSteps.length > 0;
    return [plot, h('div.scroll', h('table', h('thead', h('tr', ['step', 'epoch', 'loss', 'heldOut', 'time', 'status', ''].map(key => h('th', { scope: 'col', class: ['epoch', 'loss', 'heldOut', 'time'].includes(key) ? 'number' : null }, key && t(key))))), h('tbody', race.runs.map(row)))),
        ...race.runs.filter(run => run.state === 'failed').map(run => h('p.error', { role: 'alert' }, run.last)),
        done && h('div', h('pre.code.said', race.runs.filter(run => run.tested).map(run => `${run.step}: ${run.tested}\n${' '.repeat(run.step.length)}  ${run.last}\n`)),
            h('p', h('a.button', { href: address({ ...blank(VIEWS.find(v => v.name === 'look')), view: 'look', a: doneSteps[0], b: doneSteps[doneSteps.length - 1] }) }, t('lookInside'))),
            h('p.note', t('useWeights')), doneSteps.map(step => inTerminal(`build/${step} evaluate --weights ${step}.safetensors`,
                `build/${step} export --preset small --pytorch net.py --module`, `python3 -c '${LOADS.replace('STEP', step)}'`)))];
}
// What a file that a page has trained is loaded with.
const LOADS = 'import net; from safetensors.torch import load_file; net.network().load_state_dict(load_file("STEP.safetensors"))';

// --- the reader's Fashion-MNIST ---

const FASHION = ['train-images', 'train-labels', 't10k-images', 't10k-labels'];
const fashion = { files: {}, good: false, said: '' }; // good: the program reads all four
const fashionPath = name => `data/fashion-mnist/${name}-idx${name.endsWith('images') ? 3 : 1}-ubyte`;

function ownFashion(changed) {
    const said = h('p.note', { role: 'status' }), wrong = h('div');
    const say = () => {
        const there = FASHION.filter(name => fashionPath(name) in fashion.files), missing = FASHION.filter(name => !there.includes(name));
        said.textContent = missing.length ? t('filesMissing', missing.join(', ')) : fashion.said;
    };
    say();
    return h('div', h('label.file', h('span', t('fashionFiles')), h('input', { type: 'file', multiple: true, onchange: async event => {
        const faults = [], files = [...event.target.files];
        for (const file of files) {
            const name = FASHION.find(one => file.name.toLowerCase().includes(one));
            if (!name) {
                faults.push(t('notOfFour', file.name));
                continue;
            }
            try {
                fashion.files[fashionPath(name)] = await unpacked(file);
            } catch {
                faults.push(t('badFile', file.name));
            }
        }
        fashion.good = false;
        if (FASHION.every(name => fashionPath(name) in fashion.files)) { // what the program says of them
            said.textContent = t('running');
            const client = new DeskClient(), { status, out, err } = await client.run([program(state.a), 'data', 'fashion-mnist'], { put: fashion.files });
            client.end();
            fashion.good = status === 0;
            fashion.said = out.split('\n')[0];
            if (status !== 0) {
                faults.push(err.trim());
                for (const path of Object.keys(fashion.files)) if (err.includes(path)) delete fashion.files[path];
            }
        }
        fill(wrong, faults.map(fault => h('p.error', { role: 'alert' }, fault)));
        event.target.value = '';
        say();
        changed();
    } })), said, wrong);
}

// A file as it is or, where its first bytes are gzip's, what it holds.
async function unpacked(file) {
    const [a, b] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    const stream = a === 31 && b === 139 ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
    return new Uint8Array(await new Response(stream).arrayBuffer());
}
