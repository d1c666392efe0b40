#include "blocks.h"

#include "base/error.h"
#include "base/memory.h"
#include "ladder.h"
#include "page.h"
#include "steps.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *page;
    bool chinese;
    FILE *out;
    char *const *word; /* behind the block's name, NULL behind the last */
} Block;

static const char *say(const Block *b, const char *english, const char *chinese)
{
    return b->chinese ? chinese : english;
}

/* A table's first two lines. */
static void put_head(const Block *b, const char *english, const char *chinese, const char *line)
{
    fprintf(b->out, "%s\n%s\n", say(b, english, chinese), line);
}

/* Leads from the page to the folder where steps/ stands. */
static const char *up(const Block *b)
{
    return after(b->page, "docs/zh/") ? "../../" : after(b->page, "docs/") ? "../" : "";
}

/* The step that a block is about. */
static const char *step_of(const Block *b)
{
    if (!b->word[0])
        error_die(EXIT_FAILED, b->page, "a block of which step?");
    return b->word[0];
}

/* --- tables of results/ ---------------------------------------------------------------------- */

static void put_ladder(const Block *b)
{
    put_head(
        b,
        "| step | M parameters, article | G MACs, article | M parameters, paper |"
        " G MACs, paper | encoder, article |",
        "| 步 | 百万参数，文章 | G MACs，文章 | 百万参数，论文 | G MACs，论文 | encoder，文章 |",
        "|---|---:|---:|---:|---:|---|");
    ladder_print(b->out, b->word[0] ? b->word[0] : "results/ladder.tsv", true);
}

