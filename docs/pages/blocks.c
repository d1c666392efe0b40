#include "blocks.h"

#include "base/error.h"
#include "block.h"
#include "ladder.h"
#include "page.h"
#include "table.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *block_say(const Block *b, const char *english, const char *chinese)
{
    return b->chinese ? chinese : english;
}

const char *block_phrase(const Block *b, const char *english)
{
    return b->chinese ? words_chinese(english) : english;
}

void block_head(const Block *b, const char *english, const char *chinese, const char *line)
{
    fprintf(b->out, "%s\n%s\n", block_say(b, english, chinese), line);
}

const char *block_up(const Block *b)
{
    static const char up[] = "../../../";
    int folders = 0;
    for (const char *at = b->page; (at = strchr(at, '/')); at++)
        folders++;
    return up + sizeof up - 1 - 3 * folders;
}

const char *block_step(const Block *b)
{
    if (!b->word[0])
        error_die(EXIT_FAILED, b->page, "a block of which step?");
    return b->word[0];
}

/* --- tables of results/ ---------------------------------------------------------------------- */

static void put_ladder(const Block *b)
{
    block_head(b,
               "| step | M parameters, article | G MACs, article | M parameters, paper |"
               " G MACs, paper | encoder, article |",
               "| 步 | 参数（M），文章 | MACs（G），文章 | 参数（M），论文 | MACs（G），论文 | "
               "编码器输出，文章 |",
               "|---|---:|---:|---:|---:|---|");
    ladder_print(b->out, b->word[0] ? b->word[0] : "results/ladder.tsv", true);
}

/* The versions of a kernel, gemm or depthwise. */
static void put_kernels(const Block *b)
{
    const Table *t = table_read("results/kernels.tsv");
    block_head(b, "| version | what is new | threads | ms | GFLOP/s | % of FMA peak |",
               "| 版本 | 新的做法 | 线程数 | 毫秒 | GFLOP/s | 占 FMA 峰值的 % |",
               "|---|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++)
        if (strcmp(table_cell(t, i, "kernel"), block_step(b)) == 0)
            fprintf(b->out, "| `%s` | %s | %s | %.3f | %.1f | %.1f |\n",
                    table_cell(t, i, "version"), block_phrase(b, table_cell(t, i, "change")),
                    table_cell(t, i, "threads"), table_number(t, i, "ms"),
                    table_number(t, i, "gflops"),
                    100 * table_number(t, i, "gflops") / table_number(t, i, "peak_gflops"));
}

size_t block_speed_row(const Table *t, const char *network, const char *mode, const char *batch)
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
        row = block_speed_row(t, network, works[k][0], works[k][1]);
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
    block_head(b,
               "| step | ms per image, batch 1 | GFLOP/s | ms per image, batch 8 | GFLOP/s |"
               " ms per image, training, batch 8 | GFLOP/s | MiB, training |",
               "| 步 | 每张图像毫秒，批量 1 | GFLOP/s | 每张图像毫秒，批量 8 | GFLOP/s |"
               " 训练每张图像毫秒，批量 8 | GFLOP/s | 训练占用 MiB |",
               "|---|---:|---:|---:|---:|---:|---:|---:|");
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
    const Table *t = table_read("results/peers.tsv");
    block_head(b,
               "| work | batch | threads | GFLOP/s here | the peer | its GFLOP/s |"
               " times as fast | MiB here | its MiB |",
               "| 任务 | 批量 | 线程数 | 本项目 GFLOP/s | 对照程序 | 对照 GFLOP/s |"
               " 速度之比 | 本项目 MiB | 对照 MiB |",
               "|---|---:|---:|---:|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++) {
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
            fprintf(b->out, "| %s ", block_phrase(b, table_cell(t, i, columns[k])));
        fprintf(b->out, "|\n");
    }
}

/* The held-out accuracy of the search for the learning rate. */
static void put_search(const Block *b)
{
    const Table *t = table_read("results/search.tsv");
    block_head(b, "| step | learning rate | batch | held out, % |",
               "| 步 | 学习率 | 批量 | 留出集，% |", "|---|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++)
        fprintf(b->out, "| %s | %s | %s | %s |\n", table_cell(t, i, "step"), table_cell(t, i, "lr"),
                table_cell(t, i, "batch"), table_cell(t, i, "held_out_top1"));
}

/* Rows of the paper's Table 10. */
static void put_paper(const Block *b)
{
    const Table *t = table_read("tests/data/paper_roadmap.tsv");
    block_head(
        b,
        "| row | the paper's network | top-1, % | its GFLOPs | MACs, our count | parameters, our "
        "count |",
        "| 行 | 论文的网络 | top-1，% | 论文的 GFLOPs | MACs，本项目统计 | 参数量，本项目统计 |",
        "|---:|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < t->rows; i++)
        for (char *const *row = b->word; *row; row++)
            if (strcmp(table_cell(t, i, "row"), *row) == 0)
                fprintf(b->out, "| %s | %s | %s ± %s | %s | %.3f G | %.3f M |\n",
                        table_cell(t, i, "row"), block_phrase(b, table_cell(t, i, "change")),
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
    block_head(b, "| step | test accuracy, % | change | M MACs | ImageNet, the paper, % | change |",
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

/* Twice the epochs, with the seed that these runs have. */
static void put_longer(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *twice = table_read("results/longer_accuracy.tsv");
    block_head(b, "| step | 10 epochs, % | 20 epochs, % | difference |",
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

/* --- the blocks ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*put)(const Block *block);
} blocks[] = {
    { "accuracy", put_accuracy },
    { "altered", block_altered },
    { "alterations", block_alterations },
    { "diff", block_diff },
    { "diffs", block_diffs },
    { "drawing", block_drawing },
    { "exercise", block_exercise },
    { "kernels", put_kernels },
    { "ladder", put_ladder },
    { "lessons", block_lessons },
    { "longer", put_longer },
    { "measured", block_measured },
    { "nav", block_nav },
    { "numbers", block_numbers },
    { "op", block_op },
    { "paper", put_paper },
    { "parts", block_parts },
    { "peers", put_peers },
    { "rows", block_rows },
    { "search", put_search },
    { "speed", put_speed },
    { "trainings", block_trainings },
    { "variants", block_variants },
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
