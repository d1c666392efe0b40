/* The steps: what neighbours may differ in, and that each is PyTorch's network of the same
 * article, in parameters, multiply-accumulates, shapes, names and logits. */
#include "base/memory.h"
#include "io/safetensors.h"
#include "run.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many of 00 to 12 are here: all of them, but in a handout (docs/handout.sh), which has
 * PyTorch's data of no others. */
static size_t rungs(void)
{
    size_t count = 0;
    while (count < RUNGS && count < step_count()) {
        char *keys = str_format("tests/data/keys/%s.tsv", step_name(count));
        bool here = access(keys, F_OK) == 0;
        free(keys);
        if (!here)
            break;
        count++;
    }
    cr_assert(count > 0, "no step of ours is here");
    return count;
}

/* --- the diffs ------------------------------------------------------------------------------- */

enum { MOST_CHANGED = 25 };

/* How many lines diff, called so, says were taken out or put in. */
static int changed_lines(const char *options, const char *a, const char *b)
{
    Result r = run("diff %s steps/%s/main.c steps/%s/main.c", options, a, b);
    cr_assert(r.status == 0 || r.status == 1, "diff failed: %s", r.err);
    int count = 0;
    char *text = r.out;
    for (char *line; (line = next_line(&text));)
        count += line[0] == '<' || line[0] == '>';
    result_free(&r);
    return count;
}

Test(steps, neighbours_differ_by_one_change)
{
    for (size_t i = 1; i < rungs(); i++) {
        const char *a = step_name(i - 1), *b = step_name(i);
        int all = changed_lines("", a, b), blind = changed_lines("-w -B", a, b);
        cr_expect(all > 0, "%s is %s", b, a);
        cr_expect(all <= MOST_CHANGED, "%s to %s: %d changed lines", a, b, all);
        cr_expect_eq(all, blind, "%s to %s: %d lines differ only in white space", a, b,
                     all - blind);
    }
}

Test(steps, have_the_same_functions_in_the_same_order)
{
    static const char signatures[] = "static Tensor *block(Tensor *x, Block b)\n"
                                     "static Tensor *stage(Tensor *x, Stage s)\n"
                                     "static Tensor *encoder(Tensor *x, Config c)\n"
                                     "static Tensor *head(Tensor *x, Config c)\n"
                                     "int main(int argc, char **argv)\n";
    for (size_t i = 0; i < rungs(); i++) {
        Result r = run("grep '^[a-z].*(' steps/%s/main.c", step_name(i));
        cr_expect_str_eq(r.out, signatures, "%s has other functions:\n%s", step_name(i), r.out);
        result_free(&r);
    }
}

/* Every layer of 00 to 13 is called in the step's own file. */
Test(steps, hold_their_whole_network)
{
    for (size_t i = 0; i < rungs() + (rungs() == RUNGS); i++) {
        Result r = run("%s/%s report --format json | sed -n 's/.*\"at\": \"\\([^:]*\\):.*/\\1/p' | "
                       "uniq",
                       build_folder(), step_name(i));
        char *file = str_format("steps/%s/main.c\n", step_name(i));
        cr_expect_str_eq(r.out, file, "%s has layers of %s", step_name(i), r.out);
        free(file);
        result_free(&r);
    }
}

Test(steps, state_their_title_once)
{
    for (size_t i = 0; i < rungs(); i++) {
        char *text = contents("steps/%s/main.c", step_name(i));
        char *start = strstr(text, ".title = \"");
        cr_assert(start, "%s has no title", step_name(i));
        start += strlen(".title = \"");
        char *title = str_format("%.*s", (int)strcspn(start, "\""), start);
        cr_expect_null(strstr(start + strlen(title), title), "%s says '%s' again", step_name(i),
                       title);
        cr_expect_eq(strstr(text, title), start, "%s says '%s' before", step_name(i), title);
        free(title);
        free(text);
    }
}

/* --- the reports ----------------------------------------------------------------------------- */

