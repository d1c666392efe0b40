/* compare and report --format svg: well-formed, every layer of the reports in it with its figures,
 * as many in each colour as compare's table has, and the same bytes as in a file that was looked
 * at. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One block per stage: no two blocks are drawn as one. */
#define SIZES "--preset small --depths 1,1,1,1"

static char *prints(const char *step, const char *words)
{
    Result r = run("%s/%s %s", build_folder(), step, words);
    cr_assert_eq(r.status, 0, "%s %s: %s", step, words, r.err);
    free(r.err);
    return r.out;
}

/* Every element that is opened is closed, in turn; no '<' or '&' stands in a text. */
static void expect_well_formed(const char *svg)
{
    char open[16][16];
    int depth = 0;
    for (const char *at = svg; *at; at++) {
        if (*at == '&')
            cr_assert(strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 ||
                          strncmp(at, "&gt;", 4) == 0 || strncmp(at, "&quot;", 6) == 0,
                      "%.20s", at);
        if (*at != '<')
            continue;
        const char *end = strchr(at, '>');
        cr_assert(end && depth < 15, "%.40s", at);
        char name[16] = "";
        sscanf(at + (at[1] == '/' ? 2 : 1), "%15[a-z]", name);
        cr_assert(*name, "%.40s", at);
        if (at[1] == '/') {
            cr_assert(depth > 0 && strcmp(open[--depth], name) == 0, "%.40s", at);
            cr_assert_eq(at[2 + strlen(name)], '>');
        } else if (end[-1] != '/') {
            strcpy(open[depth++], name);
        }
        at = end;
    }
    cr_assert_eq(depth, 0);
    cr_assert(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40) == 0);
}

static int count(const char *text, const char *part)
{
    int found = 0;
    for (; (text = strstr(text, part)); text++)
        found++;
    return found;
}

/* "3136" as "3,136". */
static char *grouped(const char *digits)
{
    char *text = str_format("%s", "");
    for (const char *at = digits; *at; at++)
        str_append(&text, "%c%s", *at, strlen(at) % 3 == 1 && at[1] ? "," : "");
    return text;
}

/* Every layer of the report has a box with its name, shape and figures. */
static void expect_layers(const char *svg, const char *step, const char *words)
{
    char *command = str_format("report --format tsv %s", words), *report = prints(step, command);
    char *text = report, *f[5];
    next_line(&text);
    for (char *line; (line = next_line(&text));) {
        cr_assert_eq(split(line, f, 5), 5);
        if (strcmp(f[1], "-") == 0)
            break;
        char *params = grouped(f[3]), *macs = grouped(f[4]);
        char *begin = str_format("<title>%s: %s", f[0], f[1]);
        char *end = str_format("output %s, %s parameters, %s MACs</title>", f[2], params, macs);
        const char *at = strstr(svg, begin), *line_end = at ? strchr(at, '\n') : NULL;
        bool found = false;
        for (; at && !found; at = strstr(at + 1, begin)) {
            line_end = strchr(at, '\n');
            const char *figures = strstr(at, end);
            found = figures && figures < line_end;
        }
        cr_expect(found, "%s: no box of %s ... %s", step, begin, end);
        free(params);
        free(macs);
        free(begin);
        free(end);
    }
    free(command);
    free(report);
}

/* The last title is the newer network's, so that its boxes' begins are looked for from the start.
 */
static void check_pair(size_t before, size_t after, const char *words)
{
    char *svg_words = str_format("compare %.2s --format svg %s", step_name(before), words);
    char *tsv_words = str_format("compare %.2s --format tsv %s", step_name(before), words);
    char *svg = prints(step_name(after), svg_words), *tsv = prints(step_name(after), tsv_words);
    expect_well_formed(svg);
    expect_layers(svg, step_name(before), words);
    expect_layers(svg, step_name(after), words);
    /* The legend has one box of each kind. */
    cr_expect_eq(count(svg, "class=\"gone\"><title>"), count(tsv, "\n-\t"));
    cr_expect_eq(count(svg, "class=\"come\"><title>"), count(tsv, "\n+\t"));
    cr_expect_leq(count(svg, "class=\"changed\"><title>"), 2 * count(tsv, "\n~\t"));
    free(svg_words);
    free(tsv_words);
    free(svg);
    free(tsv);
}

