/* compare: what it says has changed must be what the reports say, and what the article changes. */
#include "base/memory.h"
#include "cli/align.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, USAGE = 2 };

/* --- two sequences --------------------------------------------------------------------------- */

typedef struct {
    const char *a, *b;
} Words;

static int same_letter(const void *context, int i, int j)
{
    const Words *w = context;
    return w->a[i] == w->b[j];
}

/* The two words side by side, in two lines; '.' where there is none. */
static void sides(const char *a, const char *b, char *top, char *bottom)
{
    Words w = { a, b };
    Pair pairs[64];
    int count = align_pairs((int)strlen(a), (int)strlen(b), same_letter, &w, pairs), gain = 0;
    for (int i = 0; i < count; i++) {
        top[i] = pairs[i].a < 0 ? '.' : a[pairs[i].a];
        bottom[i] = pairs[i].b < 0 ? '.' : b[pairs[i].b];
        gain += top[i] == bottom[i];
    }
    top[count] = bottom[count] = 0;
    cr_expect_eq(gain, align_gain((int)strlen(a), (int)strlen(b), same_letter, &w));
}

Test(compare, sequences_side_by_side)
{
    char top[64], bottom[64];
    sides("abcd", "abcd", top, bottom);
    cr_expect(!strcmp(top, "abcd") && !strcmp(bottom, "abcd"), "%s %s", top, bottom);
    sides("abd", "abcd", top, bottom);
    cr_expect(!strcmp(top, "ab.d") && !strcmp(bottom, "abcd"), "%s %s", top, bottom);
    sides("abx", "aby", top, bottom);
    cr_expect(!strcmp(top, "abx.") && !strcmp(bottom, "ab.y"), "%s %s", top, bottom);
    sides("", "ab", top, bottom);
    cr_expect(!strcmp(top, "..") && !strcmp(bottom, "ab"), "%s %s", top, bottom);
    sides("ab", "", top, bottom);
    cr_expect(!strcmp(top, "ab") && !strcmp(bottom, ".."), "%s %s", top, bottom);
    sides("", "", top, bottom);
    cr_expect_str_empty(top);
}

/* The longest common subsequence has a definition of its own, of which all are tried here. */
static int longest_common(const char *a, const char *b)
{
    if (!*a || !*b)
        return 0;
    if (*a == *b)
        return 1 + longest_common(a + 1, b + 1);
    int x = longest_common(a + 1, b), y = longest_common(a, b + 1);
    return x > y ? x : y;
}

Test(compare, the_gain_is_the_largest)
{
    char a[8] = "", b[8] = "", top[64], bottom[64];
    for (int k = 0; k < 2000; k++) {
        for (int i = 0; i < 7; i++) {
            a[i] = (char)('a' + k * 31 / (i + 1) % 3);
            b[i] = (char)('a' + k * 17 / (i + 1) % 3);
        }
        Words w = { a, b };
        cr_assert_eq(align_gain(7, 7, same_letter, &w), longest_common(a, b), "%s %s", a, b);
        sides(a, b, top, bottom);
    }
}

/* --- networks -------------------------------------------------------------------------------- */

/* Takes the report's row that begins so off the list: it may be there once only. */
static bool strike(char *report, const char *name, const char *op, const char *output,
                   const char *params, const char *macs)
{
    char *row = str_format("\n%s\t%s\t%s\t%s\t%s\n", name, op, output, params, macs);
    char *at = strstr(report, row);
    if (at)
        at[1] = '#';
    free(row);
    return at != NULL;
}

/* Leaves out what was struck. */
static char *kept(char *report)
{
    char *to = report;
    for (char *line, *text = report; (line = next_line(&text));)
        if (*line != '#') {
            size_t length = strlen(line);
            memmove(to, line, length);
            to += length;
            *to++ = '\n';
        }
    *to = 0;
    return report;
}

/* A row of compare --format tsv. */
enum { CHANGE, NAME, OP = 3, WEIGHT = 5, OUTPUT = 7, PARAMS = 9, MACS = 11, FIELDS = 13 };

static bool same_fields(char **f)
{
    for (int i = OP; i < FIELDS; i += 2)
        if (strcmp(f[i], f[i + 1]) != 0)
            return false;
    return true;
}

/* Every row of the comparison is a row of the reports, in no report twice, and what no row names is
 * the same in both. */
