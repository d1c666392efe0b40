// Opens the slides of every lesson beside the lesson: nothing is lost, nothing overflows, all can be read.
import { readdirSync } from 'node:fs';

// What a lesson has, and whether each of its paragraphs is in `text`.
const inLesson = text => `(() => {
    const article = document.querySelector('article'), squeezed = text => text.replace(/\\s+/g, ' ').trim();
    const nav = p => /[←→·]/.test(p.textContent) && p.querySelectorAll('a').length > 3, text = ${text};
    return {
        figures: article.querySelectorAll('img').length, formulas: article.querySelectorAll('math').length,
        rows: article.querySelectorAll('tbody tr').length, sections: article.querySelectorAll('h2').length,
        lost: [...article.querySelectorAll(':scope > p, li')].filter(p => !p.querySelector('img') && !nav(p)).map(p => squeezed(p.textContent)).filter(p => !text.includes(p)),
    };
})()`;
const onSlides = `(() => {
    const all = slides.map(slide => slide.querySelector('.room')), squeezed = text => text.replace(/\\s+/g, ' ').trim();
    slides.forEach(slide => { slide.hidden = false; });
    const found = {
        count: slides.length, rows: document.querySelectorAll('.room tbody tr').length, formulas: document.querySelectorAll('.room math').length,
        figures: [...document.querySelectorAll('.room img')].filter(img => img.complete && img.naturalWidth > 0 && img.offsetHeight > 300).length,
        sections: new Set(slides.map(slide => slide.querySelector('h2')?.firstChild.data).filter(Boolean)).size,
        empty: all.flatMap((room, i) => room.children.length ? [] : [i + 1]),
        wide: all.flatMap((room, i) => room.scrollHeight > room.clientHeight || room.scrollWidth > room.clientWidth || slides[i].scrollWidth > 1280 || slides[i].scrollHeight > 720 ? [i + 1] : []),
        small: [...document.querySelectorAll('.slide *')].filter(e => !e.closest('.notes') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && parseFloat(getComputedStyle(e).fontSize) < 24).map(e => e.textContent),
        text: squeezed([...document.querySelectorAll('.slide .room, .slide .notes')].map(e => e.textContent).join(' ')),
    };
    slides.forEach((slide, i) => { slide.hidden = i !== now; });
    return found;
})()`;

export async function slides({ page, send, value, until, check, accessible }) {
    const open = async (path, ready) => {
        await send('Page.navigate', { url: 'about:blank' });
        await until('location.href === "about:blank"');
        await send('Page.navigate', { url: `file://${page}/${path}` });
        await until(ready);
    };
    const press = async key => {
        for (const type of ['keyDown', 'keyUp']) await send('Input.dispatchKeyEvent', { type, key });
        return value('[now, part, document.body.classList.contains("noted"), slides[now] === document.activeElement].join()');
    };
    await send('Emulation.setDeviceMetricsOverride', { width: 1280, height: 720, deviceScaleFactor: 1, mobile: false });
    for (const folder of ['docs', 'docs/zh']) {
        const names = readdirSync(`${page}/${folder}`).filter(name => name.endsWith('.slides.html'));
        check(`slides in ${folder}`, names.length > 12 && names.length === readdirSync(folder).filter(name => /^\d\d_.*\.md$/.test(name)).length, names.length);
        for (const name of names) {
            const path = `${folder}/${name}`;
            await open(path, 'document.body.dataset.done === "yes" && [...document.images].every(image => image.complete)');
            const made = await value(onSlides);
            await value('document.documentElement.dataset.theme = "dark"');
            const faults = await value(accessible);
            await open(path.replace('.slides', ''), 'document.readyState === "complete"');
            const lesson = await value(inLesson(JSON.stringify(made.text)));
            check(`${path}: the link to it`, await value(`[...document.links].some(a => a.href.endsWith(${JSON.stringify('/' + name)}))`));
            check(`${path}: slides`, made.count > 5 && made.sections === lesson.sections, `${made.count}, ${made.sections} of ${lesson.sections}`);
            check(`${path}: figures`, made.figures >= lesson.figures && lesson.figures > 0, `${made.figures} of ${lesson.figures}`);
            check(`${path}: formulas and rows`, made.formulas === lesson.formulas && made.rows === lesson.rows, `${made.formulas}, ${made.rows} of ${lesson.formulas}, ${lesson.rows}`);
            check(`${path}: prose`, !lesson.lost.length, lesson.lost[0]);
            check(`${path}: overflows or is empty`, !made.wide.length && !made.empty.length, `${made.wide} ${made.empty}`);
            check(`${path}: too small to read`, !made.small.length, made.small[0]);
            check(`${path}: accessible`, !faults.length, faults[0]);
        }
    }
    await open('docs/00_resnet.slides.html#3', 'document.body.dataset.done === "yes"');
    const count = await value('slides.length'), tall = await value('slides.findIndex(slide => slide.matches(".tall"))');
    const keys = [];
    for (const key of ['ArrowRight', ' ', 'PageUp', 'n', 'n', 'Home', 'ArrowLeft', 'End', 'PageDown']) keys.push(await press(key));
    check('keys', keys.join(' ') === ['3,-1,false', '4,-1,false', '3,-1,false', '3,-1,true', '3,-1,false', '0,-1,false', '0,-1,false', `${count - 1},-1,false`, `${count - 1},-1,false`].map(s => s + ',true').join(' '), keys.join(' '));
    await value(`go(${tall})`);
    check('zoom', (await press('z')).startsWith(`${tall},0`) && (await press('z')).startsWith(`${tall},1`) && (await press('z')).startsWith(`${tall},-1`));
    const { data } = await send('Page.printToPDF', { preferCSSPageSize: true, printBackground: true });
    const pages = Buffer.from(data, 'base64').toString('latin1').match(/\/Type \/Page\b/g).length;
    check('a page per slide', pages === count, `${pages} of ${count}`);
}
