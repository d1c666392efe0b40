// commands.mjs PAGE BUILD: runs the commands that the views show, in a copy of the tree whose build/ is BUILD,
// and holds what they print to what the views show. PYTHON, with PyTorch, loads the weights that the page
// has trained; without, that is left out.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { build, check, done, open, until, value, walk } from './chromium.mjs';

// The programs are not compiled again: make finds their objects, and the options of make PORTABLE=1.
const tree = mkdtempSync(tmpdir() + '/page-');
for (const name of readdirSync('.'))
    if (!name.startsWith('.') && !name.startsWith('build') && name !== 'steps' && name !== 'runs') symlinkSync(process.cwd() + '/' + name, `${tree}/${name}`);
cpSync('steps', `${tree}/steps`, { recursive: true, preserveTimestamps: true });
cpSync(build, `${tree}/build`, { recursive: true, preserveTimestamps: true });

const PYTHON = process.env.PYTHON || 'python3';
const { MAKEFLAGS, MAKELEVEL, MFLAGS, BUILD, ...clean } = process.env;
const shell = command => {
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: tree, encoding: 'utf8', env: { ...clean, PORTABLE: '1', BUILD: 'build' } });
    return stdout || stderr;
};
const shown = (inside = 'body') => value(`[...document.querySelectorAll(${JSON.stringify(inside + ' [data-command]')})].filter(e => !e.closest('[hidden]')).map(e => e.textContent)`);
const text = selector => value(`document.querySelector(${JSON.stringify(selector)}).textContent`);
const put = async (name, expression) => writeFileSync(`${tree}/${name}`, Buffer.from(await value(`(() => { let s = ''; for (const b of ${expression}) s += String.fromCharCode(b); return btoa(s); })()`), 'base64'));
// Of a call over several lines clang counts the last, gcc the first.
const plain = line => line.trim().replace(/ {2,}/g, '  ').replace(/on line \d+/, 'on line …');
const digits = string => string.replace(/,/g, '');

