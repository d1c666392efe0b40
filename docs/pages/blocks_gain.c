/* Blocks of what training came to: means of runs with different seeds. */
#include "base/error.h"
#include "block.h"
#include "page.h"
#include "steps.h"

#include <ctype.h>
#include <string.h>

/* Says what both kinds of ± are. */
static void put_legend(const Block *b)
{
    fprintf(b->out, "\n%s\n",
            block_say(b,
                      "± beside an accuracy is the standard deviation over the seeds, beside a "
                      "difference the standard error of the difference.",
                      "准确率后的 ± 是各随机种子的标准差，差值后的 ± 是差的标准误。"));
}

static void put_altered_heads(const Block *b, char *const *alteration)
{
    for (; *alteration; alteration++)
        fprintf(b->out, block_say(b, " with `%s`, %% |", " 加 `%s`，%% |"), *alteration);
    fprintf(b->out, "\n");
}

/* Ends a head of `count` columns, of which all after the first `left` are figures. */
static void put_rule(const Block *b, int left, int count)
{
    fprintf(b->out, "|");
    for (int i = 0; i < count; i++)
        fprintf(b->out, i < left ? "---|" : "---:|");
    fprintf(b->out, "\n");
}

static int words_in(char *const *word)
{
    int count = 0;
    while (word[count])
        count++;
    return count;
}

/* --- steps ------------------------------------------------------------------------------------ */

static Sample altered_in(const char *table, const char *network, const char *alteration)
{
    return sample_where(table_read(table),
                        (const char *const[][2]){
                            { "network", network }, { "alteration", alteration }, { NULL, NULL } },
                        "top1");
}

static Sample altered(const char *step, const char *alteration)
{
    return altered_in("results/altered.tsv", step, alteration);
}

static void put_measured_row(const Block *b, const char *when, const char *step, Sample test)
{
    const Table *ladder = table_read("results/ladder.tsv");
    fprintf(b->out, "| %s%s | %d | %.1f | %s |", when, step, test.n,
            table_number(ladder, table_find(ladder, "step", step), "small_macs") / 1e6,
            sample_spread(test).text);
    for (char *const *kind = b->word + 1; *kind; kind++)
        fprintf(b->out, " %s |", sample_spread(altered(step, *kind)).text);
    fprintf(b->out, "\n");
}

void block_measured(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv");
    const char *step = block_step(b), *last = lesson_beside(step, -1);
    Sample test = sample_of(runs, step, "test_top1"),
           before = last ? sample_of(runs, last, "test_top1") : (Sample){ 0 };
    if (test.n == 0)
        error_die(EXIT_FAILED, b->page, "measured %s: there is no run of it", step);
    fprintf(b->out, "%s",
            block_say(b, "| Fashion-MNIST, preset `small` | seeds | M MACs | test accuracy, % |",
                      "| Fashion-MNIST，预设 `small` | 种子数 | MACs（M）| 测试准确率，% |"));
    put_altered_heads(b, b->word + 1);
    put_rule(b, 1, 4 + words_in(b->word + 1));
    if (before.n)
        put_measured_row(b, block_say(b, "before: ", "改动前："), last, before);
    put_measured_row(b, before.n ? block_say(b, "after: ", "改动后：") : "", step, test);
    if (before.n) {
        fprintf(b->out, "| %s | | | %s |", block_say(b, "difference, points", "差，百分点"),
                sample_difference(test, before).text);
        for (char *const *kind = b->word + 1; *kind; kind++)
            fprintf(b->out, " %s |",
                    sample_difference(altered(step, *kind), altered(last, *kind)).text);
        fprintf(b->out, "\n");
    }
    put_legend(b);
}

/* --- variants --------------------------------------------------------------------------------- */

/* Is it asked for? Without a variant's name all are. */
static bool is_asked(char *const *names, int count, const char *variant)
{
    bool asked = count == 0;
    for (int i = 0; i < count && !asked; i++)
        asked = strcmp(names[i], variant) == 0;
    return asked;
}

/* Ends a variant's row with its accuracies on altered images, each beside its step's. */
static void put_variant_altered(const Block *b, char *const *kind, const char *variant,
                                const char *step)
{
    for (; *kind; kind++) {
        Sample own = altered_in("results/variants_altered.tsv", variant, *kind);
        if (own.n == 0)
            error_die(EXIT_FAILED, b->page, "variants: %s was not tested with %s", variant, *kind);
        fprintf(b->out, " %s | %s |", sample_spread(own).text,
                sample_difference(own, altered(step, *kind)).text);
    }
}

void block_variants(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *edits = table_read("results/variants.tsv"),
                *edited = table_read("results/variants_accuracy.tsv");
    int names = 0, found = 0;
    while (b->word[names] && !strchr(b->word[names], ':'))
        names++;
    char *const *kinds = b->word + names;
    fprintf(b->out, "%s",
            block_say(b,
                      "| variant | seeds | test accuracy, % | its step's, % | difference, points |",
                      "| 变体 | 种子数 | 测试准确率，% | 原步骤，% | 差，百分点 |"));
    for (char *const *kind = kinds; *kind; kind++)
        fprintf(b->out, block_say(b, " with `%s`, %% | difference |", " 加 `%s`，%% | 差 |"),
                *kind);
    fprintf(b->out, "\n");
    put_rule(b, 1, 5 + 2 * words_in(kinds));
    for (size_t i = 0; i < edits->rows; i++) {
        const char *variant = table_cell(edits, i, "variant"), *step = table_cell(edits, i, "step");
        Sample own = sample_of(edited, variant, "test_top1");
        Sample before = sample_of(runs, step, "test_top1");
        if (own.n == 0 || !is_asked(b->word, names, variant))
            continue;
        found++;
        fprintf(b->out, "| `%s` | %d | %s | %s | %s |", variant, own.n, sample_spread(own).text,
                sample_spread(before).text, sample_difference(own, before).text);
        put_variant_altered(b, kinds, variant, step);
        fprintf(b->out, "\n");
    }
    if (found < names)
        error_die(EXIT_FAILED, b->page, "variants: not all of these were trained");
    if (names)
        put_legend(b);
}