Test(svg, two_networks_have_all_their_layers)
{
    for (size_t i = 1; i < LADDER; i++)
        check_pair(i - 1, i, SIZES);
    check_pair(0, LADDER - 1, SIZES " --part encoder");
}

Test(svg, of_one_network)
{
    for (size_t i = 0; i < RUNGS; i++) {
        char *svg = prints(step_name(i), "report --format svg " SIZES);
        expect_well_formed(svg);
        expect_layers(svg, step_name(i), SIZES);
        cr_expect_eq(count(svg, "class=\"gone\"") + count(svg, "class=\"come\""), 0);
        free(svg);
    }
}

/* In step 05 the convolution of the middle moved to the block's beginning, with what follows it. */
Test(svg, what_moved_is_joined)
{
    char *svg = prints("05_large_kernel", "compare 04 --format svg " SIZES);
    cr_expect_eq(count(svg, "class=\"move\""), 3 + 1); /* one in the legend */
    free(svg);
}

Test(svg, rows_of_the_road)
{
    char *svg = prints("13_paper_roadmap", "compare --row 9 --to-row 8 --format svg");
    expect_well_formed(svg);
    cr_expect(strstr(svg, "13_paper_roadmap --row 8"));
    cr_expect_geq(count(svg, "class=\"changed\""), 2);
    free(svg);
    Result r = run("%s/13_paper_roadmap compare 13:3 --to-row 8", build_folder());
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "--to-row: 13:3 already names the row"), "%s", r.err);
    result_free(&r);
}

Test(svg, names_are_escaped)
{
    char *folder = folder_new();
    run_well("cp %s/05_large_kernel '%s/14_a&b<c'", build_folder(), folder);
    Result r = run("cd '%s' && './14_a&b<c' report --format svg --preset small", folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    expect_well_formed(r.out);
    cr_expect(strstr(r.out, "14_a&amp;b&lt;c"));
    result_free(&r);
    folder_remove(folder);
}

/* Wide boxes end before those of the other network, long names before the edge of the page. */
Test(svg, what_is_wide_or_long_stays_in_its_place)
{
    char *svg = prints("06_gelu", "compare 05 --format svg --depths 1,1,1,1 --input 3x64x64 "
                                  "--widths 100000,200000,400000,800000");
    for (const char *at = svg; (at = strstr(at, "<rect x=\"")); at++) {
        int x, y, width;
        cr_assert_eq(sscanf(at, "<rect x=\"%d\" y=\"%d\" width=\"%d\"", &x, &y, &width), 3);
        cr_expect(x >= 0 && (width == 24 || x >= 1060 / 2 || x + width <= 1060 / 2), "%.60s", at);
    }
    free(svg);
    char *folder = folder_new(), long_name[150];
    snprintf(long_name, sizeof long_name, "14_%0130d", 7);
    run_well("cp %s/05_large_kernel '%s/%s'", build_folder(), folder, long_name);
    Result r = run("'%s/%s' report --format svg --preset small", folder, long_name);
    cr_expect(strstr(r.out, "…0000"), "%.600s", r.out);
    result_free(&r);
    folder_remove(folder);
}

/* The file was looked at, in colour and in grey; what changes it is to be looked at again. */
Test(svg, is_the_drawing_that_was_looked_at)
{
    char *svg =
        prints("05_large_kernel", "compare 04 --format svg --preset small --depths 1,1,0,0");
    char *golden = contents("tests/data/compare_04_05.svg");
    cr_expect_str_eq(svg, golden);
    free(svg);
    free(golden);
}