/* The last line of a report, its rows having been added up. */
static void check_total(char *report, const char *output, uint64_t parameters, uint64_t macs,
                        const char *what)
{
    uint64_t params_sum = 0, macs_sum = 0;
    char *fields[5] = { 0 }, *line = next_line(&report);
    cr_assert_str_eq(line, "name\top\toutput\tparameters\tmacs", "%s: no header", what);
    while ((line = next_line(&report))) {
        cr_assert_eq(split(line, fields, 5), 5, "%s: a row without five fields", what);
        if (strcmp(fields[0], "total") == 0)
            break;
        params_sum += strtoull(fields[3], NULL, 10);
        macs_sum += strtoull(fields[4], NULL, 10);
    }
    cr_assert(line && !*report, "%s: the last row is not the total", what);
    cr_expect_str_eq(fields[2], output, "%s: output %s", what, fields[2]);
    cr_expect_eq(strtoull(fields[3], NULL, 10), parameters, "%s: parameters %s", what, fields[3]);
    cr_expect_eq(strtoull(fields[4], NULL, 10), macs, "%s: MACs %s", what, fields[4]);
    cr_expect_eq(params_sum, parameters, "%s: rows have %" PRIu64 " parameters", what, params_sum);
    cr_expect_eq(macs_sum, macs, "%s: rows have %" PRIu64 " MACs", what, macs_sum);
}

Test(steps, report_what_pytorch_counts)
{
    /* step preset part stem depths widths input parameters macs output */
    char *table = contents("tests/data/steps.tsv"), *text = table, *row[10];
    int rows = 0;
    next_line(&text);
    for (char *line; (line = next_line(&text)); rows++) {
        cr_assert_eq(split(line, row, 10), 10);
        const char *name = step_name((size_t)atoi(row[0]));
        char *what = str_format("%s, %s, %s", name, row[1], row[2]);
        Result r = run("%s/%s report --format tsv --preset %s --part %s", build_folder(), name,
                       row[1], row[2]);
        cr_assert_eq(r.status, 0, "%s: %s", what, r.err);
        check_total(r.out, row[9], strtoull(row[7], NULL, 10), strtoull(row[8], NULL, 10), what);
        result_free(&r);
        free(what);
    }
    cr_expect_eq(rows, 6 * (int)(rungs() < LADDER ? rungs() : LADDER));
    free(table);
}

Test(steps, report_in_little_memory)
{
    if (sanitized())
        return;
    for (size_t i = 0; i < rungs(); i++) {
        Result r = run("exec %s/%s report --format tsv", build_folder(), step_name(i));
        cr_assert_eq(r.status, 0, "%s", r.err);
        cr_expect(r.peak_kib < 50 * 1024, "%s: %ld KiB", step_name(i), r.peak_kib);
        result_free(&r);
    }
}

Test(steps, call_their_parameters_as_pytorch_does)
{
    for (size_t i = 0; i < rungs(); i++) {
        char *keys = contents("tests/data/keys/%s.tsv", step_name(i));
        Result r = run("%s/%s keys", build_folder(), step_name(i));
        cr_assert_eq(r.status, 0, "%s", r.err);
        cr_expect(strcmp(r.out, keys) == 0, "%s: other keys", step_name(i));
        result_free(&r);
        free(keys);
    }
}

/* --- the logits ------------------------------------------------------------------------------ */