/* --- rows of step 13 -------------------------------------------------------------------------- */

static Sample row_sample(const Table *t, const char *row, const char *batch, const char *alteration)
{
    return sample_where(
        t,
        (const char *const[][2]){
            { "row", row }, { "batch", batch }, { "alteration", alteration }, { NULL, NULL } },
        "top1");
}

static const char *row_name(const char *row)
{
    const Table *t = table_read("tests/data/paper_roadmap.tsv");
    size_t at = table_find(t, "row", row);
    return at < t->rows ? table_cell(t, at, "change") : "";
}

/* Prints the asked rows at one batch size, each beside the one above. */
static void put_rows_of(const Block *b, const Table *t, const char *batch)
{
    char *const *words = b->word + 1;
    Sample before = { 0 };
    for (; *words && isdigit((unsigned char)**words); words++) {
        Sample clean = row_sample(t, *words, batch, "clean");
        if (clean.n == 0)
            error_die(EXIT_FAILED, b->page, "rows: row %s was not trained", *words);
        fprintf(b->out, "| %s | %s | %s | %d | %s | %s |", *words,
                block_phrase(b, row_name(*words)), batch, clean.n, sample_spread(clean).text,
                before.n ? sample_difference(clean, before).text : "");
        before = clean;
        for (char *const *kind = words; *kind; kind++)
            if (!isdigit((unsigned char)**kind))
                fprintf(b->out, " %s |", sample_spread(row_sample(t, *words, batch, *kind)).text);
        fprintf(b->out, "\n");
    }
}

void block_rows(const Block *b)
{
    const Table *t = table_read(block_step(b));
    char *const *kinds = b->word + 1;
    while (*kinds && isdigit((unsigned char)**kinds))
        kinds++;
    fprintf(b->out, "%s",
            block_say(b,
                      "| row of step 13 | network | batch | seeds | test accuracy, % |"
                      " difference, points |",
                      "| 第 13 步的行 | 网络 | 批量 | 种子数 | 测试准确率，% | 差，百分点 |"));
    put_altered_heads(b, kinds);
    fprintf(b->out, "|---:|---|---:|---:|---:|---:|");
    for (; *kinds; kinds++)
        fprintf(b->out, "---:|");
    fprintf(b->out, "\n");
    for (size_t i = 0; i < t->rows; i++)
        if (table_find(t, "batch", table_cell(t, i, "batch")) == i)
            put_rows_of(b, t, table_cell(t, i, "batch"));
    put_legend(b);
}

/* --- training exercises ----------------------------------------------------------------------- */

static Sample exercise_sample(const Table *t, const char *exercise, const char *network,
                              const char *column)
{
    return sample_where(t,
                        (const char *const[][2]){
                            { "exercise", exercise }, { "network", network }, { NULL, NULL } },
                        column);
}

/* Is it the first row of this exercise's network? */
static bool begins_network(const Table *t, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(table_cell(t, i, "exercise"), table_cell(t, row, "exercise")) == 0 &&
            strcmp(table_cell(t, i, "network"), table_cell(t, row, "network")) == 0)
            return false;
    return true;
}

void block_exercise(const Block *b)
{
    const Table *t = table_read("results/exercises.tsv");
    const char *exercise = block_step(b);
    bool noise = b->word[1];
    Sample first = { 0 };
    fprintf(b->out, "%s%s\n",
            block_say(b,
                      "| `shapes`, 1,000 images, 4 epochs | seeds | M MACs | test accuracy, % |"
                      " difference from the first, points |",
                      "| `shapes`，1,000 张图像，4 轮 | 种子数 | MACs（M） | 测试准确率，% |"
                      " 与第一行之差，百分点 |"),
            noise ? block_say(b, " with `noise:32`, % |", " 加 `noise:32`，% |") : "");
    put_rule(b, 1, noise ? 6 : 5);
    for (size_t i = 0; i < t->rows; i++) {
        const char *network = table_cell(t, i, "network");
        if (strcmp(table_cell(t, i, "exercise"), exercise) != 0 || !begins_network(t, i))
            continue;
        Sample test = exercise_sample(t, exercise, network, "test_top1");
        fprintf(b->out, "| `%s` | %d | %.1f | %s | %s |", network, test.n,
                table_number(t, i, "macs") / 1e6, sample_spread(test).text,
                first.n ? sample_difference(test, first).text : "");
        if (noise)
            fprintf(b->out, " %s |",
                    sample_spread(exercise_sample(t, exercise, network, "noise32_top1")).text);
        fprintf(b->out, "\n");
        first = first.n ? first : test;
    }
    if (first.n == 0)
        error_die(EXIT_FAILED, b->page, "exercise %s: it was not trained", exercise);
    put_legend(b);
}
