// The page around the views: language, colours, the address, the command shown. A view is
// { name, defaults, show(root, state) }; its state is in the address: #compare?from=04_…&to=05_….
'use strict';

const VIEWS = [];
let state = {};

// --- making elements ---

// h('p.note', { title: … }, 'text', element …)
function h(what, ...children) {
    const [tag, ...classes] = what.split('.');
    const element = document.createElement(tag);
    if (classes.length) element.className = classes.join(' ');
    for (const child of children.flat()) {
        if (child === null || child === undefined || child === false) continue;
        if (typeof child === 'object' && !(child instanceof Node)) {
            for (const [key, value] of Object.entries(child))
                if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
                else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value === true ? '' : value);
        } else element.append(child);
    }
    return element;
}
const fill = (element, ...children) => (element.replaceChildren(...children.flat().filter(c => c)), element);

// A label with its control below it.
const labelled = (text, control) => h('label.field', h('span', text), control);
function choice(label, options, value, changed) {
    const select = h('select', { onchange: () => changed(select.value) },
        options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)));
    return labelled(label, select);
}
const stepChoice = (label, value, changed, steps = STEPS) =>
    choice(label, steps.map(step => [step.name, `${step.number}  ${stepTitle(step.name)}`]), value, changed);
const stepTitle = name => {
    const step = STEPS.find(s => s.name === name);
    return step ? step.title[lang()].split(/[:：]/)[0] : name;
};

const integer = n => n.toString().replace(/\B(?=(\d{3})+$)/g, ',');
const short = n => n >= 1e9 ? (n / 1e9).toFixed(2) + ' G' : n >= 1e6 ? (n / 1e6).toFixed(2) + ' M' : n >= 1e3 ? (n / 1e3).toFixed(1) + ' K' : String(n);
const mebibytes = n => (n / 1048576).toFixed(n < 1e8 ? 2 : 0) + ' MiB';

// --- the address ---

const lang = () => state.lang === 'zh' ? 1 : 0;

function readAddress() {
    const [name, query] = location.hash.slice(1).split('?');
    const given = Object.fromEntries(new URLSearchParams(query || ''));
    const view = VIEWS.find(v => v.name === name) || VIEWS[0];
    const zh = (navigator.language || '').startsWith('zh') ? 'zh' : 'en';
    state = { ...view.defaults, lang: store('lang') || zh, theme: store('theme') || 'auto', ...given, view: view.name };
}
function address(changes = {}) {
    const next = { ...state, ...changes }, view = VIEWS.find(v => v.name === next.view);
    const kept = Object.entries(next).filter(([key, value]) => key !== 'view' && value !== '' && value !== undefined &&
        (key in view.defaults ? String(view.defaults[key]) !== String(value) : key === 'lang' || key === 'theme' && value !== 'auto'));
    return '#' + next.view + (kept.length ? '?' + new URLSearchParams(kept) : '');
}
// Changes the state without a new entry in the browser's history, and without drawing.
function remember(changes) {
    Object.assign(state, changes);
    history.replaceState(null, '', address());
}
function change(changes) {
    remember(changes);
    draw();
}
function store(key, value) {
    try { // some browsers refuse this to files
        if (value === undefined) return localStorage.getItem(key);
        localStorage.setItem(key, value);
    } catch {
        return null;
    }
}

// --- files to save ---

const blobs = {}; // one of a name at a time, else every drawing would keep another in memory
function blobOf(name, bytes) {
    const old = blobs[name];
    if (old && old.bytes === bytes) return old.url;
    if (old) URL.revokeObjectURL(old.url);
    blobs[name] = bytes ? { bytes, url: URL.createObjectURL(new Blob([bytes])) } : null;
    return bytes ? blobs[name].url : null;
}

// --- the command shown ---

