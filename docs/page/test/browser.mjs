// browser.mjs PAGE BUILD: opens the page by file://, walks its views and the lessons' slides in both languages
// and compares their figures with the programs'.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { check, done, open, page, build, program, send, until, value, walk } from './chromium.mjs';
import { slides } from './slides.mjs';

const total = (step, ...words) => JSON.parse(program(step, 'report', '--format', 'json', ...words));
const grouped = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

// Names of what can be operated, contrast of what is read (4.5 to 1, 3 to 1 for large text), no tabindex
// that changes the order, nothing wider than the window.
const accessible = `(() => {
    const faults = [], ground = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgb = color => { ground.clearRect(0, 0, 1, 1); ground.fillStyle = color; ground.fillRect(0, 0, 1, 1); return [...ground.getImageData(0, 0, 1, 1).data]; };
    const light = c => c.slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c; } return rgb(getComputedStyle(document.documentElement).backgroundColor); };
    for (const e of document.querySelectorAll('button, a[href], input, select')) {
        const name = e.getAttribute('aria-label') || e.textContent.trim() || [...(e.labels || [])].map(l => l.textContent.trim()).join('');
        if (!name) faults.push('no name: ' + e.outerHTML.slice(0, 80));
    }
    for (const e of document.querySelectorAll('body *:not(script):not(style)')) {
        if (e.tabIndex > 0 && e.hasAttribute('tabindex') && +e.getAttribute('tabindex') > 0) faults.push('tabindex: ' + e.outerHTML.slice(0, 80));
        const text = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        if (!text || e.closest('svg, [disabled], noscript, option, [hidden]') || !e.offsetParent) continue;
        const style = getComputedStyle(e), a = light(rgb(style.color)), b = light(behind(e));
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) faults.push('contrast ' + ratio.toFixed(2) + ': ' + e.textContent.slice(0, 40));
    }
    if (document.documentElement.scrollWidth > innerWidth + 1) faults.push('wider than the window: ' + document.documentElement.scrollWidth);
    if (document.querySelectorAll('h1').length !== 1) faults.push('headings of the first level: ' + document.querySelectorAll('h1').length);
    return faults;
})()`;

