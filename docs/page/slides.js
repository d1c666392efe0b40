'use strict';
// Cuts the lesson into slides. On a slide stand: of a paragraph and of a point of a list the first
// sentence, and the next where the first is a question; formulas, plots, code and tables whole; of a
// drawing the units that changed, of a diff what changed and two lines around it; "The problem", "In
// short" and the exercises whole. All prose stands whole in the speaker's notes; only there stands
// the line below a drawing or a table, and the line that says where code is from.
const zh = document.documentElement.lang.startsWith('zh');
const WHOLE = /^(Exercises|练习)$/, POINTS = /^(The problem|In short|问题|小结)$/;
const article = document.querySelector('article'), main = document.querySelector('main'), slides = [];
const make = (name, kind, ...inside) => {
    const element = document.createElement(name);
    if (kind) element.className = kind;
    element.append(...inside);
    return element;
};
const sentences = element => [...new Intl.Segmenter(zh ? 'zh' : 'en', { granularity: 'sentence' }).segment(element.textContent.replace(/\n/g, ' '))]
    .map(({ index, segment }) => ({ from: index, to: index + segment.trimEnd().length, asks: /[?？]\s*$/.test(segment) })).filter(one => one.to > one.from);

// A copy of the element's content from one place of its text to another.
function cut(element, from, to) {
    const range = document.createRange(), walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    range.selectNodeContents(element);
    for (let at = 0, node; (node = walk.nextNode()); at += node.data.length) {
        if (from > at && from < at + node.data.length) range.setStart(node, from - at);
        if (to >= at && to <= at + node.data.length) return range.setEnd(node, to - at), range.cloneContents();
    }
    return range.cloneContents();
}
function first(element) {
    const all = sentences(element);
    return cut(element, 0, (all.find(one => !one.asks) || all.at(-1) || { to: 0 }).to);
}

// A point of a list, numbered as it was.
function point(list, item, inside) {
    const copy = make(list.tagName, '', make('li', '', inside));
    if (list.tagName === 'OL') copy.start = list.start + [...list.children].indexOf(item);
    return copy;
}

// Outputs are wide: of columns that are blank in all lines, two stay, or one where that is too much.
function narrow(lines, gap = 2) {
    const blank = i => lines.every(line => !line[i] || line[i] === ' ');
    const made = lines.map(line => [...line].filter((c, i) => !(blank(i) && blank(i - 1) && (gap < 2 || blank(i - 2)))).join(''));
    return gap > 1 && made.some(line => line.length > 77) ? narrow(lines, 1) : made;
}

function code(pre) {
    const kind = pre.firstChild.className, diff = kind === 'language-diff', hunks = pre.textContent.split(/^(?=@@)/m);
    const shown = diff ? hunks.slice(1).join('').replace(/^[-+] +\.title = .*\n/gm, '') : pre.textContent;
    const lines = shown.trimEnd().split('\n'), near = i => lines.slice(Math.max(0, i - 2), i + 3).some(line => /^[-+]/.test(line));
    const kept = !diff ? kind ? lines : narrow(lines) : lines.map((line, i) => near(i) && line[0] !== '@' ? line : '⋯').filter((line, i, all) => line !== '⋯' || i && all[i - 1] !== '⋯' && all.slice(i).some(other => other !== '⋯'));
    return make('pre', '', ...kept.map(line => make('span', !diff ? '' : line === '⋯' ? 'where' : { '+': 'come', '-': 'gone' }[line[0]] || '', line)));
}