static void check_rows(const char *before, const char *after, const char *words)
{
    char *report = str_format("report --format tsv %s", words), *f[FIELDS], *line;
    char *compare = str_format("compare %.2s --format tsv %s", before, words);
    Result a = run_step(before, report), b = run_step(after, report), c = run_step(after, compare);
    char *text = c.out;
    cr_assert_eq(split(next_line(&text), f, FIELDS), FIELDS);
    while ((line = next_line(&text))) {
        cr_assert_eq(split(line, f, FIELDS), FIELDS, "%s", line);
        cr_assert(strchr("+-~= ", *f[CHANGE]) && !f[CHANGE][1], "%s", f[CHANGE]);
        if (*f[CHANGE] != '+')
            cr_expect(strike(a.out, f[1], f[3], f[7], f[9], f[11]), "%s: no %s", before, f[1]);
        if (*f[CHANGE] != '-')
            cr_expect(strike(b.out, f[2], f[4], f[8], f[10], f[12]), "%s: no %s", after, f[2]);
        cr_expect(*f[CHANGE] != '~' || !same_fields(f), "%s has not changed", f[NAME]);
        cr_expect(*f[CHANGE] != '=' || (same_fields(f) && strcmp(f[1], f[2])), "%s", f[NAME]);
    }
    cr_expect_str_eq(f[NAME], "total");
    cr_expect_str_eq(kept(a.out), kept(b.out), "%s %s: what is left differs", before, after);
    result_free(&a);
    result_free(&b);
    result_free(&c);
    free(report);
    free(compare);
}

Test(compare, rows_are_the_reports)
{
    for (size_t i = 1; i < LADDER; i++)
        check_rows(step_name(i - 1), step_name(i), "");
    check_rows(step_name(4), step_name(5), "--preset small --part encoder");
    check_rows(step_name(0), step_name(LADDER - 1), "--preset paper --batch-size 3");
    check_rows(step_name(LADDER - 1), step_name(0), "");
}

/* How often a change of that kind is among the rows. "*": whatever it is. */
static int changes(const char *tsv, const char *mark, const char *before, const char *after)
{
    char *copy = str_format("%s", tsv), *text = copy, *f[FIELDS];
    int count = 0;
    for (char *line; (line = next_line(&text));)
        if (split(line, f, FIELDS) == FIELDS && strcmp(f[NAME], "total") != 0)
            count += !strcmp(f[CHANGE], mark) && (*before == '*' || !strcmp(f[OP], before)) &&
                     (*after == '*' || !strcmp(f[OP + 1], after));
    free(copy);
    return count;
}

/* What the article changes, at its own sizes: 3, 3, 9 and 3 blocks. Of step 02 one sees that the
 * stem is replaced; in step 04 and 10 sizes change as well. */
Test(compare, says_what_the_article_changes)
{
    static const struct {
        int step;
        const char *mark, *before, *after;
        int count, all; /* all: with that mark */
    } known[] = {
        { 1, "+", "-", "conv2d", 9, 30 }, /* three blocks come in the third stage … */
        { 1, "-", "conv2d", "-", 6, 20 }, /* … and one goes in the second and fourth */
        { 1, "~", "*", "*", 0, 0 },
        { 2, "+", "-", "conv2d", 1, 2 },
        { 2, "-", "max_pool", "-", 1, 4 },
        { 3, "~", "conv2d", "conv2d", 18, 18 },
        { 3, "+", "*", "*", 0, 0 },
        { 4, "~", "conv2d", "conv2d", 54, 126 },
        { 4, "-", "*", "*", 0, 0 },
        { 5, "+", "-", "conv2d", 18, 54 },
        { 5, "-", "conv2d", "-", 18, 54 },
        { 5, "~", "conv2d", "conv2d", 18, 18 }, /* a bias */
        { 6, "~", "relu", "gelu", 54, 54 },
        { 6, "+", "*", "*", 0, 0 },
        { 7, "-", "gelu", "-", 36, 36 },
        { 7, "~", "*", "*", 0, 0 },
        { 8, "-", "batch_norm", "-", 36, 36 },
        { 8, "~", "conv2d", "conv2d", 18, 18 }, /* a bias */
        { 8, "+", "*", "*", 0, 0 },
        { 9, "~", "batch_norm", "group_norm", 18, 18 },
        { 9, "-", "*", "*", 0, 0 },
        { 10, "+", "-", "conv2d", 4, 8 },
        { 10, "+", "-", "group_norm", 4, 8 },
        { 10, "-", "conv2d", "-", 4, 12 },
        { 11, "+", "-", "layer_scale", 18, 36 },
        { 11, "+", "-", "drop_path", 18, 36 },
        { 11, "~", "*", "*", 0, 0 },
    };
    enum { KNOWN = sizeof known / sizeof *known };
    for (int i = 0; i < KNOWN;) {
        int number = known[i].step;
        const char *step = step_name((size_t)number);
        Result r = run_step(step, "compare --format tsv"); /* with the step before */
        for (; i < KNOWN && known[i].step == number; i++) {
            int count = changes(r.out, known[i].mark, known[i].before, known[i].after);
            int all = changes(r.out, known[i].mark, "*", "*");
            cr_expect_eq(count, known[i].count, "%s: %s %s %s: %d", step, known[i].mark,
                         known[i].before, known[i].after, count);
            cr_expect_eq(all, known[i].all, "%s: %s: %d", step, known[i].mark, all);
        }
        result_free(&r);
    }
}