async function predictions(steps) {
    for (const step of steps)
        for (const lang of ['en', 'zh']) {
            await open(`predict?step=${step}&lang=${lang}`);
            await until('document.querySelector("button.main")');
            const fields = await value('document.querySelectorAll(".guess").length');
            check(`${step}: the exercise in ${lang}`, (await text('.exercise')).length > 15 && fields > 0);
            if (lang === 'zh') continue; // of the same calls
            await value('document.querySelectorAll(".guess input").forEach(i => i.value = "1"), document.querySelectorAll(".guess select").forEach(s => s.value = "no"), document.querySelector("form").requestSubmit()');
            await done();
            const answers = await value('[...document.querySelectorAll(".guess")].map(g => ({ label: g.querySelector("label").textContent, right: (g.querySelector("[data-answer]") || { dataset: {} }).dataset.answer, lines: (g.querySelector("pre.code") || g).textContent.split("\\n"), command: (g.querySelector("[data-command]") || g).textContent }))');
            answers.forEach(({ label, right, lines, command }) => {
                const printed = shell(command).trimEnd().split('\n').map(plain), most = lines.at(-1).startsWith('… ') ? lines.slice(0, -1) : lines;
                check(`${step}: ${label}`, right !== undefined && most.every((line, i) => plain(line) === printed[i]) && (most !== lines || printed.length === lines.length), `${right}; ${command} prints ${printed.slice(0, 3).join(' | ')}, not ${lines[0]}`);
            });
            // The lesson's answers have the same figures, rounded ones perhaps with …, or so many lines.
            const section = digits(readFileSync(`docs/answers/${step}.md`, 'utf8').split(/^(?:#+ )?2[.] /m)[0]);
            answers.filter(({ right }) => !/^(true|false)$/.test(right)).forEach(({ label, right }) =>
                check(`${step}: ${label}: the answer`, section.includes(right) || section.includes(right.slice(0, -1) + '…') || section.split('\n').filter(line => /\t\d+$/.test(line)).length === +right, right));
            // Its right answers, typed in, are right.
            await value('document.querySelectorAll(".guess").forEach(g => { const right = g.querySelector("[data-answer]").dataset.answer, i = g.querySelector("input, select"); i.value = i.tagName === "SELECT" ? (right === "true" ? "yes" : "no") : right; g.querySelector(".answer").replaceChildren(); }), document.querySelector("form").requestSubmit()');
            await until('document.querySelectorAll(".judged").length === document.querySelectorAll(".guess").length');
            check(`${step}: right is right`, await value('!document.querySelector(".judged:not(.exact)")'));
        }
}

async function views() {
    for (const preset of ['paper', 'article', 'small']) {
        await open(`road?preset=${preset}`);
        await done();
        const rows = await value('[...document.querySelectorAll(".road tbody tr")].map(r => [...r.querySelectorAll("td[title]")].map(c => c.title).join(" "))');
        const printed = (await shown()).map(shell).join('').trim().split('\n').join('\n');
        check(`the road, ${preset}`, rows.length > 12 && digits(rows.join('\n')) === digits(printed), `${digits(rows[5])}\n${printed}`);
    }
    const sides = {};
    for (const step of ['04_inverted_bottleneck', '05_large_kernel'])
        for (const preset of ['paper', 'small'])
            sides[step.slice(0, 2) + preset] = (await value(`ask('${step}', ['report', '--format', 'json', '--preset', '${preset}']).then(({ out }) => [1, 2, 3, 4].map(stages => receptiveField(JSON.parse(out), stages)).join())`));
    check('the receptive fields of lesson 05', sides['04small'] === '12,28,124,188' && sides['05small'] === '28,52,292,388' && /^\d+,76,364,/.test(sides['04paper']) && /^\d+,196,1012,/.test(sides['05paper']), JSON.stringify(sides));

    await open('compare?from=04_inverted_bottleneck&to=05_large_kernel&layer=05:encoder.stages.0.0.block.0.0');
    await done();
    const [svg, layer, diff] = (await shown())[0].split('\n').map(shell);
    const figures = (await value('[...document.querySelectorAll(".detail dd")].map(d => d.textContent)')).filter((_, i) => i !== 1);
    check('the layer', figures.length === 3 && figures.every(figure => layer.includes(figure)), layer);
    check('the diff', diff.split('\n').slice(2).filter(line => /^[-+]/.test(line)).sort().join('\n') === (await value('[...document.querySelectorAll(".diff .come, .diff .gone")].map(l => l.textContent).sort().join("\\n")')));
    check('the drawing', svg.includes('<svg') && (await value('[...document.querySelectorAll(".drawing rect > title")].map(e => e.textContent)')).every(title => svg.includes(title.replace(/&/g, '&amp;'))));

    for (const hash of ['size?step=09_layer_norm&depths=2,2,2,2&classes=100', 'size?step=13_paper_roadmap&row=9', 'size?step=12_official_convnext&preset=paper&variant=base', 'size?step=02_patchify_stem&preset=article&input=3x96x96']) {
        await open(hash);
        await done();
        const printed = shell((await shown())[0]);
        const [parameters, macs] = await value('["parameters", "macs"].map(key => document.querySelector(`[data-figure=${key}] dd`).firstChild.textContent)');
        const layers = await value('[...document.querySelectorAll(".layers tbody tr")].map(r => [r.cells[0].textContent, r.cells[3].textContent])');
        check(hash, printed.includes(parameters) && printed.includes(macs) && layers.length > 10 && layers.every(([name, count]) => printed.split('\n').some(line => line.trim().startsWith(name + ' ') && line.includes(' ' + count + ' '))), printed.slice(-200));
    }
}

async function look() {
    const at = '0,2';
    await open(`look?a=00_resnet&b=09_layer_norm&image=3&stage=3&pixel=${at}&noise=yes`);
    await until('document.querySelector("[data-measured=yes]") && true', 300);
    await put('image.pgm', 'pgm(testImage(3))');
    const part = async name => (await shown(`[data-part=${name}]`))[0].split('\n');
    const answers = await value('[...document.querySelectorAll(".answers")].map(a => [...a.querySelectorAll("tr")].map(r => [...r.cells].map(c => c.innerText)))');
    (await part('answers')).forEach((command, i) => {
        const printed = shell(command + ' --format tsv').trim().split('\n').slice(1).map(line => line.split('\t'));
        check(command, shell(command).includes(answers[i][0][0]) && printed.length === answers[i].length && printed.every(([, , p, , name], k) => name === answers[i][k][0] && (100 * p).toFixed(1) + '%' === answers[i][k][1]));
    });
    for (const [i, command] of (await part('field')).entries()) {
        const printed = shell(command), table = readFileSync(`${tree}/field.tsv`, 'utf8').trim().split('\n').slice(1).map(line => +line.split('\t')[2]);
        const same = await value(`(() => { const cells = ${JSON.stringify(table)}, most = Math.max(...cells), canvas = document.querySelectorAll('.heat')[${i}];
            const drawn = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return drawn.length === 4 * cells.length && cells.every((cell, k) => heatColour(Math.sqrt(cell / most)).every((v, c) => v === drawn[4 * k + c])); })()`);
        check(command, same && printed.includes(`pixel ${at}`) && (await value(`document.querySelectorAll('.fieldview .note')[${i}].textContent`)).includes(at), printed);
    }
    for (const [i, command] of (await part('layers')).entries()) {
        const printed = shell(command).trim(), sheet = readFileSync(`${tree}/sheet.pgm`);
        const drawn = await value(`(() => { const canvas = document.querySelectorAll('.sheet canvas')[${i}]; return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].filter((_, k) => k % 4 === 0); })()`);
        check(command, printed === (await value(`document.querySelectorAll('.sheet .note')[${i}].textContent`)) && Buffer.compare(Buffer.from(drawn), sheet.subarray(-drawn.length)) === 0, printed);
    }
    const measured = await value('[...document.querySelectorAll("[data-level] td")].map(c => c.innerText)');
    // In the page's data the test set is these 200; the command takes the first 200 of the reader's.
    const data = `${tree}/fashion`;
    mkdirSync(data);
    for (const set of ['train', 't10k']) for (const file of ['images-idx3', 'labels-idx1']) symlinkSync(`${process.cwd()}/docs/page/t10k-${file}-ubyte`, `${data}/${set}-${file}-ubyte`);
    const printed = (await part('noise')).map(command => shell(`export FASHION_MNIST='${data}'; ${command}`)).join('').trim().split('\n');
    check('altered images', measured.length === 16 && measured.every((percent, i) => printed[i].includes(`top-1 ${(+percent.slice(0, -1)).toFixed(2)}%`)), `${measured}\n${printed.join('\n')}`);
}

// Training: stopped and gone on with; the bytes of a terminal's; its weights in C and in PyTorch.
async function train() {
    const step = '05_large_kernel';
    await open(`train?a=${step}&b=${step}&limit=64&epochs=3&batch=16`);
    await until('document.querySelector("button.main")');
    const command = (await shown())[0];
    await value('document.querySelector("button.main").click()');
    await until('document.querySelector("tr[data-step] a.button")', 300);
    await value('document.querySelectorAll(".controls button")[1].click()');
    const stopped = await value('race.runs[0].state');
    await value('[...document.querySelectorAll(".controls button")].slice(-1)[0].click()');
    await done(300);
    check('training, stopped and gone on with', stopped === 'stopped' && (await value('race.runs[0].state')) === 'done');
    const digest = await value('race.runs[0].last');
    check('the weights', digest.startsWith('sha256') && shell(command).trim().endsWith(digest), digest);

    await put(`${step}.safetensors`, `race.runs[0].files['runs/${step}/best.safetensors']`);
    const tested = await value('race.runs[0].tested'), [evaluate, write, load] = (await shown('.race'))[0].split('\n');
    check(evaluate, shell(evaluate).includes(/top-1 [\d.]+%/.exec(tested)[0]), tested);
    shell(write);
    if (spawnSync(PYTHON, ['-c', 'import safetensors.torch']).status !== 0) console.log('no PyTorch: the page’s weights are not loaded into it (pip install torch safetensors, PYTHON=program)');
    else {
        check(load, spawnSync('sh', ['-c', load.replace(/^python3/, PYTHON)], { cwd: tree }).status === 0);
        const images = 4, x = Buffer.from(new Float32Array(images * 64 * 64).map((_, i) => Math.sin(i * i % 977)).buffer);
        const head = Buffer.from(JSON.stringify({ x: { dtype: 'F32', shape: [images, 1, 64, 64], data_offsets: [0, x.length] } }));
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(head.length));
        const batch = Buffer.concat([length, head, x]);
        writeFileSync(`${tree}/batch.safetensors`, batch);
        await value(`desk.put({ 'batch.safetensors': fromBase64('${batch.toString('base64')}'), 'w.safetensors': race.runs[0].files['runs/${step}/best.safetensors'] }).then(() => 1)`);
        await value(`ask('${step}', ['forward', '--preset', 'small', '--weights', 'w.safetensors', '--batch', 'batch.safetensors', '--output', 'y.safetensors'], { take: ['y.safetensors'] }).then(r => (window.logits = r.files['y.safetensors'], 1))`);
        await put('y.safetensors', 'logits');
        const { status, stdout, stderr } = spawnSync(PYTHON, ['net.py', `${step}.safetensors`, 'batch.safetensors', 'y.safetensors'], { cwd: tree, encoding: 'utf8' });
        check('PyTorch’s logits', status === 0, stdout + stderr);
        console.log(`PyTorch with the page's weights, against the page's logits: ${/largest error .*/.exec(stdout)}`);
    }
    // The networks are there to be looked at.
    await value('document.querySelector(".race p a.button").click()');
    await until('document.querySelector("[data-view=look][data-done=yes]") && true');
    check('looking at what was trained here', await value(`state.a === '${step}' && document.querySelectorAll('.sheet canvas').length === 2 && !document.querySelector('.error')`));
}

await walk('commands', async () => {
    await open('road');
    await until('document.querySelector(".road tbody tr")');
    await predictions(await value('STEPS.filter(step => QUESTIONS[step.number]).map(step => step.name)'));
    await views();
    await look();
    await train();
});
rmSync(tree, { recursive: true });
