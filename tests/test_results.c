/* What `make results` runs: training the ladder run by run, and the variants that look for causes.
 */
#include "base/memory.h"
#include "data/alter.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
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

    run_well("'%s/pages' collect - '%s/accuracy.tsv' '%s/curves.tsv' '%s'/*/run.tsv",
             build_folder(), folder, folder, folder);
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
    cr_expect(strstr(r.err, "STEPS: there is no step 77"), "%s", r.err);
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
    run_well("ln -s \"$(cd '%s' && pwd)/pages\" '%s' && "
             "results/variants.sh '%s' CC=\"${CC:-cc}\" EXTRA=-O0",
             build_folder(), folder, folder);
    /* What differs, by hand: the depthwise kernels of the small preset have 384 channels together,
     * of 49 weights or of 9; batch norm has as many weights as group norm. Where the first stage
     * does not stride, its 2x2 convolution is 1x1 (24 to 24 channels) and all behind it has four
     * times the pixels. The small stem has 16 channels, whose norm has two weights each. Where the
     * 3x3 convolution strides, the 1x1 before it has four times the pixels in three blocks: three
     * times 64*32*64 = 131,072 MACs more in each. */
    static const struct {
        const char *variant, *step;
        double parameters, least,
            most; /* the variant's parameters less the step's; MACs, as a ratio */
    } expected[] = {
        { "01_stride_on_3x3", "01_stage_ratio", 0, 9917440. / 8737792, 9917440. / 8737792 },
        { "02_no_stem_norm", "02_patchify_stem", -2 * 16, 1, 1 },
        { "02_paper_projection", "02_patchify_stem", 0, 1, 1 },
        { "02_stride_on_3x3", "02_patchify_stem", 0, 9180160. / 8000512, 9180160. / 8000512 },
        { "05_moved_up_3x3", "05_large_kernel", -384 * 40, 0.8, 0.99 },
        { "09_channel_norm", "09_layer_norm", 0, 1, 1 },
        { "10_batch_norm", "10_separate_downsampling", 0, 1, 1 },
        { "10_total_stride_32", "10_separate_downsampling", -3 * 24 * 24, 3, 4 },
        { "12_article_norms", "12_official_convnext", 0, 1, 1 },
        { "12_default_init", "12_official_convnext", 0, 1, 1 },
        { "12_group_norm_between_stages", "12_official_convnext", 0, 1, 1 },
        { "12_group_norm_in_blocks", "12_official_convnext", 0, 1, 1 },
        { "12_stem_batch_norm", "12_official_convnext", 0, 1, 1 }
    };
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
    Result r = run("unset OMP_NUM_THREADS; cd '%s/variants' && LAUNCH=\"cut -d ' -f 18\" "
                   "results/train.sh build",
                   folder);
    cr_expect_str_eq(r.out,
                     "01_stride_on_3x3\n02_no_stem_norm\n02_paper_projection\n"
                     "02_stride_on_3x3\n05_moved_up_3x3\n09_channel_norm\n"
                     "10_batch_norm\n10_total_stride_32\n12_article_norms\n12_default_init\n"
                     "12_group_norm_between_stages\n12_group_norm_in_blocks\n12_stem_batch_norm\n",
                     "%s%s", r.out, r.err);
    result_free(&r);
    folder_remove(folder);
}

/* --- what may change ------------------------------------------------------------------------- */

/* results/ladder.tsv and stages.tsv are counted, and so are the same everywhere. */
Test(results, counted_tables_are_what_the_programs_say)
{
    char *folder = folder_new();
    run_well("'%s/pages' counts '%s'", build_folder(), folder);
    Result r = run("for t in ladder stages; do diff results/$t.tsv '%s'/$t.tsv; done", folder);
    cr_expect_str_empty(r.out, "make docs writes them again:\n%s", r.out);
    result_free(&r);
    /* One that fails leaves them as they are. */
    run_well("mkdir '%s/b' && cp '%s'/[0-9]* '%s/pages' '%s/b' && printf '#!/bin/sh\nexit 1\n' "
             "> '%s/b/09_layer_norm'",
             folder, build_folder(), build_folder(), folder, folder);
    r = run("cd '%s' && cksum *.tsv > before && cd - && '%s/b/pages' counts '%s'; "
            "echo $? > '%s/status'; cd '%s' && cksum *.tsv | cmp - before && cat status && ls",
            folder, folder, folder, folder, folder);
    cr_expect(strstr(r.out, "1\nb\nbefore\nladder.tsv\nstages.tsv\nstatus\n"), "%s%s", r.out,
              r.err);
    result_free(&r);
    folder_remove(folder);
}

/* A folder with the steps 00_a, 14_x and 14_y, whose programs in b print the JSON in json, and no
 * article's network. */
static char *fakes(void)
{
    char *folder = folder_new();
    run_well(
        "mkdir '%s/b' '%s/docs' '%s/results' && cp results/paper.tsv '%s/results' && "
        "ln -s \"$(cd '%s' && pwd)/pages\" '%s/b' && cd '%s' && for s in 00_a 14_x 14_y; do "
        "mkdir -p steps/$s && echo > steps/$s/main.c && "
        "printf '#!/bin/sh\ncase $* in *article*) exit 2 ;; esac\ncat json\n' > b/$s && "
        "chmod +x b/$s; done && echo '{\"title\": \"A \\\"b\\\"\", \"from\": null, "
        "\"published\": false, \"parts\": [{\"part\": \"stem\", \"output\": \"1x2x3x3\", "
        "\"parameters\": 5, \"macs\": 7}], \"parameters\": 5000000005, \"macs\": 14}' > json && "
        "printf 'step\tseed\ttest_top1\n00_a\t1\t90\n00_a\t2\t91\n00_a\t3\t95\n14_x\t1\t80\n' "
        "> results/accuracy.tsv",
        folder, folder, folder, folder, build_folder(), folder, folder);
    return folder;
}

