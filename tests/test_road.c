/* The paper's road: its sixteen networks against what the authors' have in parameters and
 * multiply-accumulates, and against PyTorch's logits and gradients of them. */
#include "base/memory.h"
#include "io/safetensors.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP "13_paper_roadmap"
#define DATA "tests/data/road/"
enum { ROWS = 16, USAGE = 2 };

/* The paper's table as we have it from elsewhere: row, change, accuracy, std, GFLOPs as printed,
 * MACs, parameters. */
typedef struct {
    char *text, *fields[ROWS][7];
} Table;

static Table table_read(void)
{
    Table t = { .text = contents("tests/data/paper_roadmap.tsv") };
    char *text = t.text;
    next_line(&text);
    for (int row = 0; row < ROWS; row++)
        cr_assert_eq(split(next_line(&text), t.fields[row], 7), 7);
    cr_assert(!*text);
    return t;
}

Test(road, has_the_authors_parameters_and_macs)
{
    Table t = table_read();
    for (int row = 0; row < ROWS; row++) {
        Result r = run("%s/" STEP " report --row %d --format tsv | tail -n 1", build_folder(), row);
        char *total[5] = { 0 }, *text = r.out;
        cr_assert_eq(split(next_line(&text), total, 5), 5, "row %d: %s", row, r.err);
        cr_expect_str_eq(total[2], "1x1000");
        cr_expect_str_eq(total[3], t.fields[row][6], "row %d: parameters %s", row, total[3]);
        cr_expect_str_eq(total[4], t.fields[row][5], "row %d: MACs %s", row, total[4]);
        result_free(&r);
    }
    free(t.text);
}

/* Does the line have this in it, whatever commas stand in it? */
static bool says(const char *line, const char *what)
{
    char plain[512];
    size_t used = 0;
    for (; *line && used < sizeof plain - 1; line++)
        if (*line != ',')
            plain[used++] = *line;
    plain[used] = 0;
    char *without = str_format("%s", what), *end = without;
    for (char *at = without; *at; at++)
        if (*at != ',')
            *end++ = *at;
    *end = 0;
    bool found = strstr(plain, without);
    free(without);
    return found;
}

/* Without --row the report is the paper's table, with the two figures marked that do not follow. */
Test(road, prints_the_papers_table)
{
    Table t = table_read();
    Result r = run("%s/" STEP, build_folder());
    char *text = r.out, *line;
    int row = 0;
    cr_assert_eq(r.status, 0, "%s", r.err);
    while ((line = next_line(&text)) && row < ROWS) {
        char start[16];
        snprintf(start, sizeof start, "%5d  ", row);
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        char *accuracy = str_format("%s ± %s", t.fields[row][2], t.fields[row][3]);
        char *printed = str_format("%s%s", t.fields[row][4], row >= 14 ? "*" : " ");
        const char *wanted[] = { t.fields[row][1], accuracy, printed, t.fields[row][5],
                                 t.fields[row][6] };
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            cr_expect(says(line, wanted[i]), "row %d: no '%s' in: %s", row, wanted[i], line);
        cr_expect_eq(!!strchr(line, '*'), row >= 14, "%s", line);
        free(accuracy);
        free(printed);
        row++;
    }
    cr_expect_eq(row, ROWS, "%d rows", row);
    result_free(&r);
    free(t.text);
}

/* The last row is ConvNeXt-T, name by name; and what is meant where no row is named. */
Test(road, ends_at_the_published_network)
{
    static const char *const words[] = { "keys", "keys --preset small", "keys --scheme timm",
                                         "report --format tsv" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        Result r = run("b='%s'; $b/12_official_convnext %s | md5sum; $b/" STEP
                       " %s | md5sum; $b/" STEP " %s --row 15 | md5sum",
                       build_folder(), words[i], words[i], words[i]);
        char *text = r.out, *a = next_line(&text), *b = next_line(&text), *c = next_line(&text);
        cr_assert(a && b && c);
        cr_expect_str_eq(a, b, "%s", words[i]);
        cr_expect_str_eq(a, c, "%s --row 15", words[i]);
        result_free(&r);
    }
}

/* --- against PyTorch ------------------------------------------------------------------------- */

/* How far apart two tensors are: relative in the 2-norm, or, where that is less, the largest
 * difference over `scale`. */
static double apart(const Safetensors *ours, const char *our_key, const Safetensors *theirs,
                    const char *their_key, double scale)
{
    size_t n, m;
    float *a = floats_in(ours, our_key, &n), *b = floats_in(theirs, their_key, &m);
    double off = 0, norm = 1e-30, most = 0;
    cr_assert_eq(n, m, "%s", our_key);
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        off += d * d;
        norm += (double)b[i] * b[i];
        most = fmax(most, d);
    }
    free(a);
    free(b);
    return scale > 0 ? fmin(sqrt(off / norm), most / scale) : sqrt(off / norm);
}

static double largest_gradient(const Safetensors *file)
{
    double most = 0;
    for (size_t i = 0; i < file->count; i++) {
        size_t n;
        if (strncmp(file->entries[i].key, "grad/", 5) != 0)
            continue;
        float *x = floats_in(file, file->entries[i].key, &n);
        for (size_t k = 0; k < n; k++)
            most = fmax(most, fabs((double)x[k]));
        free(x);
    }
    return most;
}

static Safetensors run_row(const char *command, int row, const char *folder)
{
    char *out = str_format("%s/%s-%d", folder, command, row);
    run_well("%s/" STEP
             " %s --row %d --stem 4 --widths %s --depths 2,1,1,1 --classes 10 --weights " DATA
             "weights-%02d.safetensors --batch " DATA "batch.safetensors --output '%s'",
             build_folder(), command, row, row < 5 ? "8,16,24,32" : "4,8,12,16", row, out);
    Safetensors file = tensors_in("%s", out);
    free(out);
    return file;
}

