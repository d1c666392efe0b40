// Who runs the programs: a desk has a file system and answers one call after the other. It stands in a
// worker or, where there is none, in the page itself.
'use strict';

class Paused {}

class Desk {
    constructor(module, steps) {
        this.module = module;
        this.files = new Files();
        for (const step of steps) this.files.put('build/' + step, new Uint8Array(1));
        this.files.folder('runs');
        this.files.folder('data');
    }
    // call: { argv, put: { path: bytes }, take: [path], watch, pause }. watch: post hears what is printed
    // and of the files written as it happens. pause: the program is killed, as by kill -9, once it has
    // saved a checkpoint; it goes on with --resume.
    answer(call, post) {
        for (const [path, bytes] of Object.entries(call.put || {})) this.files.put(path, bytes);
        if (!call.argv) return {};
        const say = call.watch ? (fd, text) => post({ say: text, fd }) : null;
        this.files.renamed = path => {
            if (call.watch) post({ path, bytes: this.files.read(path).slice() });
            if (call.pause && path.endsWith('/last.safetensors')) throw new Paused();
        };
        try {
            const { status, out, err } = wasiRun(this.module, this.files, call.argv, say);
            const files = {};
            for (const path of call.take || []) {
                const bytes = this.files.read(path);
                if (bytes) files[path] = bytes.slice();
            }
            return { status, out: decoder.decode(out), err: decoder.decode(err), files };
        } catch (end) {
            if (end instanceof Paused) return { status: -1, out: '', err: '', files: {}, paused: true };
            return { status: 1, out: '', err: String(end && end.message || end), files: {}, broken: true };
        }
    }
}

// In a worker: the first message brings module and steps, the others are calls.
function deskInWorker() {
    let desk;
    self.onmessage = ({ data }) => {
        if (data.module) desk = new Desk(data.module, data.steps);
        else self.postMessage({ id: data.id, done: desk.answer(data, part => self.postMessage({ id: data.id, part })) });
    };
}