/* What the table of all steps is made from; numbers are read where they have more than 32 bits. */
Test(results, ladder_is_what_programs_and_runs_say)
{
    char *folder = fakes();
    run_well("cd '%s' && b/pages ladder", folder);
    char *table = contents("%s/b/ladder.tsv", folder), *text = table;
    cr_expect_str_eq(next_line(&text),
                     "step\ttitle\tarticle_parameters\tarticle_macs\tpaper_parameters\tpaper_macs\t"
                     "output\tsmall_parameters\tsmall_macs\tfrom\town\ttest_mean\ttest_std\tseeds\t"
                     "paper_top1");
    /* (4 + 1 + 9) / 2 = 7 */
    cr_expect_str_eq(next_line(&text), "00_a\tA \"b\"\t-\t-\t5000000005\t14\t-\t5000000005\t14\t"
                                       "-\town\t92\t2.64575\t3\t-");
    cr_expect_str_eq(next_line(&text), "14_x\tA \"b\"\t-\t-\t5000000005\t14\t-\t5000000005\t14\t"
                                       "-\town\t80\t-\t1\t-");
    free(table);
    /* A reader's program that fails has a row of its name; one of ours leaves the table as it is.
     */
    Result own =
        run("cd '%s' && echo exit 3 > b/14_y && b/pages ladder && sed -n 4p b/ladder.tsv", folder);
    cr_expect_str_eq(own.out, "14_y\t-\t-\t-\t-\t-\t-\t-\t-\t-\town\t-\t-\t-\t-\n");
    result_free(&own);
    run_well("echo > '%s/docs/00_a.md'", folder);
    static const char *const failures[][2] = {
        { "echo '{\"title\": 7}' > json", "00_a: JSON at byte 10: a string expected" },
        { "echo 'case $* in *paper*) exit 1 ;; esac; echo {}' > b/00_a",
          "00_a: its program fails" },
        { "echo exit 2 > b/00_a", "00_a: its program fails" },
    };
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        Result r = run("cd '%s' && cp b/ladder.tsv before && %s && b/pages ladder; echo $? && "
                       "cmp b/ladder.tsv before && ls b",
                       folder, failures[i][0]);
        cr_expect_str_eq(r.out, "1\n00_a\n14_x\n14_y\nladder.tsv\npages\n");
        has(r.err, failures[i][1]);
        result_free(&r);
    }
    folder_remove(folder);
}

/* Steps by the beginnings of their names. */
Test(results, steps_are_named_by_their_numbers)
{
    static const struct {
        const char *asked;
        int status;
        const char *said;
    } calls[] = {
        { "", 0, "00_a\t\n14_x\t\n14_y\t\n" }, { "ours", 0, "00_a\t\n" },
        { "14_y 0", 0, "14_y\t\n00_a\t\n" },   { "14", 2, "14 is 14_x and 14_y: which?" },
        { "00 77", 2, "there is no step 77" },
    };
    char *folder = fakes();
    run_well("echo > '%s/docs/00_a.md'", folder);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r = run("cd '%s' && b/pages steps %s", folder, calls[i].asked);
        cr_expect_eq(r.status, calls[i].status, "%s: %s", calls[i].asked, r.err);
        has(calls[i].status ? r.err : r.out, calls[i].said);
        result_free(&r);
    }
    Result r =
        run("cd '%s' && results=$OLDPWD/results && rm -r results && ln -s \"$results\" results && "
            "STEPS='00 14' results/train.sh b",
            folder);
    cr_expect_eq(r.status, 2);
    has(r.err, "STEPS: 14 is 14_x and 14_y: which?");
    cr_expect_str_empty(r.out);
    result_free(&r);
    folder_remove(folder);
}

/* Parts stand beside those of the lesson before where they are called the same; a sentence where
 * nothing changed. */
Test(results, parts_stand_beside_those_of_the_lesson_before)
{
    char *folder = fakes();
    run_well("cd '%s' && echo > docs/00_a.md && echo > docs/14_x.md", folder);
    Result r = run("cd '%s' && b/pages block parts 14_x small && "
                   "echo \"sed 's/: 7}/: 8}/; s/2x3x3/2x3x4/' json\" > b/14_x && "
                   "b/pages block parts 14_x small && "
                   "echo 'sed s/stem/body/ json' > b/14_x && b/pages block parts 14_x small",
                   folder);
    cr_expect_str_eq(r.out,
                     "Stem, stages and head have the output shapes, parameters and MACs of step "
                     "00, each of them.\n"
                     "| `small` | output | parameters before | after | MACs before | after |\n"
                     "|---|---|---:|---:|---:|---:|\n"
                     "| stem | 1x2x3x3 → 1x2x3x4 | 5 | 5 | 7 | 8 |\n"
                     "| `small` | output | parameters | MACs |\n|---|---|---:|---:|\n"
                     "| body | 1x2x3x3 | 5 | 7 |\n");
    result_free(&r);
    folder_remove(folder);
}

/* Accuracies of a step stand under those of the step before, with altered images too; by hand: the
 * error of 92 ± sqrt(7) over three seeds and one value is none, of 50, 52 and 40, 44 sqrt(1 + 4).
 */
Test(results, a_lesson_tells_what_its_step_gained)
{
    char *folder = fakes();
    run_well("cd '%s' && echo > docs/00_a.md && echo > docs/14_x.md && "
             "printf 'step\tsmall_macs\n00_a\t1500000\n14_x\t2500000\n' > results/ladder.tsv && "
             "printf 'network\trow\tbatch\talteration\ttop1\n' > results/altered.tsv && "
             "printf '%%s\t-\t64\tnoise:32\t%%s\n' 00_a 50 00_a 52 14_x 40 14_x 44 >> "
             "results/altered.tsv",
             folder);
    Result r = run("cd '%s' && b/pages block measured 14_x noise:32 | sed 2d", folder);
    cr_expect_str_eq(
        r.out,
        "| Fashion-MNIST, preset `small` | seeds | M MACs | test accuracy, % | with `noise:32`, % "
        "|\n"
        "| before: 00_a | 3 | 1.5 | 92.00 ± 2.65 | 51.00 ± 1.41 |\n"
        "| after: 14_x | 1 | 2.5 | 80.00 | 42.00 ± 2.83 |\n"
        "| difference, points | | | -12.00 | -9.00 ± 2.24 |\n\n"
        "± beside an accuracy is the standard deviation over the seeds, beside a difference the "
        "standard error of the difference.\n");
    result_free(&r);
    folder_remove(folder);
}

/* What a training exercise came to stands beside its first network. */
Test(results, exercises_tell_what_they_came_to)
{
    char *folder = fakes();
    run_well(
        "cd '%s/results' && printf 'exercise\tnetwork\tmacs\tseed\ttest_top1\tnoise32_top1\n' > "
        "exercises.tsv && printf '00\tx\t2500000\t1\t90\t50\n00\tx\t2500000\t2\t92\t52\n"
        "01\ty\t9\t1\t9\t9\n00\ty\t100000\t1\t80\t40\n' >> exercises.tsv",
        folder);
    Result r = run("cd '%s' && b/pages block exercise 00 noise | sed '1,2d;5,$d'", folder);
    cr_expect_str_eq(r.out, "| `x` | 2 | 2.5 | 91.00 ± 1.41 |  | 51.00 ± 1.41 |\n"
                            "| `y` | 1 | 0.1 | 80.00 | -11.00 | 40.00 |\n");
    result_free(&r);
    folder_remove(folder);
}

/* An operator is quoted with the comment above it and linked to its lines. */
Test(results, an_operator_is_quoted_from_its_file)
{
    char *folder = fakes();
    run_well(
        "cd '%s' && mkdir -p common/ops && printf '/* A file. */\n\nstatic int two(int);\n\n/* "
        "Says\n * two. */\nstatic int two(int x)\n{\n    return 2 * x;\n}\n\nint three(void)"
        "\n{\n}\n' > common/ops/x.c",
        folder);
    Result r = run("cd '%s' && b/pages block op x three two; b/pages block op x one", folder);
    cr_expect_str_eq(
        r.out,
        "From [common/ops/x.c](../common/ops/x.c): [`three`](../common/ops/x.c#L12-L14), "
        "[`two`](../common/ops/x.c#L5-L10).\n\n```c\nint three(void)\n{\n}\n\n/* Says\n * two. */\n"
        "static int two(int x)\n{\n    return 2 * x;\n}\n```\n");
    cr_expect(strstr(r.err, "common/ops/x.c has no function one"), "%s", r.err);
    result_free(&r);
    folder_remove(folder);
}