static void check_row(int row, const char *folder)
{
    char *path = str_format(DATA "expected-%02d.safetensors", row);
    Safetensors theirs = tensors_in("%s", path), ours = run_row("forward", row, folder);
    double off = apart(&ours, "logits", &theirs, "eval/logits", 0);
    cr_expect(off < 1e-5, "row %d: relative error %g", row, off);
    safetensors_free(&ours);
    ours = run_row("gradient", row, folder);
    off = apart(&ours, "logits", &theirs, "train/logits", 0);
    cr_expect(off < 1e-4, "row %d in training: relative error %g", row, off);
    off = apart(&ours, "loss", &theirs, "train/loss", 0);
    cr_expect(off < 1e-4, "row %d, loss: relative error %g", row, off);
    /* The bias of a convolution before a batch norm has no gradient but rounding. */
    double scale = largest_gradient(&theirs) / 2;
    for (size_t i = 0; i < theirs.count; i++) {
        const char *key = theirs.entries[i].key;
        if (strncmp(key, "grad/", 5) != 0 && strncmp(key, "running/", 8) != 0)
            continue;
        off = apart(&ours, key, &theirs, key, key[0] == 'g' ? scale : 0);
        cr_expect(off < 1e-4, "row %d, %s: relative error %g", row, key, off);
    }
    cr_expect_eq(ours.count + 1, theirs.count, "row %d: other keys", row);
    safetensors_free(&ours);
    safetensors_free(&theirs);
    free(path);
}

Test(road, gives_pytorchs_logits_and_gradients)
{
    char *folder = folder_new();
    for (int row = 0; row < ROWS; row++)
        check_row(row, folder);
    folder_remove(folder);
}

/* --- the command line ------------------------------------------------------------------------ */

/* A row of every kind of block. */
Test(road, rows_train)
{
    static const int rows[] = { 0, 5, 13, 15 };
    char *folder = folder_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int row = rows[i];
        run_well("%s/" STEP " train --row %d --data shapes --limit 40 --epochs 1 --batch-size 18 "
                 "--stem 8 --widths %s --depths 1,1,1,1 --drop-path 0.2 --out '%s/%d'",
                 build_folder(), row, row < 5 ? "32,32,64,64" : "8,16,16,32", folder, row);
    }
    Result r = run("%s/" STEP " train --row 6 --data shapes --limit 40 --epochs 1 --batch-size 18 "
                   "--stem 8 --widths 8,16,16,32 --depths 1,1,1,1 --drop-path 0.2 --out '%s/5' "
                   "--resume",
                   build_folder(), folder);
    cr_expect_neq(r.status, 0, "row 6 goes on with row 5's run");
    result_free(&r);
    folder_remove(folder);
}

static void refuses(const char *step, const char *words, const char *named)
{
    Result r = run("%s/%s %s", build_folder(), step, words);
    cr_expect_eq(r.status, USAGE, "%s: status %d", words, r.status);
    cr_expect(strstr(r.err, named), "%s: %s", words, r.err);
    result_free(&r);
}

Test(road, rows_are_its_own)
{
    refuses(STEP, "--row 16", "--row");
    refuses(STEP, "--row -1", "--row");
    refuses(STEP, "--variant tiny", "--variant");
    refuses(STEP, "--preset paper", "--preset");
    refuses(STEP, "keys --row 14 --scheme timm", "--scheme");
    refuses("12_official_convnext", "--row 1", "--row");
    refuses("05_large_kernel", "--row 1", "--row");
}

/* A program of several networks stands in no diff and in no row of the ladder. */
Test(road, is_no_rung)
{
    Result r =
        run("docs/diffs.sh '%s' 13; ls docs/diffs; cut -f 1 results/ladder.tsv", build_folder());
    cr_expect(strstr(r.out, STEP " holds a road"), "%s", r.out);
    cr_expect_null(strstr(r.out, STEP ".diff"));
    cr_expect(strstr(r.out, "\n12_official_convnext\n"), "%s", r.out);
    cr_expect_null(strstr(r.out, "\n" STEP "\n"), "%s", r.out);
    result_free(&r);
}

/* --std scales what is drawn: weights, and neither biases nor norms. */
Test(road, first_weights_of_another_spread)
{
    char *folder = folder_new();
    char *init = str_format("%s/13_paper_roadmap init --preset small --seed 3", build_folder());
    run_well("for std in 0.02 0.04; do %s --std $std --output '%s'/$std || exit; done; "
             "%s --output '%s/usual' && cmp '%s/usual' '%s/0.02'",
             init, folder, init, folder, folder, folder);
    free(init);
    Safetensors once = tensors_in("%s/0.02", folder), twice = tensors_in("%s/0.04", folder);
    for (size_t i = 0; i < once.count; i++) {
        const Entry *a = &once.entries[i], *b = &twice.entries[i];
        for (size_t k = 0; k < entry_elements(a); k++) {
            float factor = a->rank > 1 ? 2 : 1;
            cr_assert_float_eq(((const float *)b->data)[k], factor * ((const float *)a->data)[k],
                               1e-7f, "%s", a->key);
        }
    }
    safetensors_free(&once);
    safetensors_free(&twice);
    Result r = run("%s/05_large_kernel init --std 0.04 --output '%s/x'", build_folder(), folder);
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "--std: this network's weights are uniform"), "%s", r.err);
    result_free(&r);
    folder_remove(folder);
}
