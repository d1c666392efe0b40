// A file system in memory, and as much of WASI (preview 1) as the programs call: they run in a page, in
// a worker or under node as they run in a terminal. Nothing here knows what they compute.
'use strict';

const ERRNO = { badf: 8, exist: 20, inval: 28, isdir: 31, noent: 44, notdir: 54, notempty: 55 };
const KIND = { unknown: 0, folder: 3, file: 4 };

class FileNode {
    static count = 0;
    constructor(folder) {
        this.folder = folder;
        this.id = ++FileNode.count;
        this.bytes = new Uint8Array(0);
        this.size = 0;
        this.time = Date.now();
    }
    write(at, bytes) {
        const end = at + bytes.length;
        if (end > this.bytes.length) {
            const more = new Uint8Array(Math.max(end, 2 * this.bytes.length, 4096));
            more.set(this.bytes.subarray(0, this.size));
            this.bytes = more;
        }
        this.bytes.set(bytes, at);
        this.size = Math.max(this.size, end);
        this.time = Date.now();
    }
    get data() {
        return this.bytes.subarray(0, this.size);
    }
}

// Paths have no slash at either end; the root is ''.
class Files {
    constructor() {
        this.nodes = new Map([['', new FileNode(true)]]);
        this.renamed = null; // called with a path when a file took its final name
    }
    static clean(path) {
        const parts = [];
        for (const part of path.split('/'))
            if (part === '..') parts.pop();
            else if (part && part !== '.') parts.push(part);
        return parts.join('/');
    }
    get(path) {
        return this.nodes.get(Files.clean(path));
    }
    folder(path) { // makes it, with those above it
        const parts = Files.clean(path).split('/');
        for (let i = 1; i <= parts.length; i++) {
            const at = parts.slice(0, i).join('/');
            if (!this.nodes.has(at)) this.nodes.set(at, new FileNode(true));
        }
    }
    put(path, bytes) {
        const at = Files.clean(path), node = new FileNode(false);
        this.folder(at.split('/').slice(0, -1).join('/'));
        node.bytes = bytes;
        node.size = bytes.length;
        this.nodes.set(at, node);
    }
    read(path) { // null where there is no such file
        const node = this.get(path);
        return node && !node.folder ? node.data : null;
    }
    list(path) { // the names in a folder
        const in_ = Files.clean(path), start = in_ ? in_ + '/' : '';
        return [...this.nodes.keys()].filter(
            at => at && at.startsWith(start) && !at.slice(start.length).includes('/')
        ).map(at => at.slice(start.length));
    }
    remove(path) {
        const at = Files.clean(path);
        for (const key of [...this.nodes.keys()])
            if (key === at || key.startsWith(at + '/')) this.nodes.delete(key);
    }
}

class Exit {
    constructor(status) {
        this.status = status;
    }
}

const encoder = new TextEncoder(), decoder = new TextDecoder();

function joined(chunks) {
    const all = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
    let at = 0;
    for (const chunk of chunks) {
        all.set(chunk, at);
        at += chunk.length;
    }
    return all;
}