/* A row is compared with the step that it was made from, where the table has that above it; in a
 * table that says nothing of it, with the row above. */
Test(results, ladder_compares_a_step_with_what_it_came_from)
{
    char *folder = folder_new();
    run_well("cd '%s' && { printf 'step\tfrom\toutput\t'; "
             "printf '%%s\t' article_parameters article_macs paper_parameters; echo paper_macs; "
             "printf '%%s\t%%s\t1x8x7x7\t%%s\t1e9\t-\t2e9\n' 00_a - 1000000 01_b 00_a 3000000 "
             "14_x 00_a 500000 15_y 77 9000000 16_z 16_z 1; } > all.tsv && cut -f 1,3- all.tsv > "
             "counts.tsv",
             folder);
    Result r = run("'%s/pages' text '%s/all.tsv' | sed 1,2d | cut -c 1-40 | sed 's/ *$//'",
                   build_folder(), folder);
    cr_expect_str_eq(r.out, "00_a                         1.00\n"
                            "01_b                         3.00  +200%\n"
                            "14_x                         0.50 -50.0%\n"
                            "15_y                         9.00\n"
                            "16_z                         0.00\n");
    result_free(&r);
    r = run("'%s/pages' block ladder '%s/counts.tsv' | sed -n '3,5p'", build_folder(), folder);
    cr_expect_str_eq(r.out,
                     "| [00_a](steps/00_a/main.c) | 1.00 | 1.00 | - | 2.00 | 1x8x7x7 |\n"
                     "| [01_b](steps/01_b/main.c) | 3.00 (+200%) | 1.00 | - | 2.00 | 1x8x7x7 |\n"
                     "| [14_x](steps/14_x/main.c) | 0.50 (-83.3%) | 1.00 | - | 2.00 | 1x8x7x7 |\n");
    result_free(&r);
    folder_remove(folder);
}

/* Means and deviations by hand: of 90, 91, 95 they are 92 and sqrt(7), of 92 and 96 94 and sqrt(8);
 * the difference's error is sqrt(7 / 3 + 8 / 2). */
Test(results, runs_are_told_of_by_mean_and_deviation)
{
    char *folder = fakes();
    run_well("cd '%s/results' && printf 'step\tseed\ttest_top1\nv\t1\t92\nv\t2\t96\nw\t1\t9\n' > "
             "variants_accuracy.tsv && printf 'variant\tstep\tedit\nv\t00_a\t\nw\t00_a\t\n"
             "gone\t00_a\t\n' > variants.tsv",
             folder);
    Result r = run("cd '%s' && b/pages block variants | sed 1,2d", folder);
    cr_expect_str_eq(r.out, "| `v` | 2 | 94.00 ± 2.83 | 92.00 ± 2.65 | +2.00 ± 2.52 |\n"
                            "| `w` | 1 | 9.00 | 92.00 ± 2.65 | -83.00 |\n");
    result_free(&r);
    r = run(
        "printf 'step\tseed\theld_out_top1\ttest_top1\ttest_loss\na\t1\t9\t90\t1\nb\t1\t5\t6\t7\n"
        "a\t2\t11\t94\t2\n' | '%s/pages' runs - | sed 1d",
        build_folder());
    cr_expect_str_eq(r.out,
                     "a                                2   10.00 ± 1.41   92.00 ± 2.83  1.5000\n"
                     "b                                1    5.00           6.00         7.0000\n");
    result_free(&r);
    folder_remove(folder);
}

/* The tables of several runs: seeds in their order, and what the held-out accuracy was by epoch. */
Test(results, runs_are_collected)
{
    char *folder = folder_new();
    run_well(
        "cd '%s' && for s in 2 10; do mkdir a-$s && { sed 1q \"$OLDPWD/results/accuracy.tsv\" && "
        "printf 'a\t%%s\t1\t2\t3\t2\t5\t6\t7\t8\t9\n' $s; } > a-$s/run.tsv && "
        "printf 'epoch\theld_out_top1\n1\t%%s.50\n' $s > a-$s/log.tsv; done && "
        "printf '2\t7\n' >> a-2/log.tsv && cp -r a-2 b && sed -i.old 's/^a/ab/' b/run.tsv",
        folder);
    Result r =
        run("'%s/pages' collect - '%s/acc' '%s/cur' '%s'/*/run.tsv && cut -f 1,2 '%s/acc' && "
            "cat '%s/cur'",
            build_folder(), folder, folder, folder, folder, folder);
    cr_expect_str_eq(r.out, "step\tseed\na\t2\na\t10\nab\t2\n"
                            "step\tepoch\theld_out_mean\theld_out_min\theld_out_max\tseeds\n"
                            "a\t1\t6.500\t2.50\t10.50\t2\na\t2\t7.000\t7\t7\t1\n"
                            "ab\t1\t2.500\t2.50\t2.50\t1\nab\t2\t7.000\t7\t7\t1\n");
    result_free(&r);
    /* What is no complete run leaves the tables as they are. */
    static const char *const wrong[][2] = {
        { "true", "c/run.tsv: there is no complete run (make train)" },
        { "sed -i.old 's/seed/sed/' b/run.tsv", "b/run.tsv: its columns are not those of a run" },
    };
    for (size_t i = 0; i < 2; i++) {
        r = run("bin=$(cd '%s' && pwd) && cd '%s' && cksum acc cur > sums && %s && \"$bin/pages\" "
                "collect - acc cur */run.tsv c/run.tsv; echo $?; cksum acc cur | cmp - sums",
                build_folder(), folder, wrong[i][0]);
        cr_expect_str_eq(r.out, "1\n");
        has(r.err, wrong[i][1]);
        result_free(&r);
    }
    folder_remove(folder);
}

/* A copy of this tree with a step of the reader's in it. The files' sums are in build/sums. */
static char *tree(void)
{
    char *folder = tree_copy();
    run_well(
        "cd '%s' && chmod 755 . && mkdir steps/14_mine && "
        "sed 's/\\.title = \"/&My /; s/\\.kernel = 7, \\.pad = 3/.kernel = 5, .pad = 2/' "
        "steps/11_drop_path_layer_scale/main.c > steps/14_mine/main.c && mkdir steps/15_groups && "
        "sed 's/groups = narrow/groups = 32/' steps/03_depthwise_conv/main.c > "
        "steps/15_groups/main.c && find . -name build "
        "-prune -o -type f -exec cksum {} + | sort > build/sums",
        folder);
    return folder;
}

