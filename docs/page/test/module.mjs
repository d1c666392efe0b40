// module.mjs LADDER.wasm NATIVE STEP…: what the module prints and writes for report, keys, forward,
// gradient, fit and train is, byte for byte, what the programs of make PORTABLE=1 in NATIVE do.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';

const [wasm, native, ...steps] = process.argv.slice(2);
const { Files, wasiRun } = new Function(readFileSync('docs/page/wasi.js', 'utf8') + '; return { Files, wasiRun };')();
const module = new WebAssembly.Module(readFileSync(wasm));
const folder = mkdtempSync(tmpdir() + '/page-');
let compared = 0, differ = 0;

function files() {
    const all = new Files();
    for (const step of steps) all.put(`${native}/${step}`, new Uint8Array(1));
    all.folder(folder);
    return all;
}
function same(what, ours, theirs) {
    compared++;
    if (Buffer.compare(Buffer.from(ours), theirs)) {
        differ++;
        console.error(`${what}: differs`);
    }
}
function both(step, words, reads, writes) {
    const memory = files();
    for (const path of reads) memory.put(path, readFileSync(path));
    const ours = wasiRun(module, memory, [`${native}/${step}`, ...words]);
    if (ours.status) throw new Error(`${step} ${words.join(' ')}: ${Buffer.from(ours.err)}`);
    const theirs = execFileSync(`${native}/${step}`, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    if (words[0] !== 'train') same(`${step} ${words.join(' ')}`, ours.out, theirs); // which prints seconds
    for (const path of writes) same(`${step} ${words[0]}, ${path}`, memory.read(path), readFileSync(path));
}
for (const step of steps) {
    const data = `tests/data/steps/${step}`, out = `${folder}/out`;
    both(step, ['report', '--format', 'tsv'], [], []);
    both(step, ['keys'], [], []);
    let config;
    try {
        config = readFileSync(`${data}/config.txt`, 'utf8').trim().split(/\s+/);
    } catch {
        continue; // a step of the reader's own
    }
    const reads = [`${data}/weights.safetensors`, `${data}/batch.safetensors`];
    const given = [...config, '--weights', reads[0], '--batch', reads[1], '--output', out];
    both(step, ['forward', ...given], reads, [out]);
    both(step, ['gradient', ...given], reads, [out]);
    both(step, ['fit', ...given, '--steps', '2', '--lr', '1e-3', '--weight-decay', '0.05'], reads, [out]);
}
both(steps.find(step => step.startsWith('05')) || steps[0], ['train', '--data', 'shapes', '--limit', '64', '--epochs', '1', '--batch-size', '16', '--out', `${folder}/run`],
    [], [`${folder}/run/best.safetensors`]);
rmSync(folder, { recursive: true });
console.log(`module: ${compared} outputs of ${steps.length} steps, ${differ} differ from make PORTABLE=1`);
process.exitCode = differ || !compared ? 1 : 0;
