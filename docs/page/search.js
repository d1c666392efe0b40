// The search over titles and terms: every word must be found, one of them in the title itself and not
// only in its page's; index.js has what there is.
'use strict';

const words = document.getElementById('words'), list = document.getElementById('found');
function search() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(word => word);
    const hits = !wanted.length ? [] : FOUND.filter(([text, page, title]) =>
        wanted.some(word => text.toLowerCase().includes(word)) && wanted.every(word => (text + ' ' + title).toLowerCase().includes(word)) &&
        (page.startsWith('docs/zh/') || page.includes('zh-CN')) === CHINESE);
    list.replaceChildren(...hits.slice(0, 30).map(([text, page, title]) => {
        const item = document.createElement('li'), link = document.createElement('a'), small = document.createElement('small');
        link.href = ROOT + page;
        link.textContent = text;
        small.textContent = title === text ? '' : title;
        item.append(link, small);
        return item;
    }));
}
words.addEventListener('input', search);
if (location.hash === '#search') words.focus();