static void unchanged(const char *folder, const char *after)
{
    Result r =
        run("cd '%s' && find . -name build -prune -o -type f -exec cksum {} + | sort | diff - "
            "build/sums",
            folder);
    cr_expect(r.status == 0, "%s changes files:\n%s", after, r.out);
    result_free(&r);
}

/* make and make docs leave every file as it is; the table has the reader's steps, each compared
 * with what it was made from, also where its preset small is no network; what is not installed is
 * said in a line. */
Test(results, make_leaves_a_tree_with_a_readers_step_as_it_was)
{
    char *folder = tree(), *other = str_format("%s/other", folder);
    Result r = run("cd '%s' && BUILD=build make", folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    has(r.out, "\n14_mine                    197.75  -0.2%     7.45  -0.5%    28.46");
    has(r.out, "\n15_groups                   16.09  +2.3%     2.17  +2.5%    16.09");
    unchanged(folder, "make");
    result_free(&r);
    r = run("cd '%s' && cut -f 1,2,10,11 build/ladder.tsv | grep own && ls build/plots | grep -c "
            "svg && "
            "rm build/plots/road.svg && BUILD=build make GNUPLOT=none | tail -n 1",
            folder);
    has(r.out, "14_mine\tMy Drop path and layer scale\t11_drop_path_layer_scale\town\n"
               "15_groups\tDepthwise convolution\t03_depthwise_conv\town\n19\n"
               "no gnuplot: no plot is drawn");
    result_free(&r);
    run_well(
        "printf '#!/bin/sh\ncase \"$*\" in *TERMINALS*) echo svg x11 ;; *) exec gnuplot \"$@\" ;; "
        "esac\n' > '%s' && chmod +x '%s'",
        other, other);
    r = run("cd '%s' && rm -f build/plots/road.* && BUILD=build make GNUPLOT='%s' | tail -n 2 && "
            "ls build/plots | grep ^road && rm '%s'",
            folder, other, other);
    has(r.out,
        "PLOT build/plots/road.svg\ngnuplot has no terminal pngcairo: no plot is drawn as PNG\n"
        "road.svg\n");
    result_free(&r);
    r = run("cd '%s' && BUILD=build make docs", folder);
    cr_expect_eq(r.status, 0, "%s", r.err);
    unchanged(folder, "make docs");
    result_free(&r);
    free(other);
    folder_remove(folder);
}

/* Whoever may not write the tree builds elsewhere; root, who may, does it as nobody. */
Test(results, a_tree_that_cannot_be_written)
{
    char *folder = tree(), *build = folder_new();
    run_well(
        "cp -rp '%s/build' '%s/b' && chmod -R a+rwX '%s' && rm -rf '%s/build' && chmod -R a-w '%s'",
        folder, build, build, folder, folder);
    Result r =
        run("cd '%s' && if [ $(id -u) = 0 ]; then nobody='setpriv --reuid=65534 --regid=65534 "
            "--clear-groups'; fi; ${nobody-} make BUILD='%s/b'",
            folder, build);
    cr_expect(strstr(r.out, "\n14_mine "), "%s%s", r.out, r.err);
    cr_expect_eq(r.status, 0, "%s%s", r.out, r.err);
    result_free(&r);
    run_well("chmod -R u+w '%s'", folder);
    folder_remove(folder);
    folder_remove(build);
}

/* --- what trained a run ----------------------------------------------------------------------- */

/* Trains in a folder, and returns the facts in its result.tsv, a line for each: "program NAME" … */
static char *facts_of(const char *program, const char *folder, const char *name, const char *more)
{
    run_well("'%s' train --data shapes --epochs 3 --limit 40 --batch-size 20 --stem 8 --widths "
             "8,12,16,24 --depths 1,1,1,1 --out '%s/%s' %s",
             program, folder, name, more);
    Result r = run("cd '%s/%s' && awk -F '\t' 'NR == 1 { for (i = 7; i <= NF; i++) name[i] = $i } "
                   "NR == 2 { for (i = 7; i <= NF; i++) print name[i], $i }' result.tsv",
                   folder, name);
    free(r.err);
    return r.out;
}

/* It is in result.tsv and nowhere else: a program of another commit leaves the same weights and
 * checkpoint. */
Test(results, a_run_says_what_trained_it)
{
    char *folder = folder_new(), *ours = str_format("%s/05_large_kernel", build_folder());
    char *other = str_format("%s/05_large_kernel", folder);
    run_well("${CC:-cc} -std=gnu11 -O0 -pthread -Icommon $EXTRA "
             "-DCOMMIT='\"feedc0ffee00 changed\"' -o '%s' steps/05_large_kernel/main.c "
             "common/base/built_for.c '%s/libcommon.a' -lm",
             other, build_folder());
    char *a = facts_of(ours, folder, "a", ""), *b = facts_of(other, folder, "b", "");
    run_well("cd '%s' && cmp a/best.safetensors b/best.safetensors && "
             "cmp a/last.safetensors b/last.safetensors",
             folder);
    has(b, "\ncommit feedc0ffee00 changed\n");

    /* The seconds are those of all epochs, as the log has them; the compiler's name is its own. */
    run_well("cd '%s/a' && sed '2,$s/[^\t]*$/7.5/' log.tsv >log && mv log log.tsv && rm result.tsv",
             folder);
    free(a);
    a = facts_of(ours, folder, "a", "--resume");
    Result r = run("commit=$(cat '%s/commit') cpu=$(results/cpu.sh) && printf '%%s\n' "
                   "'program 05_large_kernel' \"commit $commit\" \"cpu $cpu\" 'engine %s' "
                   "'seconds 22.5'",
                   build_folder(), plain_only() ? "plain" : "fast");
    char *compiler = strstr(a, "compiler "), *after = strstr(a, "cpu ");
    cr_assert(compiler && after, "%s", a);
    cr_expect(strncmp(compiler, "compiler gcc ", 13) == 0 || strstr(compiler, "lang "), "%s", a);
    memmove(compiler, after, strlen(after) + 1);
    cr_expect_str_eq(a, r.out);
    result_free(&r);
    free(a);
    free(b);
    free(ours);
    free(other);
    folder_remove(folder);
}

/* What build/commit has when a program is made after a change, which compiles these objects. */
static char *commit_after(const char *tree, const char *change, const char *objects)
{
    run_well("cd '%s' && { %s; } && touch before && make BUILD=build build/05_large_kernel", tree,
             change);
    Result r = run("cd '%s' && find build/obj -name '*.o' -newer before", tree);
    cr_expect_str_eq(r.out, objects, "%s: compiled: %s", change, r.out);
    result_free(&r);
    char *text = contents("%s/build/commit", tree);
    text[strcspn(text, "\n")] = 0;
    return text;
}

/* Another commit compiles one file again. */
Test(results, a_program_knows_its_commit)
{
    static const char one[] = "build/obj/common/base/built_for.o\n";
    static const char commit[] = "git -c user.name=a -c user.email=a commit -q --allow-empty -m b";
    char *tree = tree_copy();
    char *first = str_format("echo /build >.gitignore && git init -q . && git add . && %s", commit);
    char *outside = commit_after(tree, "true", one);
    char *clean = commit_after(tree, first, one), *same = commit_after(tree, "true", "");
    char *changed = commit_after(tree, "touch steps/mine.c", one);
    char *second = str_format("rm steps/mine.c && %s", commit);
    char *next = commit_after(tree, second, one);
    cr_expect_str_eq(outside, "unknown");
    cr_expect(strlen(clean) == 12 && strspn(clean, "0123456789abcdef") == 12, "%s", clean);
    cr_expect_str_eq(same, clean);
    cr_expect(strncmp(changed, clean, 12) == 0 && strcmp(changed + 12, "+changed") == 0, "%s",
              changed);
    cr_expect(strlen(next) == 12 && strcmp(next, clean) != 0, "%s", next);
    /* Files that lie in a repository which does not have them. */
    char *foreign = commit_after(tree, "git rm -rq --cached common", one);
    cr_expect_str_eq(foreign, "unknown");
    char *owned[] = { first, outside, clean, same, changed, second, next, foreign };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    folder_remove(tree);
}

/* --- runs that are no longer of their step ---------------------------------------------------- */

/* A tree of one file of a library and the steps 14 and 15, which are built; 14 is committed. */
static char *repository(void)
{
    char *folder = folder_new();
    run_well(
        "top=$(pwd) && cd '%s' && mkdir -p common/base steps/14_mine steps/15_more && ln -s "
        "\"$top/results\" results && echo a > common/base/a.c && echo all: > Makefile && "
        "cp \"$top/steps/05_large_kernel/main.c\" steps/14_mine && "
        "cp \"$top/steps/06_gelu/main.c\" steps/15_more && git init -q . && "
        "git add common Makefile steps/14_mine && git -c user.name=a -c user.email=a commit -qm a",
        folder);
    build_step(folder, "14_mine");
    build_step(folder, "15_more");
    run_well("ln -s \"$(cd '%s' && pwd)/pages\" '%s/b'", build_folder(), folder);
    return folder;
}

static Result trained_in(const char *folder, const char *settings)
{
    Result r =
        run("cd '%s' && DATA=shapes EPOCHS=1 FOLDER=runs TRAIN='--stem 8 --widths 8,12,16,24 "
            "--depths 1,1,1,1 --limit 40 --batch-size 20 --layer-scale 0.1' %s "
            "results/train.sh b",
            folder, settings);
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "\n14_mine  "), "%s", r.out);
    free(r.err);
    return r;
}