const quoted = word => /^[\w.,:/=+-]+$/.test(word) ? word : `'${word}'`;
const commandText = (step, words) => [program(step), ...words].map(quoted).join(' ');
function terminal(lines) {
    const text = lines.join('\n');
    const copy = h('button.quiet', { type: 'button', onclick: async () => {
        try { await navigator.clipboard.writeText(text); } catch { getSelection().selectAllChildren(code); }
        copy.textContent = t('copied');
    } }, t('copy'));
    const code = h('code', text);
    return [h('span.label', t('inTerminal')), h('pre', { tabindex: '0', 'data-command': true }, code), copy];
}
// Of the whole view, at the foot of the window; of a part of it, below that part.
function showCommand(...lines) {
    fill($('command'), terminal(lines));
    $('command').hidden = false;
}
const inTerminal = (...lines) => h('div.terminal', terminal(lines));
const showError = (root, error) => fill(root, h('p.error', { role: 'alert' }, error.message || String(error)));

// --- drawing ---

let drawing = 0; // rises with every drawing: what belongs to an older one is dropped
function draw() {
    const view = VIEWS.find(v => v.name === state.view);
    document.documentElement.lang = lang() ? 'zh-Hans' : 'en';
    document.documentElement.dataset.theme = state.theme;
    document.title = `${t(view.name)} · ${t('title')}`;
    $('title').textContent = t('title');
    fill($('views'), VIEWS.map(v => h('a', { href: address({ ...blank(v), view: v.name }), 'aria-current': v === view ? 'page' : null }, t(v.name))));
    const doc = lang() ? 'docs/zh/' : 'docs/';
    fill($('tools'),
        h('a', { href: doc + 'README.html' }, t('lessons')),
        h('a', { href: doc + 'README.html#search' }, t('search')),
        h('button.quiet', { type: 'button', lang: lang() ? 'en' : 'zh-Hans', onclick: () => {
            store('lang', lang() ? 'en' : 'zh');
            change({ lang: lang() ? 'en' : 'zh' });
        } }, lang() ? 'English' : '中文'),
        h('button.quiet', { type: 'button', 'aria-label': t('theme'), title: t('theme'), onclick: () => {
            const dark = getComputedStyle(document.documentElement).colorScheme.includes('dark');
            store('theme', dark ? 'light' : 'dark');
            change({ theme: dark ? 'light' : 'dark' });
        } }, '◐'));
    $('skip').textContent = t('skip');
    const slow = [engine.simd ? '' : t('noSimd'), engine.workers ? '' : t('noWorkers')].filter(x => x);
    fill($('notice'), slow.map(text => h('p', text)));
    $('notice').hidden = !slow.length;
    $('command').hidden = true;
    const root = h('section', { 'data-view': view.name }, h('h1', t(view.name)), h('p.lead', t(view.name + 'Lead')));
    const main = $('main'), again = main.querySelector(`[data-view=${view.name}]`), held = again && focused(main);
    main.style.minHeight = again ? main.offsetHeight + 'px' : ''; // else what is below would jump
    fill(main, root);
    drawing++;
    const late = stale();
    Promise.resolve(view.show(root, state)).catch(error => showError(root, error)).finally(() => late() || (main.style.minHeight = ''));
    if (held) held();
}
const operable = main => [...main.querySelectorAll('a, button, input, select, summary, [tabindex]')];
// What is operated keeps the focus when its view is drawn anew: by its label, else by its place.
function focused(main) {
    const element = document.activeElement, at = operable(main).indexOf(element);
    if (at < 0) return null;
    const name = e => e.getAttribute('aria-label') || (e.labels && e.labels[0] ? e.labels[0].firstChild.textContent : e.textContent);
    const before = name(element);
    return () => {
        const all = operable(main), same = all.filter(e => e.tagName === element.tagName && name(e) === before);
        const next = same.length === 1 ? same[0] : all[at];
        if (next && next.tagName === element.tagName) next.focus({ preventScroll: true });
    };
}
const blank = view => Object.fromEntries(Object.entries(view.defaults));
const stale = () => {
    const mine = drawing;
    return () => mine !== drawing;
};

async function begin() {
    readAddress();
    document.documentElement.lang = lang() ? 'zh-Hans' : 'en';
    document.documentElement.dataset.theme = state.theme;
    try {
        await startEngine();
        desk = new DeskClient();
    } catch (error) {
        fill($('main'), h('p.error', { role: 'alert' }, t('noModule'), ' ', h('small', String(error.message || error))));
        return;
    }
    draw();
    addEventListener('hashchange', () => {
        readAddress();
        draw();
        $('main').focus({ preventScroll: true });
    });
}
