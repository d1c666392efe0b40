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

/* --- what may change ------------------------------------------------------------------------- */

/* results/ladder.tsv and stages.tsv are counted, and so are the same everywhere. */
Test(results, counted_tables_are_what_the_programs_say)
{
    char *folder = folder_new();
    run_well("results/ladder.sh --write '%s' '%s'", build_folder(), folder);
    Result r = run("for t in ladder stages; do diff results/$t.tsv '%s'/$t.tsv; done", folder);
    cr_expect_str_empty(r.out, "make docs writes them again:\n%s", r.out);
    result_free(&r);
    /* One that fails leaves them as they are. */
    run_well("mkdir '%s/b' && cp '%s'/[0-9]* '%s/b' && printf '#!/bin/sh\nexit 1\n' "
             "> '%s/b/09_layer_norm'",
             folder, build_folder(), folder, folder);
    r = run("cd '%s' && cksum *.tsv > before && cd - && results/ladder.sh --write '%s/b' '%s'; "
            "echo $? > '%s/status'; cd '%s' && cksum *.tsv | cmp - before && cat status && ls",
            folder, folder, folder, folder, folder);
    cr_expect(strstr(r.out, "1\nb\nbefore\nladder.tsv\nstages.tsv\nstatus\n"), "%s%s", r.out,
              r.err);
    result_free(&r);
    folder_remove(folder);
}