Test(results, a_run_is_trained_again_when_its_network_or_recipe_changed)
{
    char *folder = repository();
    Result r = trained_in(folder, "");
    has(r.out, "\n15_more  ");
    free(r.out);
    r = run("cd '%s' && cat runs/*/run.tsv | cut -f 1,9 | grep _", folder);
    cr_expect(strstr(r.out, "14_mine\t") && !strstr(strstr(r.out, "14_mine"), "+changed\n15"),
              "what is committed counts as changed: %s", r.out);
    cr_expect(strstr(r.out, "+changed\n"), "what is not committed does not: %s", r.out);
    result_free(&r);

    /* A comment and a title are no change; a step that is no longer there is not trained. */
    run_well(
        "cd '%s' && rm -r steps/15_more runs/15_more-1 && "
        "{ echo '/* A line more. */' && sed 's/title = \"/&My /' steps/14_mine/main.c; } > new && "
        "mv new steps/14_mine/main.c",
        folder);
    build_step(folder, "14_mine");
    r = trained_in(folder, "");
    cr_expect_null(strstr(r.out, "seed 1"), "trained again: %s", r.out);
    cr_expect_null(strstr(r.out, "15_more"), "%s", r.out);
    free(r.out);

    /* The library alone is told of. */
    run_well("echo b > '%s/common/base/a.c'", folder);
    r = trained_in(folder, "");
    cr_expect_null(strstr(r.out, "seed 1"), "trained again: %s", r.out);
    has(r.out, "The library (common/) has changed since 1 of these runs");
    free(r.out);

    /* Another kernel with weights of the same shapes: the old run is kept aside. */
    run_well("cd '%s' && sed 's/relu(add/gelu(add/' steps/14_mine/main.c > new && "
             "mv new steps/14_mine/main.c && cp runs/14_mine-1/run.tsv first",
             folder);
    build_step(folder, "14_mine");
    r = trained_in(folder, "");
    has(r.out, "14_mine, seed 1: network, data or recipe have changed: trained again");
    cr_expect_null(strstr(r.out, "library"), "%s", r.out);
    free(r.out);
    run_well(
        "cd '%s' && cmp first runs/old/14_mine-1/run.tsv && ! cmp -s first runs/14_mine-1/run.tsv "
        "&& grep -q +changed runs/14_mine-1/run.tsv",
        folder);
    /* A second one does not take its place. */
    run_well("cd '%s' && cp runs/14_mine-1/run.tsv second", folder);
    r = trained_in(folder, "EPOCHS=2");
    has(r.out, "network, data or recipe have changed");
    free(r.out);
    run_well("cd '%s' && cmp first runs/old/14_mine-1/run.tsv && "
             "cmp second runs/old/14_mine-1-2/run.tsv && test ! -e runs/new",
             folder);
    folder_remove(folder);
}

/* A step's run of a recipe, as long as it takes. */
#define MINE                                                                                       \
    "cd '%s' && DATA=shapes EPOCHS=1 FOLDER=runs STEPS=14 TRAIN='--stem 8 --widths 8,12,16,24 "    \
    "--depths 1,1,1,1 --limit 40 --batch-size 20 %s' %s results/train.sh b"

/* What the program refuses, or what was stopped, costs no run that is complete. */
Test(results, a_complete_run_stays_until_another_is)
{
    char *folder = repository();
    Result r = run(MINE, folder, "", "");
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect_str_empty(r.err);
    result_free(&r);
    run_well("cd '%s' && (cd runs && find . -type f -exec cksum {} + | sort) > before", folder);
    r = run(MINE, folder, "--lrr 3", "");
    cr_expect_neq(r.status, 0);
    has(r.err, "--lrr");
    result_free(&r);
    static const char same[] =
        "cd '%s' && (cd runs && find . -type f -exec cksum {} + | sort) | cmp - before && ls runs";
    r = run(same, folder);
    cr_expect_str_eq(r.out, "14_mine-1\n", "%s%s", r.out, r.err);
    result_free(&r);

    /* Another call that trains it is not disturbed; one that was killed is not waited for. */
    run_well("echo \"$(uname -n) 1\" > '%s/runs/14_mine-1.lock'", folder);
    r = run(MINE, folder, "--lr 2e-3", "");
    cr_expect_neq(r.status, 0);
    has(r.err, "14_mine, seed 1: another call trains it (process 1 on ");
    result_free(&r);
    r = run(same, folder);
    cr_expect_neq(r.status, 0, "the lock is gone");
    result_free(&r);
    run_well("(:) & wait; echo \"$(uname -n) $!\" > '%s/runs/14_mine-1.lock'", folder);
    r = run(MINE, folder, "--lr 2e-3", "");
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect_str_empty(r.err);
    result_free(&r);
    r = run("ls '%s'/runs '%s/runs/old'", folder, folder);
    cr_expect(strstr(r.out, "14_mine-1\nold\n") && !strstr(r.out, "lock"), "%s", r.out);
    result_free(&r);
    folder_remove(folder);
}