// The drawing of two networks in parts that can be read from afar: the units whose layers have names,
// where something changed or nothing did at all.
function drawings(img, svg) {
    const rules = [...svg.matchAll(/<path d="M20 (\d+) H/g)].map(match => +match[1]), wide = +svg.match(/viewBox="0 0 (\d+)/)[1];
    const pieces = svg.split(/<path d="M20 \d+ H[^>]*>/), changes = /class="(come|gone|changed)"><title>/, named = /<\/tspan> *<tspan class="small">/;
    const show = piece => named.test(piece) && (changes.test(piece) || !changes.test(svg)), parts = [];
    for (let i = 1; i < rules.length; i++)
        if (show(pieces[i]))
            if (parts.length && parts.at(-1)[1] === rules[i - 1] && rules[i] - parts.at(-1)[0] < 580) parts.at(-1)[1] = rules[i];
            else parts.push([rules[i - 1], rules[i]]);
    const side = wide > 1000 ? 120 : 20, width = wide + 2 * side, titles = svg.match(/<text [^>]*class="title">[^<]*<\/text>/g);
    const moves = [...svg.matchAll(/<path d="M\d+ ([\d.]+)[^>]*class="move"[^>]*>/g)];
    return parts.map(([from, to]) => {
        const top = from - 34, height = to - top, scale = Math.min(1168 / width, 554 / height), copy = img.cloneNode();
        const style = `text{font-size:${23 / scale}px;fill:#222}.small{display:none}text{transform:translateY(${6 / scale}px)}.unit,.title{font-size:${22 / scale}px;transform:none}tspan{font-weight:normal!important}`;
        copy.src = 'data:image/svg+xml,' + encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-side} ${top} ${width} ${height}">` +
            svg.match(/<style>.*/)[0].replace('</style>', style + '</style>') + titles.join('').replace(/ y="\d+"/g, ` y="${from - 14}"`) +
            pieces.filter((piece, i) => i && rules[i - 1] >= from && rules[i] <= to).join('').replace(/<path[^>]*class="move"[^>]*>/g, '') +
            moves.filter(move => +move[1] > from && +move[1] < to).map(move => move[0]).join('') + '</svg>');
        return copy;
    });
}

// --- slides ---------------------------------------------------------------------------------------

let slide, room, heading, section, told = [];
function begin(again) {
    if (again && !room.children.length) return;
    room = make('div', 'room');
    slide = make('section', 'slide', heading.cloneNode(true), room, make('aside', 'notes'));
    slide.tabIndex = -1;
    main.append(slide);
    slides.push(slide);
    section.push(slide);
}
const fits = () => room.scrollHeight <= room.clientHeight && room.scrollWidth <= room.clientWidth;

// Puts a block on the slide, or on the next one, with what leads to it. Its notes stand where it stands.
function put(block, notes = []) {
    block.told = told.concat(notes);
    told = [];
    room.append(block);
    if (fits()) return;
    const all = [...room.children];
    let at = all.length - 1;
    while (at > 1 && (/[:：]$/.test(all[at - 1].textContent.trim()) || all[at].tagName === 'PRE' && all[at - 1].tagName === 'PRE')) at--;
    const home = room, alone = all.length < 2 || all.length === 2 && all[0].tagName === 'P';
    if (all.length > 1) begin();
    room.append(...all.slice(at));
    if (fits()) return;
    home.append(...all.slice(at, -1));
    if (fits()) return;
    if (alone && all.length > 1) {
        section.pop();
        slides.pop().remove();
        [room, slide] = [home, slides.at(-1)];
        room.append(block);
    }
    parts(block);
}

// Puts a table's rows or the lines of code on as many slides as they need: rows about as many on each, of
// lines as many as there is room for, cut where one is blank.
function parts(block) {
    const lines = [...(block.querySelector('tbody') || block).children], blank = i => /^\s*⋯?$/.test(lines[i].textContent);
    const part = (from, to) => {
        while (blank(from) && from < to - 1) from++;
        while (blank(to - 1) && from < to - 1) to--;
        const copy = block.cloneNode(true);
        (copy.querySelector('tbody') || copy).replaceChildren(...lines.slice(from, to).map(line => line.cloneNode(true)));
        copy.told = block.told;
        return copy;
    };
    block.remove();
    for (let from = 0, to; from < lines.length; from = to) {
        if (from) begin();
        for (to = lines.length; room.append(part(from, to)), !fits() && to > from + 1; to--) room.lastChild.remove();
        if (to === lines.length) break;
        const left = lines.length - from, cuts = block.tagName === 'PRE' ? [...Array(to).keys()].filter(i => i > from + .4 * (to - from) && blank(i)) : [];
        if (cuts.length) to = cuts.at(-1);
        else if (block.tagName !== 'PRE') to = from + Math.ceil(left / Math.ceil(left / (to - from)));
        room.lastChild.replaceWith(part(from, to));
    }
}

// An image may stand below the sentence that leads to it, or beside it where it is tall; a part of a
// drawing has a slide for itself.
function figure(img, tall, own) {
    if (room.children.length > 1 || room.querySelector(':not(p, p *)') || own) begin(true);
    slide.classList.toggle('tall', tall);
    room.append(make('p', 'figure', img));
    room.lastChild.told = told;
    told = [];
    begin();
}

// Ends a section: drops a slide that stayed empty, shares text out evenly, numbers the slides, lets short
// ones be larger, and gives them their notes.
function end() {
    if (!room.children.length && section.length > 1) {
        section.pop();
        slides.pop().remove();
    }
    const rooms = section.map(one => one.querySelector('.room')), text = room => !room.querySelector('pre, table, math, img, h3');
    for (let i = rooms.length - 1; i > 0; i--)
        while (text(rooms[i]) && text(rooms[i - 1]) && rooms[i - 1].lastChild.offsetTop - rooms[i - 1].offsetTop > rooms[i].lastChild.offsetTop - rooms[i].offsetTop + 150)
            rooms[i].prepend(rooms[i - 1].lastChild);
    section.forEach((one, i) => {
        if (section.length > 1) one.querySelector('h2').append(make('small', '', `${i + 1}/${section.length}`));
        room = rooms[i];
        if (i === section.length - 1) (room.lastChild || {}).told = [...(room.lastChild?.told || []), ...told.splice(0)];
        one.lastChild.append(...[...new Set([...room.children].flatMap(block => block.told || []))].map(node => node.cloneNode(true)));
        for (const size of room.querySelector('pre, table, math, img, blockquote') ? [34, 32, 30, 28, 27] : [42, 38, 34, 32, 30, 28, 27]) {
            one.style.fontSize = size + 'px';
            if (fits()) break;
        }
    });
}

function build() {
    let generated = '', last = '';
    document.body.classList.add('talk');
    heading = article.querySelector('h1');
    section = [];
    begin();
    slide.classList.add('first');
    for (const node of [...article.childNodes]) {
        if (node.nodeType === Node.COMMENT_NODE) generated = node.data.includes('begin generated') ? node.data : '';
        if (node.nodeType !== Node.ELEMENT_NODE || generated.includes(' nav ') || node.tagName === 'H1') continue;
        const title = heading.textContent, img = node.querySelector('img'), list = /^[OU]L$/.test(node.tagName);
        if (node.tagName === 'H2') {
            end();
            heading = node;
            section = [];
            begin();
        } else if (node.tagName === 'H3') {
            begin(true);
            room.append(node);
        } else if (img) {
            const svg = new TextDecoder().decode(Uint8Array.from(atob(img.src.split(',')[1]), c => c.charCodeAt(0)));
            const parts = generated.includes(' drawing ') ? drawings(img, svg) : [], [, width, height] = svg.match(/width="(\d+)"\s+height="(\d+)"/);
            for (const one of parts) figure(one, false, true);
            if (!parts.length) figure(img, width < 1.3 * height);
        } else if (node.tagName === 'PRE') put(code(node));
        else if (node.tagName === 'TABLE' || node.tagName === 'math') put(node);
        else if (slide.classList.contains('first')) room.append(node.tagName === 'P' ? make('p', '', node) : node);
        else if (list) for (const item of node.children) put(point(node, item, WHOLE.test(title) ? cut(item, 0, 1e9) : first(item)), [node]);
        else if (POINTS.test(title)) for (const one of sentences(node)) put(make('ul', '', make('li', '', cut(node, one.from, one.to))), [node]);
        else if (generated && /IMG|TABLE/.test(last) || generated.includes(' op ') || WHOLE.test(title) && last === 'H2') told.push(node);
        else put(make('p', '', WHOLE.test(title) ? cut(node, 0, 1e9) : first(node)), [node]);
        last = img ? 'IMG' : node.tagName;
    }
    end();
    article.remove();
}
// --- showing them ---------------------------------------------------------------------------------

const others = [window.opener].filter(Boolean), say = (en, chinese) => zh ? chinese : en;
let now = 0, part = -1;
function zoom(to) {
    const img = slides[now].querySelector('.figure img'), count = img ? Math.ceil(img.naturalHeight / img.naturalWidth * 1280 / 672) : 0;
    part = to < count ? to : -1;
    slides[now].classList.toggle('zoomed', part >= 0);
    slides[now].style.setProperty('--part', count > 1 ? `${100 * part / (count - 1)}%` : '50%');
}
function go(to, told) {
    zoom(-1);
    now = Math.max(0, Math.min(slides.length - 1, to));
    slides.forEach((one, i) => { one.hidden = i !== now; });
    document.querySelector('body > .notes').replaceChildren(...slides[now].querySelector('.notes').cloneNode(true).childNodes);
    location.replace('#' + (now + 1));
    slides[now].focus({ preventScroll: true });
    if (!told) for (const other of others) other.postMessage(now, '*');
}
function fit() {
    const noted = document.body.classList.contains('noted'), height = innerHeight * (noted ? .62 : 1), scale = Math.min(innerWidth / 1280, height / 720);
    for (const [name, value] of [['--scale', scale], ['--left', (innerWidth - 1280 * scale) / 2 + 'px'], ['--top', (height - 720 * scale) / 2 + 'px']])
        document.body.style.setProperty(name, value);
}
const actions = {
    n: () => { document.body.classList.toggle('noted'); fit(); },
    w: () => { const other = open(location.href, 'notes', 'width=1000,height=800'); if (other) others.push(other); },
    f: () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
    d: () => {
        const data = document.documentElement.dataset, system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
        data.theme = (data.theme || system) === 'dark' ? 'light' : 'dark';
    },
    z: () => zoom(part + 1),
    Home: () => go(0), End: () => go(slides.length - 1),
};
for (const key of ['ArrowRight', 'ArrowDown', 'PageDown', ' ']) actions[key] = () => go(now + 1);
for (const key of ['ArrowLeft', 'ArrowUp', 'PageUp', 'Backspace']) actions[key] = () => go(now - 1);
if ('Segmenter' in Intl) {
    build();
    addEventListener('keydown', event => {
        const action = actions[event.key];
        if (!action || event.ctrlKey || event.altKey || event.metaKey || event.key === ' ' && event.target.closest('button, a')) return;
        event.preventDefault();
        action();
    });
    slides.forEach((one, i) => {
        const button = (text, name, key) => { const made = make('button', '', text); made.ariaLabel = made.title = name; made.onclick = actions[key]; return made; };
        one.setAttribute('aria-roledescription', say('slide', '幻灯片'));
        one.setAttribute('aria-label', `${one.firstChild.textContent}, ${i + 1}/${slides.length}`);
        one.style.setProperty('--share', (i + 1) / slides.length);
        one.append(make('div', 'foot', make('span', '', i ? document.title : say('→ ← slides · N notes · W notes in a window · Z zoom · D dark · F full screen', '→ ← 翻页 · N 讲稿 · W 讲稿另开窗口 · Z 放大 · D 深色 · F 全屏')),
            make('span', '', button('‹', say('back', '上一张'), 'ArrowLeft'), `${i + 1}/${slides.length}`, button('›', say('next', '下一张'), 'ArrowRight'))));
    });
    document.body.append(make('aside', 'notes'));
    document.querySelector('body > .notes').setAttribute('aria-label', say('notes', '讲稿'));
    addEventListener('resize', fit);
    addEventListener('hashchange', () => { if (parseInt(location.hash.slice(1)) - 1 !== now) go((parseInt(location.hash.slice(1)) || 1) - 1); });
    addEventListener('message', event => {
        if (!Number.isInteger(event.data)) return;
        if (!others.includes(event.source)) others.push(event.source);
        go(event.data, true);
    });
    if (window.name === 'notes') actions.n();
    fit();
    go((parseInt(location.hash.slice(1)) || 1) - 1, true);
    document.body.dataset.done = 'yes';
}