/* A copy of this tree with a step of the reader's in it. The files' sums are in build/sums. */
static char *tree(void)
{
    char *folder = tree_copy();
    run_well("cd '%s' && chmod 755 . && mkdir steps/14_mine && "
             "sed 's/\\.title = \"/&My /; s/\\.kernel = 7, \\.pad = 3/.kernel = 5, .pad = 2/' "
             "steps/11_drop_path_layer_scale/main.c > steps/14_mine/main.c && find . -name build "
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

static void has(const char *text, const char *piece)
{
    cr_expect(strstr(text, piece), "'%s' is not in %s", piece, text);
}

/* make and make docs leave every file as it is; the table has the reader's step, compared with what
 * it was made from; what is not installed is said in a line. */
Test(results, make_leaves_a_tree_with_a_readers_step_as_it_was)
{
    char *folder = tree(), *other = str_format("%s/other", folder);
    Result r = run("cd '%s' && BUILD=build make", folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    has(r.out, "\n14_mine                    197.75  -0.2%     7.45  -0.5%    28.46");
    unchanged(folder, "make");
    result_free(&r);
    r = run("cd '%s' && cut -f 1,2,10,11 build/ladder.tsv | grep own && ls build/plots | grep -c "
            "svg && "
            "rm build/plots/road.svg && BUILD=build make GNUPLOT=none | tail -n 1",
            folder);
    has(r.out, "14_mine\tMy Drop path and layer scale\t11_drop_path_layer_scale\town\n10\n"
               "no gnuplot: no plot is drawn");
    result_free(&r);
    run_well(
        "printf '#!/bin/sh\ncase \"$*\" in *TERMINALS*) echo svg x11 ;; *) exec gnuplot \"$@\" ;; "
        "esac\n' > '%s' && chmod +x '%s'",
        other, other);
    r = run("cd '%s' && rm -f build/plots/road.* && BUILD=build make GNUPLOT='%s' | tail -n 2 && "
            "ls build/plots | grep road && rm '%s'",
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

/* LAUNCH gets a line a run, which somebody else may run. */
Test(results, runs_can_be_launched_elsewhere)
{
    char *folder = repository(), *launch = str_format("LAUNCH='tee jobs' SEEDS='1 2'");
    Result r = run("cd '%s' && %s DATA=shapes EPOCHS=1 TRAIN=\"--out-of-order 'x\" FOLDER='a b' "
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

/* The scripts' words, whoever reads them: `prefix` puts an awk in front of PATH or names a shell.
 */
static char *said(const char *folder, const char *shell, const char *path)
{
    Result r =
        run("PATH=%s$PATH; %s results/ladder.sh --text '%s/ladder.tsv' && %s results/ladder.sh "
            "--markdown results/ladder.tsv && %s results/speed.sh --markdown results/speed.tsv "
            "&& %s results/kernels.sh --markdown results/kernels.tsv gemm && %s "
            "results/peers.sh --markdown results/peers.tsv && STEPS=05 %s results/steps.sh '%s' "
            "me && %s results/accuracy.sh results/ladder '%s/a.tsv' '%s/c.tsv' && "
            "cat '%s/a.tsv' '%s/c.tsv' && STEPS='00 11' SEEDS='1 2 3' FOLDER=results/ladder "
            "LAUNCH=true %s results/train.sh '%s' && mkdir -p '%s/w' && %s results/ladder.sh "
            "--write '%s' '%s/w' && cat '%s/w'/*",
            path, shell, build_folder(), shell, shell, shell, shell, shell, build_folder(), shell,
            folder, folder, folder, folder, shell, build_folder(), folder, shell, build_folder(),
            folder, folder);
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
    cr_expect(strlen(first) > 10000, "%s", first);
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
    run_well("cat '%s/ladder.tsv' > '%s/ladder.tsv' && for t in accuracy paper speed stages; do "
             "cat results/$t.tsv > '%s'/$t.tsv; done",
             build_folder(), folder, folder);
    Result r = run("command -v gnuplot");
    bool here = r.status == 0;
    result_free(&r);
    return here;
}

static void draw(const char *folder, const char *plot)
{
    Result r = run("top=$(pwd) && cd '%s' && env -u LANG LC_ALL=C.UTF-8 gnuplot -e \"STYLE = "
                   "'$top/results/style.gp'; KINDS = 'svg'\" \"$top/results/%s.gp\"",
                   folder, plot);
    cr_expect_eq(r.status, 0, "%s: %s", plot, r.err);
    cr_expect_str_empty(r.err, "%s: %s", plot, r.err);
    result_free(&r);
}

/* A run of a step that is not there gets no dot; where no language is set gnuplot has nothing to
 * say.
 */
Test(results, plots_of_what_is_there)
{
    static const char *const plots[] = { "road", "speed", "stages", "cost" };
    char *folder = folder_new();
    if (tables_in(folder)) {
        for (size_t i = 0; i < sizeof plots / sizeof *plots; i++)
            draw(folder, plots[i]);
        run_well("cd '%s' && mv road.svg first && printf '99_gone\t1\t80\t80\t1\n' >> accuracy.tsv",
                 folder);
        draw(folder, "road");
        run_well("cd '%s' && cmp road.svg first", folder);
    }
    folder_remove(folder);
}

/* make plots with RUNS draws a reader's runs, of steps that are there, beside ours. */
Test(results, plots_of_a_readers_runs)
{
    static const char *const plots[] = { "road", "cost" };
    char *folder = folder_new();
    bool here = tables_in(folder);
    run_well(
        "mkdir -p '%s/r/05_large_kernel-1' '%s/r/99_gone-1' && for s in 05_large_kernel 99_gone; "
        "do sed \"s/^00_resnet/$s/\" results/ladder/00_resnet-1/run.tsv > '%s/r/'$s-1/run.tsv; "
        "done && results/accuracy.sh '%s/r' '%s/runs.tsv'",
        folder, folder, folder, folder, folder);
    for (size_t i = 0; here && i < sizeof plots / sizeof *plots; i++) {
        draw(folder, plots[i]);
        Result r =
            run("cd '%s' && grep -c 'your runs' %s.svg && grep -c 'gpPt6.*rgb(  0, 158, 115)' "
                "%s.svg",
                folder, plots[i], plots[i]);
        cr_expect_str_eq(r.out, "1\n1\n", "%s: %s", plots[i], r.out);
        result_free(&r);
    }
    folder_remove(folder);
}

/* Runs on other pictures have no place in a panel of Fashion-MNIST. */
Test(results, plots_refuse_runs_on_other_data)
{
    char *folder = folder_new();
    run_well("mkdir '%s/05-1' && cp results/ladder/00_resnet-1/run.tsv '%s/05-1' && "
             "echo 'network 1 2, data shapes, epochs 1, options ' > '%s/05-1/made_of.txt'",
             folder, folder, folder);
    Result r = run("results/accuracy.sh --data fashion-mnist '%s' '%s/runs.tsv'; echo $?; ls '%s'",
                   folder, folder, folder);
    cr_expect_str_eq(r.out, "1\n05-1\n");
    has(r.err, "/05-1: was not trained on fashion-mnist as it is: network 1 2, data shapes");
    result_free(&r);
    run_well("sed -i.old 's/shapes/fashion-mnist/' '%s/05-1/made_of.txt' && "
             "results/accuracy.sh --data fashion-mnist '%s' '%s/runs.tsv'",
             folder, folder, folder);
    folder_remove(folder);
}

/* What make would take for two names. */
Test(results, make_refuses_names_with_spaces)
{
    char *folder = folder_new();
    run_well(
        "cp Makefile '%s' && mkdir -p '%s/steps/14 my own' && touch '%s/steps/14 my own/main.c'",
        folder, folder, folder);
    for (int i = 0; i < 3; i++) {
        static const char *const calls[][2] = { { "BUILD='/x/a b'", "BUILD='/x/a b'" },
                                                { "BUILD=", "BUILD=''" },
                                                { "", "'steps/14 my own/main.c'" } };
        Result r = run("cd '%s' && env -u BUILD make -n help %s", folder, calls[i][0]);
        cr_expect_eq(r.status, 2, "%s", calls[i][0]);
        has(r.err, calls[i][1]);
        has(r.err, i < 2 ? "wanted is one folder, without a space" : "has no space in its name");
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
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r = run("env -u MAKELEVEL -u MAKEFLAGS make -n %s", calls[i][0]);
        cr_expect_eq(r.status, 2, "%s", calls[i][0]);
        has(r.err, calls[i][1]);
        cr_expect_str_empty(r.out);
        result_free(&r);
    }
    Result r = run("env -u MAKELEVEL -u MAKEFLAGS make -n plots kill RUNS=x KILLS=1 CC=cc "
                   "OMP_NUM_THREADS=2");
    cr_expect_eq(r.status, 0, "%s", r.err);
    result_free(&r);
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