/* LAUNCH gets a line per run, which somebody else may run. */
Test(results, runs_can_be_launched_elsewhere)
{
    char *folder = repository(), *launch = str_format("LAUNCH='tee jobs' SEEDS='1 2'");
    Result r = run("unset OMP_NUM_THREADS; cd '%s' && %s DATA=shapes EPOCHS=1 "
                   "TRAIN=\"--out-of-order 'x\" FOLDER='a b' "
                   "results/train.sh b && grep -c . jobs && ls",
                   folder, launch);
    cr_expect_eq(r.status, 0, "%s", r.err);
    has(r.out,
        "'TRAIN=--out-of-order '\\''x' 'FOLDER=a b' 'results/train.sh' '--run' 'b' '14_mine' '2'");
    has(r.out, "4\nMakefile\n");
    cr_expect_null(strstr(r.out, "a b\n"), "%s", r.out);
    result_free(&r);
    run_well(
        "cd '%s' && DATA=shapes EPOCHS=1 FOLDER='a b' STEPS=14 LAUNCH='tee jobs' TRAIN='--stem 8 "
        "--widths 8,12,16,24 --depths 1,1,1,1 --limit 40 --batch-size 20' results/train.sh b && "
        "cd / && sh '%s/jobs' && test -f '%s/a b/14_mine-1/run.tsv'",
        folder, folder, folder);
    free(launch);
    folder_remove(folder);
}

/* --- other shells, other awks, other surroundings --------------------------------------------- */

/* What the scripts say and write, whoever reads them: `path` puts an awk in front of PATH, `shell`
 * names a shell. */
static char *said(const char *folder, const char *shell, const char *path)
{
    const char *build = build_folder();
    Result r = run(
        "PATH=%s$PATH; shell='%s' build='%s' out='%s/out'; "
        "STEPS='00 11' SEEDS='1 2 3' FOLDER=results/ladder LAUNCH=true $shell results/train.sh "
        "\"$build\" && STEPS=5 FOLDER=\"a 'b\" $shell results/train.sh --list \"$build\" && "
        "BUILD=\"$build\" $shell results/altered.sh --list norms altered && "
        "DATA=shapes EPOCHS=1 FOLDER=\"$out\" TRAIN='--stem 8 --widths 8,12,16,24 --depths 1,1,1,1 "
        "--limit 40 --batch-size 20 --layer-scale 1' $shell results/train.sh --run \"$build\" "
        "00_resnet 2 > \"$out.log\" && cut -f 1-6 \"$out\"/*/run.tsv && cat \"$out\"/*/made_of.txt "
        "&& "
        "STEPS=0 WORK=infer:1 BENCH='--preset small --runs 1' COMPILER=cc $shell results/speed.sh "
        "\"$build\" \"$out/speed.tsv\" | sed 's/: .*//' && cut -f 1-4,11- \"$out/speed.tsv\" && "
        "$shell docs/diffs.sh --color \"$build\" 05 && $shell results/cpu.sh && rm -r \"$out\"",
        path, shell, build, folder);
    cr_expect_eq(r.status, 0, "%s %s: %s", shell, path, r.err);
    free(r.err);
    return r.out;
}

Test(results, scripts_say_the_same_in_any_shell_and_awk)
{
    static const char *const awks[] = { "original-awk", "mawk", "gawk", "busybox awk" };
    static const char *const shells[] = { "dash", "bash --posix", "busybox sh", "zsh --emulate sh",
                                          "ksh" };
    char *folder = folder_new(), *first = said(folder, "sh", ""),
         *path = str_format("'%s':", folder);
    cr_expect(strlen(first) > 2000, "%s", first);
    for (size_t i = 0; i < sizeof awks / sizeof *awks; i++) {
        Result r = run("printf '#!/bin/sh\nexec %s \"$@\"\n' > '%s/awk' && chmod +x '%s/awk' && "
                       "PATH='%s':$PATH awk 'BEGIN { print 1 }'",
                       awks[i], folder, folder, folder);
        char *other = r.status == 0 ? said(folder, "sh", path) : NULL;
        cr_expect(!other || strcmp(first, other) == 0, "%s: %s", awks[i], other);
        free(other);
        result_free(&r);
    }
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        Result r = run("%s -c true", shells[i]);
        char *other = r.status == 0 ? said(folder, shells[i], "") : NULL;
        cr_expect(!other || strcmp(first, other) == 0, "%s: %s", shells[i], other);
        free(other);
        result_free(&r);
    }
    free(path);
    free(first);
    folder_remove(folder);
}

/* A folder with the tables that plots are drawn from; false: there is no gnuplot to draw them. */
static bool tables_in(const char *folder)
{
    run_well("cp results/*.tsv tests/data/paper_roadmap.tsv '%s' && cat '%s/ladder.tsv' > "
             "'%s/ladder.tsv' && mkdir '%s/zh'",
             folder, build_folder(), folder, folder);
    Result r = run("command -v gnuplot");
    bool here = r.status == 0;
    result_free(&r);
    return here;
}

static void draw(const char *folder, const char *plot, const char *language)
{
    Result r = run("top=$(pwd) pages=$(cd '%s' && pwd)/pages && cd '%s' && env -u LANG "
                   "LC_ALL=C.UTF-8 gnuplot -e \"STYLE = '$top/results/style.gp'; PAGES = '$pages'; "
                   "KIND = 'svg'; LANGUAGE = '%s'\" \"$top/results/%s.gp\"",
                   build_folder(), folder, language, plot);
    cr_expect_eq(r.status, 0, "%s: %s", plot, r.err);
    cr_expect_str_empty(r.err, "%s: %s", plot, r.err);
    result_free(&r);
}

/* Every plot is drawn without a word from gnuplot, in two languages; where no language is set, too.
 */
Test(results, every_plot_in_two_languages)
{
    char *folder = folder_new();
    bool here = tables_in(folder);
    Result r = run("cd results && ls *.gp | sed 's/\\.gp$//; /^style$/d'");
    for (char *plot = strtok(r.out, "\n"); plot && here; plot = strtok(NULL, "\n")) {
        draw(folder, plot, "en");
        draw(folder, plot, "zh");
        Result same = run("cd '%s' && ! cmp -s %s.svg zh/%s.svg && "
                          "LC_ALL=C grep -q \"$(printf '[\\344-\\351]')\" zh/%s.svg",
                          folder, plot, plot, plot);
        cr_expect_eq(same.status, 0, "%s: no Chinese", plot);
        result_free(&same);
    }
    result_free(&r);
    folder_remove(folder);
}