/* --- for people ------------------------------------------------------------------------------ */

Test(compare, a_moved_convolution)
{
    Result r = run_step("05_large_kernel", "compare 04");
    has(r.out, "04_inverted_bottleneck -> 05_large_kernel\n");
    has(r.out,
        "\nencoder.stages.0.0\n"
        "+ block.0.0        conv2d          64x1x7x7            1x64x56x56            3,136");
    has(r.out,
        "\n- block.1.0        conv2d          1024x16x3x3         1x1024x56x56        147,456");
    has(r.out, "\n~ block.0.0        conv2d          1024x64x1x1 ");
    has(r.out, "\n  -> block.1.0                     1024x64x1x1 bias  ");
    has(r.out, "\nencoder.stages.2.1 … 8: 8 alike\n  as in encoder.stages.0.0, at other sizes\n");
    has(r.out, "\nparameters          181,139,624 ->        178,698,344   -1.3%\n");
    has(r.out, "\nMACs             29,388,324,864 ->     28,350,233,600   -3.5%\n");
    result_free(&r);
}

Test(compare, blocks_that_come_and_go)
{
    Result r = run_step("01_stage_ratio", "compare");
    has(r.out, "\n- encoder.stages.1.3\n- block.0.0        conv2d          128x512x1x1 ");
    has(r.out, "\n+ encoder.stages.2.6 … 8: 3 alike\n+ block.0.0        conv2d ");
    has(r.out, "\n- encoder.stages.3.3\n  as in encoder.stages.1.3, at other sizes\n");
    has(r.out, "\nLayers: 30 added, 20 removed, 0 changed, 170 unchanged.\n");
    result_free(&r);
}

Test(compare, blocks_that_only_move)
{
    Result r = run_step("10_separate_downsampling", "compare 09");
    has(r.out, "\n+ encoder.stages.0.0\n+ 0                group_norm ");
    has(r.out, "\nencoder.stages.2.1 … 8 -> encoder.stages.2.2 … 9: 8 alike\n"
               "~ 6 layers only in size: from 1x1024x14x14 to 1x1024x7x7 and the like\n");
    result_free(&r);
}

Test(compare, nothing_changed)
{
    Result r = run_step("05_large_kernel", "compare 05_large_kernel");
    has(r.out, "\nLayers: 0 added, 0 removed, 0 changed, 198 unchanged.\n");
    has(r.out, "\nparameters          178,698,344 ->        178,698,344   the same\n");
    result_free(&r);
}

/* In characters, of which a byte of the form 10xxxxxx begins none. */
static int width(const char *line)
{
    int count = 0;
    for (; *line; line++)
        count += (*line & 0xc0) != 0x80;
    return count;
}

Test(compare, fits_100_columns)
{
    for (size_t i = 1; i <= LADDER; i++) {
        const char *step = step_name(i < LADDER ? i : LADDER - 1);
        Result r = run_step(step, i < LADDER ? "compare" : "compare 00");
        char *text = r.out;
        for (char *line; (line = next_line(&text));) {
            cr_expect(width(line) <= 100, "%s: %s", step, line);
            cr_expect(!*line || line[strlen(line) - 1] != ' ', "space at the end: %s", line);
        }
        result_free(&r);
    }
}

/* --- options --------------------------------------------------------------------------------- */

