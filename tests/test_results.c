/* What `make results` runs: training the ladder run by run, and the variants that look for causes.
 */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Trains for a moment: `settings` stand before the script. */
static Result trained(const char *settings, const char *folder)
{
    return run("%s DATA=shapes EPOCHS=1 FOLDER='%s' TRAIN='--stem 8 --widths 8,12,16,24 --depths "
               "1,1,1,1 --limit 40 --batch-size 20' "
               "results/train.sh '%s'",
               settings, folder, build_folder());
}

Test(results, a_run_leaves_its_row_and_is_not_made_twice)
{
    char *folder = folder_new();
    Result r = trained("STEPS='09 00' SEEDS='1 2'", folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "\n09_layer_norm "), "%s", r.out);
    cr_expect(strstr(r.out, "\n00_resnet "), "%s", r.out);
    result_free(&r);
    static const char *const runs[][3] = { { "00_resnet-1", "00_resnet", "1" },
                                           { "00_resnet-2", "00_resnet", "2" },
                                           { "09_layer_norm-1", "09_layer_norm", "1" },
                                           { "09_layer_norm-2", "09_layer_norm", "2" } };
    for (size_t i = 0; i < 4; i++) {
        char *row = contents("%s/%s/run.tsv", folder, runs[i][0]), *text = row, *fields[12];
        cr_expect_str_eq(next_line(&text),
                         "step\tseed\theld_out_top1\ttest_top1\ttest_loss\tepochs\t"
                         "seconds\tthreads\tcommit\tcompiler\tcpu");
        char *line = next_line(&text);
        cr_assert(line);
        cr_assert_eq(split(line, fields, 12), 11);
        cr_expect_str_eq(fields[0], runs[i][1]);
        cr_expect_str_eq(fields[1], runs[i][2]);
        cr_expect_str_eq(fields[5], "1");
        free(row);
    }
    run_well(
        "echo kept > '%s/00_resnet-1/mark'; sed 's/\\t1\\t/\\t7\\t/' '%s/00_resnet-1/run.tsv' "
        "> '%s/new' && mv '%s/new' '%s/00_resnet-1/run.tsv'; cp '%s/00_resnet-1/run.tsv' '%s/old'",
        folder, folder, folder, folder, folder, folder, folder);
    r = trained("STEPS=00", folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect_null(strstr(r.out, "seed 1"), "trained again: %s", r.out);
    result_free(&r);
    run_well("cmp '%s/00_resnet-1/run.tsv' '%s/old'", folder, folder);

    run_well("results/accuracy.sh '%s' '%s/accuracy.tsv' '%s/curves.tsv'", folder, folder, folder);
    r = run("cut -f 1,2 '%s/accuracy.tsv'", folder);
    cr_expect_str_eq(r.out, "step\tseed\n00_resnet\t2\n00_resnet\t7\n09_layer_norm\t1\n"
                            "09_layer_norm\t2\n");
    result_free(&r);
    folder_remove(folder);
}

/* The last columns of the row that a run of step 00 leaves which was begun, as a file says. */
static char *recorded(const char *folder, const char *begun)
{
    run_well("rm -f '%s/00_resnet-1/run.tsv' && mkdir -p '%s/00_resnet-1' && "
             "printf '%s\\tcc 1\\tcpu 1\\n' > '%s/00_resnet-1/begun.tsv'",
             folder, folder, begun, folder);
    Result r = trained("STEPS=00", folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    result_free(&r);
    run_well("test ! -e '%s/00_resnet-1/begun.tsv'", folder);
    r = run("sed 1d '%s/00_resnet-1/run.tsv' | cut -f 9-", folder);
    free(r.err);
    return r.out;
}

/* A run that began with other programs and went on with these says so; one that has no checkpoint
 * yet begins anew. */
Test(results, the_commit_is_that_of_the_beginning)
{
    char *folder = folder_new();
    char *rows[] = { recorded(folder, "old"), recorded(folder, "old"),
                     recorded(folder, "old+changed") };
    cr_expect_null(strstr(rows[0], "old"), "%s", rows[0]);
    cr_expect_str_eq(rows[1], "old+changed\tcc 1\tcpu 1\n");
    cr_expect_str_eq(rows[2], "old+changed\tcc 1\tcpu 1\n");
    for (int i = 0; i < 3; i++)
        free(rows[i]);
    folder_remove(folder);
}

Test(results, a_step_that_is_not_there)
{
    char *folder = folder_new();
    Result r = trained("STEPS=77", folder);
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "train.sh: STEPS: there is no step 77"), "%s", r.err);
    result_free(&r);
    folder_remove(folder);
}

/* The total of what a program reports: parameters and MACs. */
static void total(const char *program, double *parameters, double *macs)
{
    Result r = run("'%s' report --preset small --format tsv | grep '^total'", program);
    char *fields[8], *text = r.out;
    cr_assert_eq(r.status, 0, "%s: %s", program, r.err);
    cr_assert_geq(split(next_line(&text), fields, 8), 5);
    *parameters = atof(fields[3]);
    *macs = atof(fields[4]);
    result_free(&r);
}

/* Every edit does what its name says, and no more. Compiled without optimisation, to be quick. */
Test(results, variants_are_steps_with_one_more_edit)
{
    char *folder = folder_new();
    run_well("results/variants.sh '%s' CC=\"${CC:-cc}\" EXTRA=-O0", folder);
    /* What differs, by hand: the depthwise kernels of the small preset have 384 channels together,
     * of 49 weights or of 9; batch norm has as many weights as group norm. Where the first stage
     * does not stride, its 2x2 convolution is 1x1 (24 to 24 channels) and all behind it has four
     * times the pixels. */
    static const struct {
        const char *variant, *step;
        double parameters, least,
            most; /* the variant's parameters less the step's; MACs, as a ratio */
    } expected[] = { { "05_moved_up_3x3", "05_large_kernel", -384 * 40, 0.8, 0.99 },
                     { "09_channel_norm", "09_layer_norm", 0, 1, 1 },
                     { "10_batch_norm", "10_separate_downsampling", 0, 1, 1 },
                     { "10_total_stride_32", "10_separate_downsampling", -3 * 24 * 24, 3, 4 },
                     { "12_default_init", "12_official_convnext", 0, 1, 1 } };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *variant = str_format("%s/variants/build/%s", folder, expected[i].variant);
        char *step = str_format("%s/%s", build_folder(), expected[i].step);
        double parameters, macs, before, macs_before;
        total(variant, &parameters, &macs);
        total(step, &before, &macs_before);
        cr_expect_eq(parameters - before, expected[i].parameters, "%s: %g", variant,
                     parameters - before);
        cr_expect(macs / macs_before >= expected[i].least && macs / macs_before <= expected[i].most,
                  "%s: %g", variant, macs / macs_before);
        free(variant);
        free(step);
    }
    folder_remove(folder);
}
