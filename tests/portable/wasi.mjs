// wasi.mjs PROGRAM WORDS…: runs a program for wasm32-wasi, whose root is this folder, under node.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: words, preopens: { '/': '.' } });
const program = await WebAssembly.compile(readFileSync(words[0]));
process.exitCode = wasi.start(await WebAssembly.instantiate(program, wasi.getImportObject()));