/* The totals tell which networks were asked for, wherever the options stand. */
Test(compare, both_get_the_options)
{
    static const char *const lines[] = {
        "compare 04 --format tsv --preset small --batch-size 3 --part encoder",
        "compare --preset small --format tsv --part encoder 04 --batch-size 3",
        "compare --batch-size 3 --preset small 04_inverted_bottleneck --part encoder --format tsv",
        "compare 4 --format tsv --preset small --batch-size 3 --part encoder",
    };
    char *first = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        Result r = run_step("05_large_kernel", lines[i]);
        has(r.out, "~\ttotal\ttotal\t-\t-\t-\t-\t3x192x2x2\t3x192x2x2\t");
        if (first)
            cr_expect_str_eq(r.out, first, "%s", lines[i]);
        else
            first = str_format("%s", r.out);
        result_free(&r);
    }
    free(first);
}

/* The parameters of a network that a report in TSV gives. */
static char *parameters(const char *step, const char *words)
{
    char *f[5], *line = NULL;
    Result r = run_step(step, words);
    char *text = r.out;
    for (char *next; (next = next_line(&text));)
        line = next;
    cr_assert(line && split(line, f, 5) == 5);
    char *count = str_format("%s", f[3]);
    result_free(&r);
    return count;
}

static void check_parameters(const char *step, const char *words, const char *other,
                             const char *report)
{
    char *compare = str_format("compare %s --format tsv", words), *t[FIELDS];
    Result r = run_step(step, compare);
    char *before = parameters(other, report), *after = parameters(step, "report --format tsv");
    char *total = strstr(r.out, "\ttotal\ttotal\t");
    cr_assert(total && split(total - 1, t, FIELDS) == FIELDS, "%s", r.out);
    cr_expect_str_eq(t[PARAMS], before, "%s %s", step, words);
    cr_expect_str_eq(t[PARAMS + 1], after, "%s %s", step, words);
    free(before);
    free(after);
    free(compare);
    result_free(&r);
}

/* What stands behind the step's number is for its network alone; and the published network is
 * compared with others of its widths. */
Test(compare, the_other_has_options_of_its_own)
{
    const char *published = "12_official_convnext", *last = step_name(LADDER - 1);
    check_parameters("05_large_kernel", "05:paper", "05_large_kernel",
                     "report --format tsv --preset paper");
    check_parameters(published, "12:base", published, "report --format tsv --variant base");
    check_parameters(published, "12", published, "report --format tsv");
    check_parameters(published, "11", last, "report --format tsv --preset paper");
    check_parameters(published, "11:article", last, "report --format tsv");
    check_parameters("05_large_kernel", "12:large", published,
                     "report --format tsv --variant large");
    Result r = run_step(published, "compare 11");
    has(r.out, "11_drop_path_layer_scale --preset paper -> 12_official_convnext\n");
    result_free(&r);
    r = run_step("13_paper_roadmap", "compare 13:14 --row 15");
    has(r.out, "13_paper_roadmap --row 14 -> 13_paper_roadmap --row 15\n");
    result_free(&r);
}

/* An option that says nothing of the network changes nothing of what is said, of the step before
 * either; one that does goes to that step too. */
Test(compare, only_options_of_the_network_matter)
{
    static const char *const same[] = { "report --format text", "report --threads 1" };
    for (size_t i = 0; i < step_count(); i++) {
        Result plain = run_step(step_name(i), "report");
        for (int k = 0; k < 2; k++) {
            Result r = run_step(step_name(i), same[k]);
            cr_expect_str_eq(r.out, plain.out, "%s %s", step_name(i), same[k]);
            result_free(&r);
        }
        result_free(&plain);
    }
    for (size_t i = 1; i < step_count(); i++) {
        Result plain = run_step(step_name(i), "compare");
        Result r = run_step(step_name(i), "compare --format text --threads 1");
        cr_expect_str_eq(r.out, plain.out, "%s", step_name(i));
        result_free(&plain);
        result_free(&r);
    }
    Result r = run_step("12_official_convnext", "report --batch-size 2");
    has(r.out, "Against 11_drop_path_layer_scale --preset paper: parameters -0.");
    result_free(&r);
}

