// A headless Chromium with one page, for the tests beside this file: node TEST PAGE BUILD. CHROMIUM names
// another browser. It is spoken to through a pipe, in its DevTools protocol.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

export const [page, build] = process.argv.slice(2).map(path => resolve(path));
const profile = mkdtempSync(tmpdir() + '/chromium-');
const chromium = spawn(process.env.CHROMIUM || 'chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'],
{ stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });

let last = 0, rest = '', session;
const waiting = new Map();
export const seen = { requests: [], errors: [] };
chromium.stdio[4].on('data', bytes => {
    const parts = (rest + bytes).split('\0');
    rest = parts.pop();
    for (const message of parts.map(part => JSON.parse(part))) {
        if (message.id) waiting.get(message.id)(message);
        if (message.method === 'Network.requestWillBeSent') seen.requests.push(message.params.request.url);
        if (message.method === 'Runtime.exceptionThrown') seen.errors.push(message.params.exceptionDetails.exception?.description || message.params.exceptionDetails.text);
    }
});
export const send = (method, params = {}) => new Promise((good, bad) => {
    waiting.set(++last, message => message.error ? bad(new Error(`${method}: ${message.error.message}`)) : good(message.result));
    chromium.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId: session }) + '\0');
});
export const value = async expression => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(expression + ': ' + exceptionDetails.exception.description);
    return result.value;
};
export const sleep = ms => new Promise(done => setTimeout(done, ms));
export async function until(expression, seconds = 120) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
        const now = await value(expression).catch(() => null); // while a page loads, there is none
        if (now) return now;
    }
    throw new Error('waited in vain for ' + expression);
}
export const open = async (hash, query = '') => {
    await send('Page.navigate', { url: 'about:blank' });
    await until('location.href === "about:blank"');
    await send('Page.navigate', { url: `file://${page}/index.html${query}#${hash}` });
};
export const done = seconds => until('document.querySelector("[data-done=yes]") && true', seconds);

let checks = 0, bad = 0;
export function check(what, good, more = '') {
    checks++;
    if (!good) {
        bad++;
        console.error(`${what}: wrong ${more}`);
    }
}
export const program = (step, ...words) => execFileSync(`${build}/${step}`, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

// Runs the test and ends the browser.
export async function walk(name, test) {
    try {
        const { targetInfos } = await send('Target.getTargets');
        ({ sessionId: session } = await send('Target.attachToTarget', { targetId: targetInfos.find(t => t.type === 'page').targetId, flatten: true }));
        for (const domain of ['Page', 'Runtime', 'Network', 'DOM']) await send(domain + '.enable');
        await test();
        check('no request to anywhere', seen.requests.every(url => /^(file|blob|data|about):/.test(url)), seen.requests.find(url => /^http/.test(url)));
        check('no error in the page', seen.errors.length === 0, seen.errors[0]);
    } catch (error) {
        check('the walk', false, error.stack);
    } finally {
        chromium.on('exit', () => rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }));
        session = undefined;
        await send('Browser.close');
    }
    console.log(`${name}: ${checks} checks, ${bad} wrong`);
    process.exitCode = bad ? 1 : 0;
}
