// The page's way to the programs: compiles the module, finds it a worker, and sends it calls.
'use strict';

const $ = id => document.getElementById(id);
const STEPS = $('steps').textContent.trim().split('\n').map(line => {
    const [name, en, zh, section, accuracy, exercise, exerciseZh] = line.split('\t');
    const [sectionZh, sectionEn] = (section || '').split(' / ');
    return { name, number: name.slice(0, 2), title: [en, zh], section: [sectionEn || sectionZh, sectionZh], accuracy: +accuracy, exercise: [exercise, exerciseZh] };
});
const CODE = name => $('code-' + name).textContent.replace(/^\n/, '');

const fromBase64 = text => {
    const raw = atob(text.trim()), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return bytes;
};

// A file beside the page that sets a variable: scripts may be loaded from file://, where fetch may not.
const loaded = new Map();
function loadScript(path) {
    if (!loaded.has(path))
        loaded.set(path, new Promise((good, bad) => {
            const script = document.createElement('script');
            script.src = path;
            script.onload = () => good();
            script.onerror = () => {
                loaded.delete(path);
                bad(new Error(t('missing', path)));
            };
            document.head.append(script);
        }));
    return loaded.get(path);
}

const FILES = {}; // the scripts beside the page set them, as base64
async function fileBeside(path, name) {
    await loadScript(`weights/${name}.js`);
    if (typeof FILES[path] === 'string') FILES[path] = fromBase64(FILES[path]);
    return FILES[path];
}

// A function with one instruction of SIMD, v128.const.
const hasSimd = () => WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123,
    3, 2, 1, 0, 10, 22, 1, 20, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]));

const engine = { module: null, simd: true, workers: true };
var SCALAR_MODULE; // scalar.js sets it

async function startEngine() {
    if (typeof WebAssembly !== 'object') throw new Error(t('noWasm'));
    engine.simd = hasSimd() && !/[?&]simd=0/.test(location.search);
    if (!engine.simd) await loadScript('scalar.js');
    engine.module = await WebAssembly.compile(fromBase64(engine.simd ? $('module').textContent : SCALAR_MODULE));
    $('module').textContent = '';
    try {
        if (/[?&]workers=0/.test(location.search)) throw new Error();
        new DeskClient().end();
    } catch {
        engine.workers = false;
    }
}

// A desk, asked in order. A call in a slot replaces one that waits in the same slot; that one never ends.
class DeskClient {
    constructor() {
        this.waiting = [];
        this.current = null;
        const steps = [...STEPS.map(step => step.name), ...Object.keys(EDITS)];
        if (engine.workers) {
            const source = [$('wasi').textContent, $('desk').textContent, 'deskInWorker();'].join('\n');
            const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
            this.worker = new Worker(url);
            this.worker.onmessage = ({ data }) => data.part ? this.part(data.part) : this.done(data.done);
            this.worker.onerror = event => this.done({ status: 1, out: '', err: event.message, files: {}, broken: true });
            this.worker.postMessage({ module: engine.module, steps });
            URL.revokeObjectURL(url);
        } else this.desk = new Desk(engine.module, steps);
    }
    run(argv, options = {}) {
        return new Promise(answer => {
            const call = { argv, ...options, answer };
            const at = call.slot ? this.waiting.findIndex(w => w.slot === call.slot) : -1;
            if (at >= 0) this.waiting.splice(at, 1, call);
            else this.waiting.push(call);
            this.next();
        });
    }
    put(files) {
        return this.run(null, { put: files });
    }
    next() {
        if (this.current || !this.waiting.length) return;
        this.current = this.waiting.shift();
        const { argv, put, take, watch } = this.current;
        const call = { argv, put, take, watch: !!watch, pause: !!watch && !this.worker };
        if (this.worker) this.worker.postMessage(call);
        else setTimeout(() => this.desk && this.done(this.desk.answer(call, part => this.part(part))), 30);
    }
    part(part) {
        if (this.current && this.current.watch) this.current.watch(part);
    }
    done(result) {
        const call = this.current;
        this.current = null;
        if (result.paused) { // goes on after the page has been drawn
            const argv = call.argv.includes('--resume') ? call.argv : [...call.argv, '--resume'];
            this.waiting.unshift({ ...call, argv, put: {} });
        } else if (call) call.answer(result);
        this.next();
    }
    end() {
        if (this.worker) this.worker.terminate();
        this.desk = null;
        this.waiting = [];
    }
}

// The one that answers what a reader asks by moving and clicking; training has its own.
let desk;
const program = step => 'build/' + step;
async function ask(step, words, options = {}) {
    const result = await desk.run([program(step), ...words], options);
    if (result.status !== 0) throw new Error(result.err.trim() || t('ended', result.status));
    return result;
}