/* The versions of a kernel, gemm or depthwise. */
static void put_kernels(const Block *b)
{
    const Table *t = table_read("results/kernels.tsv");
    put_head(b, "| version | what is new | threads | ms | GFLOP/s | of FMA peak |",
             "| version | what is new | threads | ms | GFLOP/s | of FMA peak |",
             "|---|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++)
        if (strcmp(table_cell(t, i, "kernel"), step_of(b)) == 0)
            fprintf(b->out, "| `%s` | %s | %s | %.3f | %.1f | %.1f %% |\n",
                    table_cell(t, i, "version"), table_cell(t, i, "change"),
                    table_cell(t, i, "threads"), table_number(t, i, "ms"),
                    table_number(t, i, "gflops"),
                    100 * table_number(t, i, "gflops") / table_number(t, i, "peak_gflops"));
}

/* The row of a network's measurement; the number of rows where there is none. */
static size_t speed_row(const Table *t, const char *network, const char *mode, const char *batch)
{
    size_t i = 0;
    while (i < t->rows && (strcmp(table_cell(t, i, "network"), network) != 0 ||
                           strcmp(table_cell(t, i, "mode"), mode) != 0 ||
                           strcmp(table_cell(t, i, "batch"), batch) != 0))
        i++;
    return i;
}

static void put_speed_row(const Block *b, const Table *t, const char *network)
{
    static const char *const works[][2] = { { "infer", "1" }, { "infer", "8" }, { "train", "8" } };
    size_t row = t->rows;
    fprintf(b->out, "| %s |", network);
    for (size_t k = 0; k < 3; k++) {
        row = speed_row(t, network, works[k][0], works[k][1]);
        if (row < t->rows)
            fprintf(b->out, " %.1f | %.0f |",
                    table_number(t, row, "median_ms") / table_number(t, row, "batch"),
                    table_number(t, row, "gflops"));
        else
            fprintf(b->out, " - | - |");
    }
    if (row < t->rows)
        fprintf(b->out, " %.0f |\n", table_number(t, row, "peak_mb"));
    else
        fprintf(b->out, " - |\n");
}

/* All steps, or those of another file. */
static void put_speed(const Block *b)
{
    const Table *t = table_read(b->word[0] ? b->word[0] : "results/speed.tsv");
    static const char head[] =
        "| step | ms per image, batch 1 | GFLOP/s | ms per image, batch 8 | GFLOP/s |"
        " ms per image, training, batch 8 | GFLOP/s | MiB, training |";
    put_head(b, head, head, "|---|---:|---:|---:|---:|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++) {
        const char *network = table_cell(t, i, "network");
        if (table_find(t, "network", network) == i)
            put_speed_row(b, t, network);
    }
}

/* Other programs with the same work. */
static void put_peers(const Block *b)
{
    static const char *const columns[] = { "work",        "batch", "threads", "ours_gflops", "peer",
                                           "peer_gflops", "ratio", "ours_mb", "peer_mb" };
    static const char head[] = "| work | batch | threads | GFLOP/s here | the peer | its GFLOP/s |"
                               " times as fast | MiB here | its MiB |";
    const Table *t = table_read("results/peers.tsv");
    put_head(b, head, head, "|---|---:|---:|---:|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++) {
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
            fprintf(b->out, "| %s ", table_cell(t, i, columns[k]));
        fprintf(b->out, "|\n");
    }
}

/* The held-out accuracy of the search for the learning rate. */
static void put_search(const Block *b)
{
    const Table *t = table_read("results/search.tsv");
    put_head(b, "| step | learning rate | batch | held out, % |",
             "| 步 | 学习率 | 批量 | 留出集，% |", "|---|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++)
        fprintf(b->out, "| %s | %s | %s | %s |\n", table_cell(t, i, "step"), table_cell(t, i, "lr"),
                table_cell(t, i, "batch"), table_cell(t, i, "held_out_top1"));
}

/* Rows of the paper's Table 10. */
static void put_paper(const Block *b)
{
    const Table *t = table_read("tests/data/paper_roadmap.tsv");
    put_head(b,
             "| row | the paper's network | top-1, % | its GFLOPs | MACs here | parameters here |",
             "| 行 | 论文的网络 | top-1，% | 论文的 GFLOPs | 实际 MACs | 实际参数 |",
             "|---:|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++)
        for (char *const *row = b->word; *row; row++)
            if (strcmp(table_cell(t, i, "row"), *row) == 0)
                fprintf(b->out, "| %s | %s | %s ± %s | %s | %.3f G | %.3f M |\n",
                        table_cell(t, i, "row"), table_cell(t, i, "change"),
                        table_cell(t, i, "accuracy"), table_cell(t, i, "std"),
                        table_cell(t, i, "gflops_printed"), table_number(t, i, "macs") / 1e9,
                        table_number(t, i, "parameters") / 1e6);
}

/* --- what training came to ------------------------------------------------------------------- */

/* Every step that was trained, in the order of the ladder, beside the paper's. */
static void put_accuracy(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *paper = table_read("results/paper.tsv"),
                *ladder = table_read("results/ladder.tsv");
    Sample before = { 0 };
    double paper_before = 0;
    put_head(b, "| step | test accuracy, % | change | M MACs | ImageNet, the paper, % | change |",
             "| 步 | 测试准确率，% | 变化 | M MACs | 论文的 ImageNet，% | 变化 |",
             "|---|---:|---:|---:|---:|---:|");
    for (size_t i = 0; i < ladder->rows; i++) {
        const char *step = table_cell(ladder, i, "step");
        Sample test = sample_of(runs, step, "test_top1");
        if (test.n == 0)
            continue;
        size_t row = table_find(paper, "step", step);
        const char *theirs = row < paper->rows ? table_cell(paper, row, "accuracy") : "-";
        fprintf(b->out, "| %s | %s | %s | %.1f | %s | ", step, sample_spread(test).text,
                before.n ? sample_difference(test, before).text : "",
                table_number(ladder, i, "small_macs") / 1e6, theirs);
        if (atof(theirs) != 0 && paper_before != 0)
            fprintf(b->out, "%+.2f", atof(theirs) - paper_before);
        fprintf(b->out, " |\n");
        before = test;
        paper_before = atof(theirs);
    }
}

/* A step's runs, and above them those of the step before. */
static void put_measured(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *ladder = table_read("results/ladder.tsv");
    const char *last = lesson_beside(step_of(b), -1);
    put_head(b, "| Fashion-MNIST, preset `small` | seeds | M MACs | test accuracy, % |",
             "| Fashion-MNIST，preset `small` | 种子数 | M MACs | 测试准确率，% |",
             "|---|---:|---:|---:|");
    for (size_t i = 0; i < ladder->rows; i++) {
        const char *step = table_cell(ladder, i, "step");
        Sample test = sample_of(runs, step, "test_top1");
        if (test.n && (strcmp(step, step_of(b)) == 0 || (last && strcmp(step, last) == 0)))
            fprintf(b->out, "| %s | %d | %.1f | %s |\n", step, test.n,
                    table_number(ladder, i, "small_macs") / 1e6, sample_spread(test).text);
    }
}

/* The steps with one more edit beside the steps as they are. */
static void put_variants(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *edits = table_read("results/variants.tsv"),
                *edited = table_read("results/variants_accuracy.tsv");
    put_head(b, "| variant | seeds | test accuracy, % | its step's, % | difference |",
             "| 变体 | 种子数 | 测试准确率，% | 原步骤，% | 差 |", "|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < edits->rows; i++) {
        const char *variant = table_cell(edits, i, "variant");
        Sample own = sample_of(edited, variant, "test_top1");
        Sample step = sample_of(runs, table_cell(edits, i, "step"), "test_top1");
        if (own.n)
            fprintf(b->out, "| `%s` | %d | %s | %s | %s |\n", variant, own.n,
                    sample_spread(own).text, sample_spread(step).text,
                    sample_difference(own, step).text);
    }
}

/* Twice the epochs, with the seed that these runs have. */
static void put_longer(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *twice = table_read("results/longer_accuracy.tsv");
    put_head(b, "| step | 10 epochs, % | 20 epochs, % | difference |",
             "| 步 | 10 轮，% | 20 轮，% | 差 |", "|---|---:|---:|---:|");
    for (size_t i = 0; i < twice->rows; i++)
        for (size_t k = 0; k < runs->rows; k++) {
            double before = table_number(runs, k, "test_top1");
            double now = table_number(twice, i, "test_top1");
            if (strcmp(table_cell(runs, k, "step"), table_cell(twice, i, "step")) == 0 &&
                strcmp(table_cell(runs, k, "seed"), table_cell(twice, i, "seed")) == 0)
                fprintf(b->out, "| %s | %.2f | %.2f | %+.2f |\n", table_cell(twice, i, "step"),
                        before, now, now - before);
        }
}

/* --- lessons --------------------------------------------------------------------------------- */

/* Where to go from here. */
static void put_nav(const Block *b)
{
    const char *step = step_of(b), *last = lesson_beside(step, -1), *next = lesson_beside(step, 1);
    if (last)
        fprintf(b->out, "← [%s](%s.md) · ", last, last);
    fprintf(b->out, "[%s](%ssteps/%s/main.c) · ", say(b, "the code", "代码"), up(b), step);
    fprintf(b->out, "[%s](README.md) · ", say(b, "all lessons", "全部课程"));
    fprintf(b->out, "[%s](%s#%s) · ", say(b, "in the browser", "在浏览器里"),
            say(b, "../README.md", "../../README.zh-CN.md"),
            say(b, "in-the-browser", "在浏览器里"));
    fprintf(b->out, b->chinese ? "[English](../%s.md)" : "[中文](zh/%s.md)", step);
    if (next)
        fprintf(b->out, " · [%s](%s.md) →", next, next);
    fprintf(b->out, "\n");
}

static void put_diff(const Block *b)
{
    fprintf(b->out, "```diff\n%s```\n", step_diff(step_of(b)));
}

/* A lesson's heading without its number, in the language of the page. */
static char *heading_of(const Block *b, const char *step)
{
    char *path = str_format("docs/%s%s.md", b->chinese ? "zh/" : "", step);
    Page page = page_read(path);
    const char *heading = page.count ? after(page.lines[0].text, "# ") : NULL;
    heading = heading ? heading + strspn(heading, "0123456789 ") : "";
    char *text = str_format("%s", *heading ? heading : step);
    page_free(&page);
    free(path);
    return text;
}

/* The table of all lessons. */
static void put_lessons(const Block *b)
{
    put_head(b, "| step | what changes | lesson | diff |", "| 步 | 改了什么 | 课程 | diff |",
             "|---|---|---|---|");
    for (char **step = lessons(); *step; step++) {
        char *heading = heading_of(b, *step);
        fprintf(b->out, "| [%.*s](%ssteps/%s/main.c) | %s | [%s](%s.md) | ",
                (int)strcspn(*step, "_"), *step, up(b), *step, step_report(*step, "small")->title,
                heading, *step);
        if (after(step_diff(*step), "--- "))
            fprintf(b->out, "[diff](%sdocs/diffs/%s.diff)", up(b), *step);
        fprintf(b->out, " |\n");
        free(heading);
    }
}

/* --- figures --------------------------------------------------------------------------------- */

/* "1,234,567". */
static Cell grouped(double number)
{
    Cell digits, text = { "" };
    int left = snprintf(digits.text, sizeof digits.text, "%.0f", number);
    for (char *to = text.text, *from = digits.text; left > 0; left--) {
        *to++ = *from++;
        if (left > 1 && left % 3 == 1)
            *to++ = ',';
    }
    return text;
}

static const char *const figures[][2] = {
    { "parameters", "参数" },
    { "MACs", "MACs" },
    { "encoder gives", "encoder 输出" },
    { "weights + largest output, MiB", "权重 + 最大的一层输出，MiB" },
};

/* One of the figures of a network; "-" of none. */
static Cell figure(const Report *r, int which)
{
    const double mib = 1 << 18; /* numbers */
    Cell text = { "-" };
    if (r && which < 2)
        text = grouped(which == 0 ? r->parameters : r->macs);
    else if (r && which == 2)
        snprintf(text.text, sizeof text.text, "%s", r->encoder);
    else if (r)
        snprintf(text.text, sizeof text.text, "%.1f + %.2f", r->parameters / mib, r->largest / mib);
    return text;
}

/* Puts the first `count` figures, beside those of the step before (NULL: there is none). */
static void put_figures(const Block *b, const char *preset, int count, const char *last,
                        const char *step)
{
    const Report *now = step_report(step, preset);
    const Report *before = last && now ? step_report(last, preset) : NULL;
    for (int i = 0; now && i < count; i++) {
        fprintf(b->out, "| `%s`: %s | ", preset, say(b, figures[i][0], figures[i][1]));
        if (last)
            fprintf(b->out, "%s | ", figure(before, i).text);
        fprintf(b->out, "%s |\n", figure(now, i).text);
    }
}

/* The whole network in figures, beside the step before. */
static void put_numbers(const Block *b)
{
    const char *step = step_of(b), *last = lesson_beside(step, -1);
    const Table *speed = table_read("results/speed.tsv");
    if (last)
        fprintf(b->out, "| | %s | %s |\n|---|---:|---:|\n", last, step);
    else
        fprintf(b->out, "| | %s |\n|---|---:|\n", step);
    put_figures(b, "article", 4, last, step);
    put_figures(b, "paper", 4, last, step);
    put_figures(b, "small", 2, last, step);
    fprintf(b->out, "| %s", say(b, "`paper`: ms per image", "`paper`：每张图片毫秒数"));
    for (int i = last ? 0 : 1; i < 2; i++) {
        size_t row = speed_row(speed, i ? step : last, "infer", "1");
        fprintf(b->out, " | %s",
                row < speed->rows ? table_cell(speed, row, "median_ms")
                                  : say(b, "not measured yet", "尚未测量"));
    }
    fprintf(b->out, " |\n");
}

static void put_part(const Block *b, const Part *part)
{
    fprintf(b->out, " %s | %s | %s |", part->output, grouped(part->parameters).text,
            grouped(part->macs).text);
}

/* Are the parts of two networks called the same? */
static bool same_parts(const Report *a, const Report *b)
{
    bool same = a->parts.count == b->parts.count;
    for (size_t i = 0; same && i < a->parts.count; i++)
        same = strcmp(a->parts.list[i].name, b->parts.list[i].name) == 0;
    return same;
}

/* parts STEP PRESET: shape, parameters and MACs of stem, stages and head; beside the step before,
 * where its parts are called the same. */
static void put_parts(const Block *b)
{
    const char *step = step_of(b), *last = lesson_beside(step, -1), *preset = b->word[1];
    const Report *now = preset ? step_report(step, preset) : NULL;
    const Report *before = now && last ? step_report(last, preset) : NULL;
    const char *head = say(b, " output | parameters | MACs |", " 输出 | 参数 | MACs |");
    if (!now)
        error_die(EXIT_FAILED, b->page, "parts %s: of which network?", step);
    if (before && !same_parts(before, now))
        before = NULL;
    fprintf(b->out, "| `%s` |%s%s\n|---|%s---|---:|---:|\n", preset, before ? head : "", head,
            before ? "---|---:|---:|" : "");
    for (size_t i = 0; i < now->parts.count; i++) {
        fprintf(b->out, "| %s |", now->parts.list[i].name);
        if (before)
            put_part(b, before->parts.list + i);
        put_part(b, now->parts.list + i);
        fprintf(b->out, "\n");
    }
}

/* drawing STEP: the step beside the one before it. */
static void put_drawing(const Block *b)
{
    const char *step = step_of(b), *before = lesson_beside(step, -1), *words;
    step_drawing(step, &words);
    fprintf(b->out, "![");
    if (strncmp(words, "report", 6) == 0)
        fprintf(b->out, say(b, "%s, layer by layer", "%s 的各层"), step);
    else
        fprintf(b->out, say(b, "%s and %s side by side", "%s 与 %s 并排"),
                strstr(words, "--to-row") ? step : before, step);
    fprintf(b->out, "](%sdocs/drawings/%s.svg)\n\n", up(b), step);
    fprintf(b->out, say(b, "Drawn by `build/%s %s`.\n", "绘制命令：`build/%s %s`。\n"), step,
            words);
}

/* --- the blocks ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*put)(const Block *block);
} blocks[] = {
    { "accuracy", put_accuracy }, { "diff", put_diff },         { "drawing", put_drawing },
    { "kernels", put_kernels },   { "ladder", put_ladder },     { "lessons", put_lessons },
    { "longer", put_longer },     { "measured", put_measured }, { "nav", put_nav },
    { "numbers", put_numbers },   { "paper", put_paper },       { "parts", put_parts },
    { "peers", put_peers },       { "search", put_search },     { "speed", put_speed },
    { "variants", put_variants },
};

char *block_text(const char *page, char *const *words)
{
    size_t i = 0;
    while (i < sizeof blocks / sizeof *blocks && strcmp(blocks[i].name, words[0]) != 0)
        i++;
    if (i == sizeof blocks / sizeof *blocks)
        error_die(EXIT_FAILED, page, "no block is called '%s'", words[0]);
    Text text;
    text_open(&text);
    blocks[i].put(&(Block){ .page = page,
                            .chinese = after(page, "docs/zh/") || strstr(page, "zh-CN"),
                            .out = text.out,
                            .word = words + 1 });
    text_close(&text);
    return text.bytes;
}