// Runs argv to its end; returns { status, out, err }, the latter two as bytes. say(fd, text) hears them
// as they come. What say or files.renamed throws ends the program there and then, as kill -9 would.
function wasiRun(module, files, argv, say) {
    let memory;
    const printed = { 1: [], 2: [] };
    const open = [null, null, null, { path: '', node: files.get(''), at: 0 }];
    let taken = { out: new Uint8Array(0), err: new Uint8Array(0) };
    const view = () => new DataView(memory.buffer);
    const bytes = (at, length) => new Uint8Array(memory.buffer, at, length);
    const text = (at, length) => decoder.decode(bytes(at, length).slice());
    const path = (fd, at, length) => Files.clean((open[fd] ? open[fd].path : '') + '/' + text(at, length));
    const u32 = (at, value) => view().setUint32(at, value, true);
    const u64 = (at, value) => view().setBigUint64(at, BigInt(value), true);

    const words = (list, pointers, at) => {
        for (const word of list) {
            u32(pointers, at);
            pointers += 4;
            const encoded = encoder.encode(word + '\0');
            bytes(at, encoded.length).set(encoded);
            at += encoded.length;
        }
        return 0;
    };
    const wordSizes = (list, count, size) => {
        u32(count, list.length);
        u32(size, list.reduce((sum, word) => sum + encoder.encode(word).length + 1, 0));
        return 0;
    };
    const vectors = (at, count) => {
        const list = [];
        for (let i = 0; i < count; i++)
            list.push([view().getUint32(at + 8 * i, true), view().getUint32(at + 8 * i + 4, true)]);
        return list;
    };
    const status = (node, at) => {
        bytes(at, 64).fill(0);
        u64(at, 1);
        u64(at + 8, node.id);
        bytes(at + 16, 1)[0] = node.folder ? KIND.folder : KIND.file;
        u64(at + 24, 1);
        u64(at + 32, node.size);
        for (const time of [40, 48, 56]) u64(at + time, BigInt(node.time) * 1000000n);
        return 0;
    };

    const wasi = {
        args_get: (pointers, at) => words(argv, pointers, at),
        args_sizes_get: (count, size) => wordSizes(argv, count, size),
        environ_get: (pointers, at) => words([], pointers, at),
        environ_sizes_get: (count, size) => wordSizes([], count, size),
        clock_time_get(clock, precision, at) {
            const ms = clock === 0 ? Date.now() : performance.now();
            u64(at, BigInt(Math.round(ms * 1e6)));
            return 0;
        },
        sched_yield: () => 0,
        proc_exit(code) {
            throw new Exit(code);
        },
        fd_prestat_get(fd, at) {
            if (fd !== 3) return ERRNO.badf;
            u32(at, 0);
            u32(at + 4, 1);
            return 0;
        },
        fd_prestat_dir_name(fd, at) {
            bytes(at, 1)[0] = 47; // "/"
            return 0;
        },
        fd_fdstat_get(fd, at) {
            if (fd > 2 && !open[fd]) return ERRNO.badf;
            bytes(at, 24).fill(0);
            bytes(at, 1)[0] = fd <= 2 ? KIND.unknown : open[fd].node.folder ? KIND.folder : KIND.file;
            u64(at + 8, 0x1fffffffn);
            u64(at + 16, 0x1fffffffn);
            return 0;
        },
        fd_fdstat_set_flags: () => 0,
        fd_sync: () => 0,
        fd_filestat_get(fd, at) {
            if (fd <= 2) return bytes(at, 64).fill(0), 0;
            return open[fd] ? status(open[fd].node, at) : ERRNO.badf;
        },
        fd_close(fd) {
            if (fd > 2 && !open[fd]) return ERRNO.badf;
            if (fd > 2) open[fd] = undefined;
            return 0;
        },
        fd_read(fd, list, count, at) {
            let sum = 0;
            const from = open[fd];
            if (fd > 2 && !from) return ERRNO.badf;
            if (from && from.node.folder) return ERRNO.isdir;
            for (const [to, length] of from ? vectors(list, count) : []) {
                const part = from.node.bytes.subarray(from.at, Math.min(from.at + length, from.node.size));
                bytes(to, part.length).set(part);
                from.at += part.length;
                sum += part.length;
            }
            u32(at, sum);
            return 0;
        },
        fd_write(fd, list, count, at) {
            let sum = 0;
            if (fd > 2 && !open[fd]) return ERRNO.badf;
            for (const [from, length] of vectors(list, count)) {
                const part = bytes(from, length).slice();
                if (fd <= 2) {
                    printed[fd].push(part);
                    if (say && length) say(fd, decoder.decode(part));
                } else {
                    open[fd].node.write(open[fd].at, part);
                    open[fd].at += length;
                }
                sum += length;
            }
            u32(at, sum);
            return 0;
        },
        fd_seek(fd, offset, whence, at) {
            const file = open[fd];
            if (!file) return ERRNO.badf;
            file.at = Number(offset) + (whence === 1 ? file.at : whence === 2 ? file.node.size : 0);
            u64(at, file.at);
            return 0;
        },
        fd_readdir(fd, at, length, cookie, used) {
            if (!open[fd]) return ERRNO.badf;
            const names = files.list(open[fd].path), end = at + length;
            let to = at;
            for (let i = Number(cookie); i < names.length && to < end; i++) {
                const name = encoder.encode(names[i]), entry = new Uint8Array(24 + name.length);
                const node = files.get(open[fd].path + '/' + names[i]), v = new DataView(entry.buffer);
                v.setBigUint64(0, BigInt(i + 1), true);
                v.setBigUint64(8, BigInt(node.id), true);
                v.setUint32(16, name.length, true);
                entry[20] = node.folder ? KIND.folder : KIND.file;
                entry.set(name, 24);
                const part = entry.subarray(0, end - to);
                bytes(to, part.length).set(part);
                to += part.length;
            }
            u32(used, to - at);
            return 0;
        },
        path_filestat_get(fd, flags, from, length, at) {
            const node = files.get(path(fd, from, length));
            return node ? status(node, at) : ERRNO.noent;
        },
        path_open(fd, lookup, from, length, flags, rights, inheriting, how, at) {
            const name = path(fd, from, length);
            let node = files.get(name);
            if (!node && !(flags & 1)) return ERRNO.noent;
            if (node && flags & 1 && flags & 4) return ERRNO.exist;
            if (node && flags & 2 && !node.folder) return ERRNO.notdir;
            if (!node) {
                const above = files.get(name.split('/').slice(0, -1).join('/'));
                if (!above || !above.folder) return ERRNO.noent;
                node = new FileNode(false);
                files.nodes.set(name, node);
            }
            if (flags & 8) {
                node.bytes = new Uint8Array(0);
                node.size = 0;
            }
            open.push({ path: name, node, at: how & 1 ? node.size : 0 });
            u32(at, open.length - 1);
            return 0;
        },
        path_create_directory(fd, from, length) {
            const name = path(fd, from, length);
            if (files.get(name)) return ERRNO.exist;
            if (!files.get(name.split('/').slice(0, -1).join('/'))) return ERRNO.noent;
            files.nodes.set(name, new FileNode(true));
            return 0;
        },
        path_remove_directory(fd, from, length) {
            const name = path(fd, from, length);
            if (!files.get(name)) return ERRNO.noent;
            if (files.list(name).length) return ERRNO.notempty;
            files.nodes.delete(name);
            return 0;
        },
        path_unlink_file(fd, from, length) {
            return files.nodes.delete(path(fd, from, length)) ? 0 : ERRNO.noent;
        },
        path_rename(fd, from, length, toFd, to, toLength) {
            const before = path(fd, from, length), after = path(toFd, to, toLength);
            const node = files.get(before);
            if (!node) return ERRNO.noent;
            files.nodes.delete(before);
            files.nodes.set(after, node);
            if (files.renamed) files.renamed(after);
            return 0;
        },
    };

    // docs/page/process.c: another program is another instance.
    const page = {
        run(at, length, quiet) {
            const called = text(at, length).split('\0').slice(0, -1);
            if (!files.get(called[0])) return 127;
            taken = wasiRun(module, files, called, quiet ? null : (fd, t) => fd === 2 && say && say(2, t));
            return taken.status;
        },
        printed: errors => (errors ? taken.err : taken.out).length,
        take(errors, at) {
            const from = errors ? taken.err : taken.out;
            bytes(at, from.length).set(from);
        },
    };

    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi, page });
    memory = instance.exports.memory;
    let code = 0;
    try {
        instance.exports._start();
    } catch (end) {
        if (!(end instanceof Exit)) throw end;
        code = end.status;
    }
    return { status: code, out: joined(printed[1]), err: joined(printed[2]) };
}