/* A run of a step that is not there gets no dot; a reader's own step has its place in all plots of
 * the ladder, as large as it may be, whatever its title. */
Test(results, plots_of_what_is_there)
{
    char *folder = folder_new();
    if (tables_in(folder)) {
        draw(folder, "road", "en");
        run_well("cd '%s' && mv road.svg first && printf '99_gone\t1\t80\t80\t1\n' >> accuracy.tsv",
                 folder);
        draw(folder, "road", "en");
        run_well("cd '%s' && cmp road.svg first", folder);
        run_well(
            "cd '%s' && printf '99_mine\tMy <&> {own}\t4100000\t7100000000\t4100000\t7100000000"
            "\t-\t1\t9000000\t-\town\t-\t-\t-\t-\n' >> ladder.tsv",
            folder);
        draw(folder, "ladder", "en");
        draw(folder, "road", "en");
        run_well("cd '%s' && grep -q '99_mine' road.svg && grep -q '99_mine' ladder.svg && "
                 "grep -q '>4.10<' ladder.svg && grep -q '00_resnet' ladder.svg",
                 folder);
    }
    folder_remove(folder);
}

/* make plots with RUNS draws a reader's runs, of steps that are there, beside ours. */
Test(results, plots_of_a_readers_runs)
{
    static const char *const plots[] = { "road", "cost", "curves" };
    char *folder = folder_new();
    bool here = tables_in(folder);
    run_well(
        "mkdir -p '%s/r/05_large_kernel-1' '%s/r/99_gone-1' && for s in 05_large_kernel 99_gone; "
        "do sed \"s/^00_resnet/$s/\" results/ladder/00_resnet-1/run.tsv > '%s/r/'$s-1/run.tsv "
        "&& cp results/ladder/00_resnet-1/log.tsv '%s/r/'$s-1; "
        "done && '%s/pages' collect - '%s/runs.tsv' '%s/runs_curves.tsv' '%s'/r/*/run.tsv",
        folder, folder, folder, folder, build_folder(), folder, folder, folder);
    for (size_t i = 0; here && i < sizeof plots / sizeof *plots; i++) {
        draw(folder, plots[i], "en");
        Result r = run("cd '%s' && grep -c 'your runs' %s.svg && grep -q 'rgb(204, 121, 167)' "
                       "%s.svg",
                       folder, plots[i], plots[i]);
        cr_expect(r.status == 0, "%s: %s", plots[i], r.out);
        result_free(&r);
    }
    folder_remove(folder);
}

/* Mean and deviation of each network by hand: with errors of 60 and 20, then 60 and 20, against 50
 * and 40, the corruption error of noise and blur is 80 and 120, that of all fourteen 58.57 and 70.
 */
Test(results, means_of_altered_runs)
{
    static const struct {
        const char *network;
        int seed, clean, few, others;
    } runs[] = { { "a", 1, 90, 50, 60 }, { "b", 1, 80, 60, 80 }, { "b", 2, 84, 40, 80 } };
    char *folder = folder_new(), *path = str_format("%s/altered.tsv", folder);
    FILE *table = fopen(path, "w");
    fprintf(table, "network\trow\tbatch\tseed\talteration\ttop1\n");
    for (int i = 0; i < 3; i++)
        for (int k = -1; k < ALTER_STANDARD; k++) {
            const char *kind = k < 0 ? "clean" : alter_standard[k];
            bool few = strncmp(kind, "noise", 5) == 0 || strncmp(kind, "blur", 4) == 0;
            fprintf(table, "%s\t-\t1\t%d\t%s\t%d\n", runs[i].network, runs[i].seed, kind,
                    k < 0 ? runs[i].clean
                    : few ? runs[i].few
                          : runs[i].others);
        }
    fclose(table);
    Result r = run("'%s/pages' means '%s' | cut -f 1,4-8,15-22", build_folder(), path);
    cr_expect_str_eq(
        r.out, "a\t1\t90.000000\t0.000000\t50.000000\t0.000000\t50.000000\t0.000000\t57.142857\t"
               "0.000000\t100.000000\t0.000000\t100.000000\t0.000000\n"
               "b\t2\t82.000000\t2.828427\t50.000000\t14.142136\t50.000000\t14.142136\t71.428571\t"
               "4.040610\t64.285714\t8.081220\t100.000000\t28.284271\n");
    result_free(&r);
    free(path);
    folder_remove(folder);
}

/* What published.tsv counts of ConvNeXt is what the program counts. */
Test(results, published_sizes_are_counted)
{
    static const char *const sizes[][2] = {
        { "T", "tiny" }, { "S", "small" }, { "B", "base" }, { "L", "large" }, { "XL", "xlarge" }
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Result r = run("awk -F '\t' '$1 == \"ConvNeXt\" && $2 == \"%s\" { print $6, $5 }' "
                       "results/published.tsv | sort -u && '%s/12_official_convnext' report "
                       "--variant %s | awk '/= total/ { gsub(\",\", \"\"); "
                       "printf \"%%.1f %%.4f\\n\", $4 / 1e6, $5 / 1e9 }'",
                       sizes[i][0], build_folder(), sizes[i][1]);
        char *second = strchr(r.out, '\n');
        cr_assert(second && *++second, "%s", r.out);
        cr_expect(strncmp(r.out, second, strlen(second)) == 0, "%s", r.out);
        result_free(&r);
    }
}

/* Runs on other images have no place in a panel of Fashion-MNIST. */
Test(results, plots_refuse_runs_on_other_data)
{
    char *folder = folder_new();
    run_well("mkdir '%s/05-1' && cp results/ladder/00_resnet-1/run.tsv '%s/05-1' && "
             "echo 'network 1 2, data shapes, epochs 1, options ' > '%s/05-1/made_of.txt'",
             folder, folder, folder);
    Result r =
        run("'%s/pages' collect fashion-mnist '%s/runs.tsv' - '%s'/*/run.tsv; echo $?; ls '%s'",
            build_folder(), folder, folder, folder);
    cr_expect_str_eq(r.out, "1\n05-1\n");
    has(r.err, "/05-1/run.tsv: it was not trained on fashion-mnist as it is: data shapes");
    result_free(&r);
    run_well("sed -i.old 's/shapes/fashion-mnist/' '%s/05-1/made_of.txt' && "
             "'%s/pages' collect fashion-mnist '%s/runs.tsv' - '%s'/*/run.tsv",
             folder, build_folder(), folder, folder);
    folder_remove(folder);
}

