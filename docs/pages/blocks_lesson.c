/* Blocks of lessons: what a step changes, costs and gains. */
#include "base/error.h"
#include "base/memory.h"
#include "block.h"
#include "cli/print.h"
#include "page.h"
#include "steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the lesson and its step ------------------------------------------------------------------ */

/* In docs/answers: back to the lesson. */
static void put_way_back(const Block *b, const char *step)
{
    fprintf(b->out, "[%s](../%s.md) · [%s](../README.md) · ", block_say(b, "the lesson", "课文"),
            step, block_say(b, "all lessons", "全部课程"));
    fprintf(b->out,
            b->chinese ? "[English](../../answers/%s.md)\n" : "[中文](../zh/answers/%s.md)\n",
            step);
}

void block_nav(const Block *b)
{
    const char *step = block_step(b), *last = lesson_beside(step, -1),
               *next = lesson_beside(step, 1);
    if (strstr(b->page, "/answers/")) {
        put_way_back(b, step);
        return;
    }
    if (last)
        fprintf(b->out, "← [%s](%s.md) · ", last, last);
    fprintf(b->out, "[%s](%ssteps/%s/main.c) · ", block_say(b, "the code", "代码"), block_up(b),
            step);
    fprintf(b->out, "[%s](README.md) · ", block_say(b, "all lessons", "全部课程"));
    fprintf(b->out, "[%s](%s#%s) · ", block_say(b, "in the browser", "在浏览器里"),
            block_say(b, "../README.md", "../../README.zh-CN.md"),
            block_say(b, "in-the-browser", "在浏览器里"));
    fprintf(b->out, b->chinese ? "[English](../%s.md)" : "[中文](zh/%s.md)", step);
    if (next)
        fprintf(b->out, " · [%s](%s.md) →", next, next);
    fprintf(b->out, "\n");
}

void block_diff(const Block *b)
{
    fprintf(b->out, "```diff\n%s```\n", step_diff(block_step(b)));
}

/* Returns a lesson's heading without its number, in the language of the page. */
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

void block_lessons(const Block *b)
{
    block_head(b, "| step | what changes | lesson | diff |", "| 步 | 改动 | 课文 | diff |",
               "|---|---|---|---|");
    for (char **step = lessons(); *step; step++) {
        char *heading = heading_of(b, *step);
        fprintf(b->out, "| [%.*s](%ssteps/%s/main.c) | %s | [%s](%s.md) | ",
                (int)strcspn(*step, "_"), *step, block_up(b), *step,
                block_phrase(b, step_report(*step, "small")->title), heading, *step);
        if (after(step_diff(*step), "--- "))
            fprintf(b->out, "[diff](%sdocs/diffs/%s.diff)", block_up(b), *step);
        fprintf(b->out, " |\n");
        free(heading);
    }
}

/* How many lines of a diff begin so, but for the names of the files. */
static int lines_with(const char *diff, char first)
{
    int count = -1;
    for (const char *line = diff; *line; line += *line == '\n') {
        count += *line == first;
        line += strcspn(line, "\n");
    }
    return count;
}

void block_diffs(const Block *b)
{
    block_head(b, "| step | title | removed | added |", "| 步 | 改动 | 删除行 | 新增行 |",
               "|---|---|---:|---:|");
    for (char **step = lessons(); *step; step++) {
        const char *diff = step_diff(*step);
        if (after(diff, "--- "))
            fprintf(b->out, "| [%s](%sdocs/diffs/%s.diff) | %s | %d | %d |\n", *step, block_up(b),
                    *step, block_phrase(b, step_report(*step, "small")->title),
                    lines_with(diff, '-'), lines_with(diff, '+'));
    }
}

void block_drawing(const Block *b)
{
    const char *step = block_step(b), *before = lesson_beside(step, -1), *words;
    step_drawing(step, &words);
    fprintf(b->out, "![");
    if (strncmp(words, "report", 6) == 0)
        fprintf(b->out, block_say(b, "%s, layer by layer", "%s 的各层"), step);
    else
        fprintf(b->out, block_say(b, "%s and %s side by side", "%s 与 %s 并排"),
                strstr(words, "--to-row") ? step : before, step);
    fprintf(b->out, "](%sdocs/drawings/%s%s.svg)\n\n", block_up(b), block_say(b, "", "zh/"), step);
    fprintf(b->out, block_say(b, "Drawn by `build/%s %s`.\n", "绘制命令：`build/%s %s`。\n"), step,
            words);
}

/* --- the operator ----------------------------------------------------------------------------- */

/* The lines of a function and of the comment above it. */
typedef struct {
    size_t first, end;
} Span;