await walk('page', async () => {
    const start = Date.now();
    await open('road');
    await until('document.querySelector(".road .bar:not(.accuracy)")');
    console.log(`first figure after ${Date.now() - start} ms`);
    await done();
    check('the road, step 05', (await value('document.querySelectorAll(".road tbody tr")[5].innerText')).includes((total('05_large_kernel', '--preset', 'paper').parameters / 1e6).toFixed(2) + ' M'));

    await open('compare?from=04_inverted_bottleneck&to=05_large_kernel&layer=05:encoder.stages.0.0.block.0.0');
    await done();
    const svg = program('05_large_kernel', 'compare', '04', '--format', 'svg', '--preset', 'paper', '--depths', '1,1,0,0');
    check('the drawing', (await value('document.querySelectorAll(".drawing rect > title").length')) === svg.match(/<rect[^>]*><title>/g).length);
    check('the layer of the address', (await value('document.querySelector(".detail").innerText')).includes('main.c:12'));
    const diffs = await value('STEPS.slice(1, 13).map((step, i) => diffLines(CODE(STEPS[i].name).split("\\n"), CODE(step.name).split("\\n")).filter(line => line[0] !== " ").map(line => line[0] + line[1]).sort().join("\\n"))');
    const steps = (await value('STEPS.map(step => step.name)'));
    diffs.forEach((diff, i) => {
        const ours = readFileSync(`docs/diffs/${steps[i + 1]}.diff`, 'utf8').split('\n').slice(2).filter(line => /^[-+]/.test(line)).sort().join('\n');
        check(`the diff of ${steps[i + 1]}`, diff === ours);
    });

    await open('size?step=09_layer_norm&depths=2,2,2,2&classes=100');
    await done();
    const report = total('09_layer_norm', '--preset', 'small', '--depths', '2,2,2,2', '--classes', '100');
    check('parameters', (await value('document.querySelector("[data-figure=parameters] dd").innerText')).startsWith(grouped(report.parameters)));
    check('MACs', (await value('document.querySelector("[data-figure=macs] dd").innerText')).startsWith(grouped(report.macs)));
    await value('(() => { const s = document.querySelectorAll("fieldset input")[0]; s.value = 32; s.dispatchEvent(new Event("input")); })()');
    const wider = total('09_layer_norm', '--preset', 'small', '--depths', '2,2,2,2', '--classes', '100', '--widths', [32, ...report.widths.slice(1)].join(','));
    await until(`document.querySelector("[data-figure=parameters] dd").innerText.startsWith(${JSON.stringify(grouped(wider.parameters))})`, 20);
    check('the address has the widths', (await value('location.hash')).includes('widths=32'));

    await open('look?image=9');
    await done();
    const image = Buffer.concat([Buffer.from('P5\n28 28\n255\n'), readFileSync('docs/page/t10k-images-idx3-ubyte').subarray(16 + 9 * 784, 16 + 10 * 784)]);
    const classified = execFileSync(`${build}/09_layer_norm`, ['classify', '-', '--weights', 'results/weights/09_layer_norm.safetensors', '--format', 'tsv'], { input: image, encoding: 'utf8' }).split('\n')[1].split('\t');
    await open('look?image=9&a=09_layer_norm');
    await done();
    const answer = await value('document.querySelector(".answers tr").innerText');
    check('the answer', answer.includes(classified[4]) && answer.includes((100 * classified[2]).toFixed(1)), answer);
    await value('document.querySelectorAll(".overlay .grid button")[1].click()');
    await until('document.querySelector(".fieldview .note") && document.querySelector(".fieldview .note").innerText.includes("pixel 0,1")');
    await until('document.querySelector(".sheet canvas")');

    for (const lang of ['en', 'zh'])
        for (const theme of ['light', 'dark'])
            for (const width of [1400, 390])
                for (const view of ['road', 'compare', 'size', 'look', 'train', 'predict']) {
                    await send('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
                    await open(`${view}?lang=${lang}&theme=${theme}`);
                    await (view === 'train' || view === 'predict' ? until('document.querySelector("button.main")') : done());
                    const faults = await value(accessible);
                    check(`${view} ${lang} ${theme} ${width}`, faults.length === 0, faults.slice(0, 4).join('; '));
                }
    // Weights are what lies in results/weights; a step without says so.
    const there = readdirSync('results/weights').map(name => name.replace('.safetensors', '')).filter(name => steps.includes(name)).sort();
    check('the steps with weights', (await value('TRAINED.join()')) === there.join());
    for (const step of there) {
        await open(`look?a=${step}&b=${step}&image=1`);
        await done();
        check(`weights of ${step}`, await value('document.querySelectorAll(".answers tr").length > 0 && !document.querySelector(".error")'));
    }
    const without = steps.find(step => !there.includes(step));
    if (without) {
        await open(`look?a=${there[0] || without}&b=${without}`);
        await done();
        check(`${without} has no weights`, (await value('document.querySelector(".error").textContent')).includes(without) &&
            await value(`[...document.querySelectorAll("select option")].filter(o => !TRAINED.includes(o.value) && o.value !== "${without}").every(o => o.disabled)`));
    }
    await open('road', '?simd=0&workers=0');
    await done();
    check('slower, and says so', (await value('document.querySelectorAll("#notice p").length')) === 2);
    for (const lang of ['docs', 'docs/zh']) {
        await send('Page.navigate', { url: `file://${page}/${lang}/README.html#search` });
        await until('typeof FOUND === "object" && document.querySelector("#words")');
        await value('(() => { words.value = "ConvNeXt"; search(); })()');
        check(`search in ${lang}`, (await value('document.querySelectorAll("#found li").length')) > 0);
    }
    await slides({ page, send, value, until, check, accessible });
});