Test(compare, json_has_the_rows_of_tsv)
{
    Result json = run_step("05_large_kernel", "compare 04 --format json");
    Result tsv = run_step("05_large_kernel", "compare 04 --format tsv");
    int rows = 0, lines = 0, open = 0;
    for (const char *at = json.out; (at = strstr(at, "{\"change\": ")); at++)
        rows++;
    for (const char *at = tsv.out; (at = strchr(at, '\n')); at++)
        lines++;
    for (const char *at = json.out; *at; at++)
        open += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
    cr_expect_eq(rows, lines - 1);
    cr_expect_eq(open, 0);
    cr_expect_null(strstr(json.out, ",\n]"));
    has(json.out, "{\"before\": \"04_inverted_bottleneck\", \"after\": \"05_large_kernel\", ");
    has(json.out, "{\"change\": \"+\", \"before\": null, \"after\": {\"name\": "
                  "\"encoder.stages.0.0.block.0.0\", \"op\": \"conv2d\", \"weight\": \"64x1x7x7\", "
                  "\"output\": \"1x64x56x56\", \"parameters\": 3136, \"macs\": 9834496}}");
    result_free(&json);
    result_free(&tsv);
}

/* --- programs that are not there, or not as they should be ------------------------------------ */

static void fails(int status, const char *named, const char *program, const char *words)
{
    Result r = run("%s compare %s", program, words);
    cr_expect_eq(r.status, status, "%s: status %d: %s", words, r.status, r.err);
    cr_expect(strstr(r.err, named), "%s: '%s' is not named: %s", words, named, r.err);
    cr_expect_str_empty(r.out);
    result_free(&r);
}

Test(compare, steps_that_are_not_built)
{
    char *folder = folder_new(), *alone = str_format("%s/05_large_kernel", folder);
    run_well("cp %s/05_large_kernel '%s'", build_folder(), folder);
    fails(FAILED, "05_large_kernel: 04: ", alone, "04");
    fails(FAILED, "04_inverted_bottleneck", alone, "04_inverted_bottleneck");
    fails(FAILED, "no step that 05_large_kernel could be made from", alone, "");
    fails(FAILED, "step", alone, "step");
    fails(USAGE, "06", alone, "04 06");
    fails(USAGE, "--weights", alone, "04 --weights x");
    run_well("test \"$(ls '%s')\" = 05_large_kernel", folder);
    free(alone);
    folder_remove(folder);
}

/* A program in the folder that prints this. */
static void script(const char *folder, const char *name, const char *text)
{
    run_well("printf '#!/bin/sh\\n%s\\n' > '%s/%s' && chmod +x '%s/%s'", text, folder, name, folder,
             name);
}

Test(compare, programs_without_a_network)
{
    char *folder = folder_new(), *program = str_format("%s/05_large_kernel", folder);
    run_well("cp %s/05_large_kernel '%s'", build_folder(), folder);
    script(folder, "01_fails", "exit 1");
    script(folder, "02_silent", "exit 0");
    script(folder, "03_talks", "echo hello; echo you");
    fails(FAILED, "01_fails", program, "01");
    fails(FAILED, "02_silent", program, "02");
    fails(FAILED, "03_talks", program, "03");
    fails(FAILED, "no step that 05_large_kernel could be made from", program, "");
    script(folder, "04_refuses", "echo \"$0: --depths: too deep\" >&2; exit 2");
    fails(FAILED, "04_refuses: --depths: too deep", program, "04 --depths 1,1,1,1");
    fails(FAILED, "02_silent: prints no report", program, "02:paper");
    fails(USAGE, "main.c:", program, "01 --widths 8,8,8,8"); /* our own network is none */
    free(program);
    folder_remove(folder);
}

/* The report in TSV is all that is asked of another program. */
Test(compare, a_program_with_nothing_but_a_report)
{
    char *folder = folder_new(), *program = str_format("%s/05_large_kernel", folder);
    run_well("cp %s/05_large_kernel '%s'", build_folder(), folder);
    script(folder, "03_plain", "test $3 = tsv && cat \"$0.tsv\"");
    run_well(
        "printf 'name\\top\\toutput\\tparameters\\tmacs\\nhead.3\\tlinear\\t1x1000\\t2049000\\t"
        "2048000\\ntotal\\t-\\t1x1000\\t2049000\\t2048000\\n' > '%s/03_plain.tsv'",
        folder);
    Result r = run("%s compare", program);
    cr_assert_eq(r.status, 0, "%s", r.err);
    has(r.out, "03_plain -> 05_large_kernel\n");
    has(r.out, "197 added, 0 removed");
    result_free(&r);
    free(program);
    folder_remove(folder);
}