/* Is it the line where a function of this name begins? */
static bool begins_function(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    bool at_margin = *line && !strchr(" \t/*#}", *line);
    return at_margin && at && at > line && strchr(" *", at[-1]) && at[strlen(name)] == '(' &&
           line[strlen(line) - 1] != ';';
}

/* Finds a function; an empty span where there is none. */
static Span find_function(const Page *page, const char *name)
{
    size_t at = 0;
    while (at < page->count && !begins_function(page->lines[at].text, name))
        at++;
    Span span = { at, at };
    while (span.end < page->count && strcmp(page->lines[span.end].text, "}") != 0)
        span.end++;
    span.end += span.end < page->count;
    const char *above = at ? page->lines[at - 1].text : "";
    size_t length = strlen(above);
    if (at < page->count && length >= 2 && strcmp(above + length - 2, "*/") == 0)
        do
            span.first--;
        while (span.first && !after(page->lines[span.first].text, "/*"));
    return span;
}

void block_op(const Block *b)
{
    char *path = str_format("common/ops/%s.c", block_step(b));
    Page page = page_read(path);
    fprintf(b->out, block_say(b, "From [%s](%s%s):", "摘自 [%s](%s%s)："), path, block_up(b), path);
    for (char *const *name = b->word + 1; *name; name++) {
        Span span = find_function(&page, *name);
        if (span.first == span.end)
            error_die(EXIT_FAILED, b->page, "op: %s has no function %s", path, *name);
        fprintf(b->out, "%s[`%s`](%s%s#L%zu-L%zu)",
                name > b->word + 1 ? block_say(b, ", ", "、") : block_say(b, " ", ""), *name,
                block_up(b), path, span.first + 1, span.end);
    }
    fprintf(b->out, "%s\n\n```c\n", block_say(b, ".", "。"));
    for (char *const *name = b->word + 1; *name; name++) {
        Span span = find_function(&page, *name);
        char *text = page_text(&page, span.first, span.end);
        fprintf(b->out, "%s%s", name > b->word + 1 ? "\n" : "", text);
        free(text);
    }
    fprintf(b->out, "```\n");
    page_free(&page);
    free(path);
}

/* --- what it costs ---------------------------------------------------------------------------- */

/* "1,234,567". */
static Cell grouped(double number)
{
    Cell text;
    print_count_text((uint64_t)number, text.text);
    return text;
}

static const char *const figures[][2] = {
    { "parameters", "参数量" },
    { "MACs", "MACs" },
    { "output of the encoder", "编码器输出" },
    { "weights + largest output, MiB", "权重 + 最大的一层输出，MiB" },
};

/* How many of them are told of each preset. */
static const struct {
    const char *name;
    int figures;
} presets[] = { { "article", 4 }, { "paper", 4 }, { "small", 2 } };
enum { PRESETS = 3 };

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

/* Prints a preset's figures beside those of the step before (NULL: there is none). */
static void put_figures(const Block *b, int preset, const char *last, const char *step)
{
    const char *name = presets[preset].name;
    const Report *now = step_report(step, name);
    const Report *before = last && now ? step_report(last, name) : NULL;
    for (int i = 0; now && i < presets[preset].figures; i++) {
        fprintf(b->out, "| `%s`%s%s | ", name, block_say(b, ": ", "："),
                block_say(b, figures[i][0], figures[i][1]));
        if (last)
            fprintf(b->out, "%s | ", figure(before, i).text);
        fprintf(b->out, "%s |\n", figure(now, i).text);
    }
}

/* Are all figures those of the step before? */
static bool same_figures(const char *last, const char *step)
{
    bool same = true;
    for (int p = 0; p < PRESETS && same; p++) {
        const Report *now = step_report(step, presets[p].name);
        const Report *before = step_report(last, presets[p].name);
        same = !now == !before;
        for (int i = 0; same && now && i < presets[p].figures; i++)
            same = strcmp(figure(now, i).text, figure(before, i).text) == 0;
    }
    return same;
}

