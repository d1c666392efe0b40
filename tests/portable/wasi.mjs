// wasi.mjs PROGRAM WORDS…: runs a program for wasm32-wasi, whose root is this folder, under node.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: words, preopens: { '/': '.' } });
const imports = wasi.getImportObject(), system = imports.wasi_snapshot_preview1;
// Called straight from WebAssembly (V8's fast calls), node 20's own functions lose what the garbage
// collector moves, and node crashes at the program's exit.
for (const [name, call] of Object.entries(system))
    system[name] = (...values) => call(...values);
const program = await WebAssembly.compile(readFileSync(words[0]));
process.exitCode = wasi.start(await WebAssembly.instantiate(program, imports));