/* `make clean` leaves alone what make did not build, whatever BUILD names. */
Test(results, make_clean_spares_other_folders)
{
    static const char *const others[] = { "steps", "$PWD", "home", "$PWD/none/../steps" };
    char *folder = folder_new();
    run_well("cp Makefile '%s' && cd '%s' && mkdir -p steps/05_mine none home b && touch "
             "steps/05_mine/main.c home/flags flags b/flags b/05_mine",
             folder, folder);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        Result r = run("cd '%s' && HOME=\"$PWD/home\" make clean BUILD=\"%s\"", folder, others[i]);
        cr_expect_eq(r.status, 2, "%s", others[i]);
        has(r.err, "is not a folder of what make built, and is left alone");
        result_free(&r);
    }
    run_well("cd '%s' && test -e steps/05_mine/main.c && test -e home/flags && make clean BUILD=b "
             "> /dev/null && test ! -e b && make clean BUILD=b > /dev/null",
             folder);
    folder_remove(folder);
}

/* What make would take for two names, and what its shell would not take for one. */
Test(results, make_refuses_names_with_spaces_and_quotes)
{
    static const char *const calls[][4] = {
        { "true", "BUILD='/x/a b'", "BUILD='/x/a b'", "wanted is one folder, without a space" },
        { "true", "BUILD=", "BUILD=''", "wanted is one folder, without a space" },
        { "true", "", "'steps/14 my own/main.c'", "has no space in its name" },
        { "mv 'steps/14 my own' \"steps/15_it's\"", "", "steps/", "folder has no ' in its name" },
        { "mv steps/15_it* 'steps/15_$(x)'", "", "steps/", "folder has no $ ( ) in its name" },
        { "mv steps/15_* 'steps/15_a#b'", "", "steps/", "folder has no # in its name" },
        { "mv steps/15_* 'steps/15_a=b:c%'", "", "steps/", "folder has no : = % in its name" },
        { "mv steps/15_* 'steps/15_a\\b'", "", "steps/", "folder has no \\ in its name" },
    };
    char *folder = folder_new();
    run_well(
        "cp Makefile '%s' && mkdir -p '%s/steps/14 my own' && touch '%s/steps/14 my own/main.c'",
        folder, folder, folder);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r =
            run("cd '%s' && %s && env -u BUILD make -n help %s", folder, calls[i][0], calls[i][1]);
        cr_expect_eq(r.status, 2, "%s%s", calls[i][0], calls[i][1]);
        has(r.err, calls[i][2]);
        has(r.err, calls[i][3]);
        cr_expect(strchr(r.err, '\n')[1] == 0, "%s", r.err);
        result_free(&r);
    }
    folder_remove(folder);
}

/* A variable that a target does not take is refused before anything is built. */
Test(results, make_refuses_variables_that_do_nothing)
{
    static const char *const calls[][2] = {
        { "train STEP=14", "make train takes STEPS, not STEP" },
        { "train EPOCH=1", "make train takes EPOCHS, not EPOCH" },
        { "train SEED=3", "make train takes SEEDS, not SEED" },
        { "bench STEP=", "make bench takes STEPS, not STEP" },
        { "diff STEPS=05", "make diff takes STEP, not STEPS" },
        { "plots RUN=x", "make plots takes RUNS, not RUN" },
        { "train epochs=1", "make train takes SEEDS EPOCHS STEPS" },
        { "results DATA=none STEPS=00",
          "make results takes EPOCHS RESULT_SEEDS LAUNCH DATA, not STEPS" },
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r = run("env -u MAKELEVEL -u MAKEFLAGS make -n %s", calls[i][0]);
        cr_expect_eq(r.status, 2, "%s", calls[i][0]);
        has(r.err, calls[i][1]);
        cr_expect_str_empty(r.out);
        result_free(&r);
    }
    Result r = run("env -u MAKELEVEL -u MAKEFLAGS make -n plots kill RUNS=x KILLS=1 CC=cc "
                   "OMP_NUM_THREADS=2 FASHION_MNIST=x CIFAR10=x CIFAR100=x");
    cr_expect_eq(r.status, 0, "%s", r.err);
    result_free(&r);
}

/* A packager sets CFLAGS: what the code needs stands beside them. */
Test(results, make_takes_a_packagers_flags)
{
    char *folder = folder_new();
    Result r = run("env -u MAKELEVEL -u MAKEFLAGS make V=1 CFLAGS='-O1 -DOWN=2' BUILD='%s/b' "
                   "'%s/b/obj/common/base/parallel.o'",
                   folder, folder);
    cr_expect_eq(r.status, 0, "%s", r.err);
    has(r.out, " -DOWN=2 ");
    cr_expect_null(strstr(r.out, " -O3"), "%s", r.out);
    result_free(&r);
    folder_remove(folder);
}

/* What "native" means is asked of a compiler that says what a file says: a build folder that
 * another machine shares is compiled again there. */
Test(results, make_compiles_again_for_another_processor)
{
    static const struct {
        const char *processor;
        bool compiled;
    } calls[] = { { "AVX512F", true }, { "AVX512F", false }, { "AVX2", true } };
    char *folder = folder_new();
    run_well(
        "cd '%s' && printf '#!/bin/sh\ncase \"$*\" in *-dM*) cat \"%%s\" ;; *) exec %%s \"$@\" ;; "
        "esac\n' \"$PWD/says\" \"${CC:-cc}\" > compiler && chmod +x compiler",
        folder);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r = run("echo '#define __%s__ 1' > '%s/says' && env -u MAKELEVEL -u MAKEFLAGS make "
                       "V=1 CC='%s/compiler' BUILD='%s/b' '%s/b/obj/common/base/parallel.o'",
                       calls[i].processor, folder, folder, folder, folder);
        cr_expect_eq(r.status, 0, "%s", r.err);
        cr_expect_eq(strstr(r.out, " -c -o ") != NULL, calls[i].compiled, "%zu: %s", i, r.out);
        result_free(&r);
    }
    folder_remove(folder);
}

/* What is missing is said with what works without it; only a compiler is needed. */
Test(results, setup_says_what_is_missing)
{
    Result r = run("make check-setup");
    cr_expect_eq(r.status, 0, "%s", r.err);
    has(r.out, "  compiler       builds everything: ");
    has(r.out, "\n  machine        ");
    result_free(&r);
    r = run("CC=nothing GNUPLOT=nothing docs/setup.sh");
    cr_expect_eq(r.status, 1);
    has(r.out, "- compiler       builds everything: missing; nothing works without it");
    has(r.out, "- gnuplot        draws the plots: missing; tables only");
    result_free(&r);
    r = run("FASHION_MNIST=/nonexist docs/setup.sh");
    has(r.out, "Fashion-MNIST  make train: missing in $FASHION_MNIST (/nonexist); ");
    result_free(&r);
    r = run("d=$(mktemp -d) && for t in sh sed cut nproc awk uname; do ln -s $(command -v $t) $d; "
            "done && PATH=$d docs/setup.sh; rm -r $d");
    cr_expect_null(strstr(r.out, "( "), "%s", r.out);
    result_free(&r);
    r = run("make help | sed '/^$/q' | grep -c '^  make [a-z]'");
    int first = atoi(r.out);
    cr_expect(first >= 6 && first <= 9, "%d targets come first", first);
    result_free(&r);
}
