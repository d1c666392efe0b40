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

static Sample altered(const char *step, const char *alteration)
{
    const Table *t = table_read("results/altered.tsv");
    return sample_where(t,
                        (const char *const[][2]){
                            { "network", step }, { "alteration", alteration }, { NULL, NULL } },
                        "top1");
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

/* Is it asked for? Without words all are. */
static bool is_asked(const Block *b, const char *variant)
{
    bool asked = !b->word[0];
    for (char *const *word = b->word; *word && !asked; word++)
        asked = strcmp(*word, variant) == 0;
    return asked;
}

void block_variants(const Block *b)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *edits = table_read("results/variants.tsv"),
                *edited = table_read("results/variants_accuracy.tsv");
    int found = 0;
    block_head(b, "| variant | seeds | test accuracy, % | its step's, % | difference, points |",
               "| 变体 | 种子数 | 测试准确率，% | 原步骤，% | 差，百分点 |",
               "|---|---:|---:|---:|---:|");
    for (size_t i = 0; i < edits->rows; i++) {
        const char *variant = table_cell(edits, i, "variant");
        Sample own = sample_of(edited, variant, "test_top1");
        Sample step = sample_of(runs, table_cell(edits, i, "step"), "test_top1");
        if (own.n == 0 || !is_asked(b, variant))
            continue;
        found++;
        fprintf(b->out, "| `%s` | %d | %s | %s | %s |\n", variant, own.n, sample_spread(own).text,
                sample_spread(step).text, sample_difference(own, step).text);
    }
    if (b->word[0] && found < words_in(b->word))
        error_die(EXIT_FAILED, b->page, "variants: not all of these were trained");
    if (b->word[0])
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