/* ‖ours - theirs‖ / ‖theirs‖, in the 2-norm. */
static double distance(const Safetensors *ours, const char *our_key, const Safetensors *theirs,
                       const char *their_key)
{
    size_t n, m;
    float *a = floats_in(ours, our_key, &n), *b = floats_in(theirs, their_key, &m);
    double off = 0, norm = 0;
    cr_assert_eq(n, m, "%s: %zu values, not %zu", our_key, n, m);
    for (size_t i = 0; i < n; i++) {
        off += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    free(a);
    free(b);
    return sqrt(off / norm);
}

static const char *const engines[] = ENGINES;

/* What the step's forward pass of its reference case writes. */
static Safetensors forward(const char *name, const char *mode, const char *engine,
                           const char *folder)
{
    char *output = str_format("%s/%s-%s-%s.safetensors", folder, name, mode, engine);
    run_well("cd tests/data/steps/%s && p=$(cd \"$OLDPWD\" && cd '%s' && pwd) && \"$p\"/%s forward "
             "$(cat config.txt) --mode %s --engine %s --weights weights.safetensors --batch "
             "batch.safetensors --output '%s'",
             name, build_folder(), name, mode, engine, output);
    Safetensors file = tensors_in("%s", output);
    free(output);
    return file;
}

Test(steps, give_pytorchs_logits)
{
    char *folder = folder_new();
    for (size_t i = 0; i < 2 * rungs(); i++) {
        const char *name = step_name(i / 2);
        char *expected = str_format("tests/data/steps/%s/expected.safetensors", name);
        Safetensors theirs = tensors_in("%s", expected);
        free(expected);
        Safetensors ours = forward(name, "eval", engines[i % 2], folder);
        double off = distance(&ours, "logits", &theirs, "eval/logits");
        cr_expect(off < 1e-5, "%s: relative error %.2g", name, off);
        cr_expect_eq(ours.count, 1, "%s writes more than logits", name);
        safetensors_free(&ours);
        safetensors_free(&theirs);
    }
    folder_remove(folder);
}

static void check_running(const Safetensors *ours, const Safetensors *theirs, const char *name)
{
    size_t running = 0;
    for (size_t i = 0; i < theirs->count; i++) {
        const char *key = theirs->entries[i].key;
        if (strncmp(key, "running/", strlen("running/")) != 0)
            continue;
        double off = distance(ours, key, theirs, key);
        cr_expect(off < 1e-4, "%s: %s: relative error %.2g", name, key, off);
        running++;
    }
    cr_expect_eq(ours->count, 1 + running, "%s writes other running statistics", name);
}

Test(steps, give_pytorchs_logits_in_training)
{
    char *folder = folder_new();
    for (size_t i = 0; i < 2 * rungs(); i++) {
        const char *name = step_name(i / 2);
        char *expected = str_format("tests/data/steps/%s/expected.safetensors", name);
        Safetensors theirs = tensors_in("%s", expected);
        free(expected);
        Safetensors ours = forward(name, "train", engines[i % 2], folder);
        double off = distance(&ours, "logits", &theirs, "train/logits");
        cr_expect(off < 1e-4, "%s: relative error %.2g", name, off);
        check_running(&ours, &theirs, name);
        safetensors_free(&ours);
        safetensors_free(&theirs);
    }
    folder_remove(folder);
}

/* --- a step of one's own --------------------------------------------------------------------- */

Test(steps, a_new_folder_is_a_step)
{
    if (rungs() < RUNGS)
        return; /* it is made of step 11 */
    char *folder = tree_copy();
    run_well("cd '%s' && mkdir steps/14_mine && sed 's/\\.kernel = 7/.kernel = 5/; "
             "s/\\.pad = 3/.pad = 2/; s/\\.title = \".*\"/.title = \"Mine\"/' "
             "steps/11_drop_path_layer_scale/main.c > steps/14_mine/main.c",
             folder);
    Result r = run("cd '%s' && BUILD=build make", folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "\n14_mine "), "not in the ladder's table:\n%s", r.out);
    result_free(&r);
    r = run("cd '%s' && build/14_mine --preset paper", folder);
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "14_mine: Mine"), "%s", r.out);
    result_free(&r);
    r = run("cd '%s' && make diff STEP=14", folder);
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "\n+        .title = \"Mine\","), "%s", r.out);
    result_free(&r);
    r = run("cd '%s' && make diff STEP=5 | grep -c kernel && make diff STEP=99", folder);
    cr_expect(strncmp(r.out, "6\n", 2) == 0 && strstr(r.err, "99: no such step"), "%s%s", r.out,
              r.err);
    result_free(&r);
    r = run("cd '%s' && make diff STEP=14 FROM=11 | grep -c '^[-+]'", folder);
    cr_expect_str_eq(r.out, "6\n", "two lines and the heads differ: %s", r.err);
    result_free(&r);
    /* A program whose step is gone would still be compared with. */
    run_well("cd '%s' && rm -r steps/14_mine && BUILD=build make && test ! -e build/14_mine && "
             "test -e build/13_paper_roadmap",
             folder);
    folder_remove(folder);
}