/* Milliseconds to three digits, "-" where they were not measured. */
static Cell milliseconds(const char *step)
{
    const Table *speed = table_read("results/speed.tsv");
    size_t row = block_speed_row(speed, step, "infer", "1");
    Cell text = { "-" };
    if (row < speed->rows) {
        double ms = table_number(speed, row, "median_ms");
        snprintf(text.text, sizeof text.text, "%.*f", ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
    }
    return text;
}

/* "2 threads, AMD EPYC": where times were measured. */
static Cell machine(const Block *b, const char *step)
{
    const Table *speed = table_read("results/speed.tsv");
    size_t row = block_speed_row(speed, step, "infer", "1");
    Cell text = { "-" };
    if (row < speed->rows)
        snprintf(text.text, sizeof text.text, block_say(b, "%s threads, %.40s", "%s 个线程，%.40s"),
                 table_cell(speed, row, "threads"), table_cell(speed, row, "cpu"));
    return text;
}

static void put_time(const Block *b, const char *last, const char *step)
{
    fprintf(b->out,
            block_say(b, "| `paper`: ms per image (%s, batch 1) | ",
                      "| `paper`：每张图像毫秒数（%s，批量 1）| "),
            machine(b, step).text);
    if (last)
        fprintf(b->out, "%s | ", milliseconds(last).text);
    fprintf(b->out, "%s |\n", milliseconds(step).text);
}

void block_numbers(const Block *b)
{
    const char *step = block_step(b), *last = lesson_beside(step, -1);
    if (last && same_figures(last, step)) {
        fprintf(b->out,
                block_say(b,
                          "Parameters, MACs and shapes of all three presets are those of step "
                          "%.2s. An image takes %s ms before and %s ms after (preset `paper`, %s, "
                          "batch 1).\n",
                          "三个预设的参数量、MACs 和形状都与第 %.2s 步相同。每张图像改动前 %s "
                          "毫秒，改动后 %s 毫秒（预设 `paper`，%s，批量 1）。\n"),
                last, milliseconds(last).text, milliseconds(step).text, machine(b, step).text);
        return;
    }
    if (last)
        fprintf(b->out,
                block_say(b, "| | before: %s | after: %s |\n|---|---:|---:|\n",
                          "| | 改动前：%s | 改动后：%s |\n|---|---:|---:|\n"),
                last, step);
    else
        fprintf(b->out, "| | %s |\n|---|---:|\n", step);
    for (int p = 0; p < PRESETS; p++)
        put_figures(b, p, last, step);
    put_time(b, last, step);
}

static bool same_counts(const Part *a, const Part *b)
{
    return strcmp(a->output, b->output) == 0 && a->parameters == b->parameters &&
           a->macs == b->macs;
}

/* Have two networks parts of the same names? */
static bool same_parts(const Report *a, const Report *b)
{
    bool same = a->parts.count == b->parts.count;
    for (size_t i = 0; same && i < a->parts.count; i++)
        same = strcmp(a->parts.list[i].name, b->parts.list[i].name) == 0;
    return same;
}

/* Prints a row; before: NULL where there is no step before. */
static void put_part(const Block *b, const Part *before, const Part *now)
{
    fprintf(b->out, "| %s | ", block_phrase(b, now->name));
    if (before && strcmp(before->output, now->output) != 0)
        fprintf(b->out, "%s → ", before->output);
    fprintf(b->out, "%s | ", now->output);
    if (before)
        fprintf(b->out, "%s | ", grouped(before->parameters).text);
    fprintf(b->out, "%s | ", grouped(now->parameters).text);
    if (before)
        fprintf(b->out, "%s | ", grouped(before->macs).text);
    fprintf(b->out, "%s |\n", grouped(now->macs).text);
}

void block_parts(const Block *b)
{
    const char *step = block_step(b), *last = lesson_beside(step, -1), *preset = b->word[1];
    const Report *now = preset ? step_report(step, preset) : NULL;
    const Report *before = now && last ? step_report(last, preset) : NULL;
    if (!now)
        error_die(EXIT_FAILED, b->page, "parts %s: of which network?", step);
    if (before && !same_parts(before, now))
        before = NULL;
    size_t same = 0;
    for (size_t i = 0; before && i < now->parts.count; i++)
        same += same_counts(before->parts.list + i, now->parts.list + i);
    if (before && same == now->parts.count) {
        fprintf(b->out,
                block_say(b,
                          "Stem, stages and head have the output shapes, parameters and MACs of "
                          "step %.2s, each of them.\n",
                          "stem、各阶段和分类头的输出形状、参数量和 MACs 都与第 %.2s 步相同。\n"),
                last);
        return;
    }
    if (before)
        fprintf(b->out,
                block_say(b,
                          "| `%s` | output | parameters before | after | MACs before | after |\n",
                          "| `%s` | 输出 | 参数量：改动前 | 改动后 | MACs：改动前 | 改动后 |\n"),
                preset);
    else
        fprintf(b->out,
                block_say(b, "| `%s` | output | parameters | MACs |\n",
                          "| `%s` | 输出 | 参数量 | MACs |\n"),
                preset);
    fprintf(b->out, before ? "|---|---|---:|---:|---:|---:|\n" : "|---|---|---:|---:|\n");
    for (size_t i = 0; i < now->parts.count; i++)
        put_part(b, before ? before->parts.list + i : NULL, now->parts.list + i);
}
