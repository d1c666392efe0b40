/* Runs as commands that others run: GNU parallel, Slurm, several machines; and what they left,
 * joined.
 */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A moment of training, as the environment of results/train.sh. */
#define TINY                                                                                       \
    "DATA=shapes TRAIN='--stem 8 --widths 8,12,16,24 --depths 1,1,1,1 --limit 40 --batch-size "    \
    "20' "

/* results/train.sh with these settings and a moment's training. */
static Result trained(const char *settings, const char *folder, const char *options)
{
    return run(TINY "OMP_NUM_THREADS=1 EPOCHS=1 FOLDER='%s' %s results/train.sh %s '%s'", folder,
               settings, options, build_folder());
}

/* The sums of the weights of steps 00 and 11. */
static char *weights_of(const char *folder)
{
    Result r = run("cd '%s' && cksum */best.safetensors", folder);
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "00_resnet-1/") && strstr(r.out, "11_drop_path_layer_scale-1/"), "%s",
              r.out);
    free(r.err);
    return r.out;
}

#define TWO "STEPS='00 11' SEEDS=1"

/* --list prints a line per run and trains none; the lines do so from anywhere, and once. */
Test(results_launch, runs_are_listed_as_commands)
{
    char *folder = folder_new(), *listed = str_format("%s/it's", folder),
         *trained_at = str_format("%s/trained", folder);
    Result r = run(TINY "EPOCHS=1 OMP_NUM_THREADS=1 FOLDER=\"%s\" " TWO
                        " results/train.sh --list '%s' > '%s/jobs' && grep -c . '%s/jobs' && "
                        "ls '%s' && grep -c \"'OMP_NUM_THREADS=1'\" '%s/jobs'",
                   listed, build_folder(), folder, folder, folder, folder);
    cr_expect_str_eq(r.out, "2\njobs\n2\n", "%s%s", r.out, r.err);
    result_free(&r);
    run_well("cd / && sh -e '%s/jobs' && sh -e '%s/jobs' > '%s/again' && test ! -s '%s/again'",
             folder, folder, folder, folder);
    r = trained(TWO, trained_at, "");
    cr_assert_eq(r.status, 0, "%s", r.err);
    result_free(&r);
    run_well("cmp '%s/trained/11_drop_path_layer_scale-1/best.safetensors' "
             "\"%s/11_drop_path_layer_scale-1/best.safetensors\" && ls \"%s\" | grep -vx '.*-1' "
             "| cmp - /dev/null",
             folder, listed, listed);
    free(listed);
    free(trained_at);
    folder_remove(folder);
}

/* What is refused leaves nothing behind. */
Test(results_launch, a_refused_call_leaves_no_folder)
{
    static const char *const calls[][2] = {
        { "SEEDS='1 a' STEPS=00", "train.sh: SEEDS: '1 a' is no list of numbers" },
        { "SEEDS=1 STEPS=00 EPOCHS=x", "--epochs" },
        { "SEEDS=1 STEPS=00 LAUNCH='no-such launcher'", "no-such: cannot be run" },
    };
    char *folder = folder_new(), *runs = str_format("%s/runs", folder);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r = trained(calls[i][0], runs, "");
        cr_expect_neq(r.status, 0, "%s", calls[i][0]);
        has(r.err, calls[i][1]);
        result_free(&r);
        run_well("rmdir '%s' && mkdir '%s'", folder, folder);
    }
    free(runs);
    folder_remove(folder);
}

Test(results_launch, parallel_trains_the_same)
{
    Result r = run("command -v parallel && parallel --version | grep -q GNU");
    bool here = r.status == 0;
    result_free(&r);
    if (!here)
        cr_skip_test("no GNU parallel (apt-get install parallel)");
    char *folder = folder_new(), *one = str_format("%s/one", folder),
         *many = str_format("%s/many", folder);
    r = trained(TWO, one, "");
    cr_assert_eq(r.status, 0, "%s", r.err);
    result_free(&r);
    /* Two calls at a time train each run once; whoever comes second says so, and may call again. */
    r = run("export " TINY "OMP_NUM_THREADS=1 EPOCHS=1 FOLDER='%s' " TWO
            " LAUNCH='parallel -j 2'; results/train.sh "
            "'%s' & results/train.sh '%s'; wait; results/train.sh '%s'",
            many, build_folder(), build_folder(), build_folder());
    cr_expect_eq(r.status, 0, "%s", r.err);
    for (const char *at = r.err; (at = strstr(at, "train.sh: ")); at++)
        cr_expect(strstr(at, "another call trains it"), "%s", r.err);
    static const char *const said[] = { "00_resnet, seed 1: ",
                                        "11_drop_path_layer_scale, seed 1: " };
    for (int i = 0; i < 2; i++) {
        const char *first = strstr(r.out, said[i]);
        cr_assert(first, "%s%s", r.out, r.err);
        cr_expect_null(strstr(first + 1, said[i]), "trained twice: %s", r.out);
    }
    has(r.out, "\n11_drop_path_layer_scale         1 ");
    result_free(&r);
    char *sums = weights_of(one), *others = weights_of(many);
    cr_expect_str_eq(sums, others);
    free(others);
    free(sums);
    free(one);
    free(many);
    folder_remove(folder);
}

/* The array's script does on any node what its lines say, one per task. sbatch stands in for
 * Slurm's: it runs all tasks and says with which words it was called. */
Test(results_launch, slurm_gets_an_array)
{
    char *folder = folder_new(), *runs = str_format("%s/runs/x", folder);
    run_well(
        "build=$(cd '%s' && pwd) && cd '%s' && mkdir bin docs steps && ln -s \"$build\" build && "
        "for d in common results; do ln -s \"$OLDPWD/$d\" $d; done && for s in 00_resnet "
        "11_drop_path_layer_scale; do mkdir steps/$s && touch steps/$s/main.c; done && "
        "cat > bin/sbatch << 'end'\n#!/bin/sh\ncat > script\necho \"sbatch $*\"\n"
        "for SLURM_ARRAY_TASK_ID in 2 1; do\n    export SLURM_ARRAY_TASK_ID\n"
        "    sh script || exit\ndone\nend\nchmod +x bin/sbatch",
        build_folder(), folder);
    Result r = run("cd '%s' && unset OMP_NUM_THREADS; " TINY "EPOCHS=1 FOLDER='%s' " TWO
                   " SLURM_CPUS_PER_TASK=2 PATH=\"$PWD/bin:$PATH\" "
                   "LAUNCH='results/slurm.sh --time=9 --mem=1G' results/train.sh build",
                   folder, runs);
    cr_assert_eq(r.status, 0, "%s%s", r.out, r.err);
    has(r.out, "sbatch --wait --job-name=train --output=runs/slurm-%A_%a.out --array=1-2 --time=9 "
               "--mem=1G\n");
    cr_expect(strstr(r.out, "11_drop_path_layer_scale, seed 1") <
                  strstr(r.out, "00_resnet, seed 1"),
              "%s", r.out);
    result_free(&r);
    free(weights_of(runs));
    r = run("cut -f 8 '%s'/*/run.tsv | sort -u", runs);
    cr_expect_str_eq(r.out, "2\nthreads\n");
    result_free(&r);
    r = run("cd '%s' && PATH=\"$PWD/bin:$PATH\" results/slurm.sh < /dev/null", folder);
    cr_expect_eq(r.status, 2);
    has(r.err, "slurm.sh: no line to run");
    result_free(&r);
    free(runs);
    folder_remove(folder);
}

/* A job that Slurm starts again on another node takes what it left; nobody else does. */
Test(results_launch, a_job_that_is_requeued_takes_its_lock)
{
    static const struct {
        const char *lock, *job;
        int status;
    } cases[] = { { "elsewhere 1 7", "SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1", 0 },
                  { "elsewhere 1 7", "SLURM_JOB_ID=7", 1 },
                  { "elsewhere 1 7", "SLURM_JOB_ID=8 SLURM_RESTART_COUNT=1", 1 },
                  { "elsewhere 1 -", "", 1 },
                  { "$(uname -n) $$ 7", "SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1", 1 } };
    char *folder = folder_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Result r = run("echo \"%s\" > '%s/00_resnet-1.lock' && rm -rf '%s/00_resnet-1' && env -u "
                       "SLURM_JOB_ID -u SLURM_RESTART_COUNT " TINY
                       "EPOCHS=1 FOLDER='%s' %s results/train.sh --run '%s' 00_resnet 1",
                       cases[i].lock, folder, folder, folder, cases[i].job, build_folder());
        cr_expect_eq(r.status, cases[i].status, "%zu: %s", i, r.err);
        if (cases[i].status)
            has(r.err, "another call trains it (process ");
        result_free(&r);
    }
    folder_remove(folder);
}

/* SIGTERM to make ends the training too, which is saved, and goes on when it is called again. */
Test(results_launch, what_ends_make_train_ends_training)
{
    char *tree = tree_copy();
    Result r = run(
        "cd '%s' && export BUILD=build " TINY "FOLDER=r; make QUIET=1 train STEPS=00 EPOCHS=400 "
        "> log 2>&1 & make=$!; cd '%s'; until [ -s r/00_resnet-1/log.tsv ]; do kill -0 $make || "
        "break; sleep 0.05; done; kill -TERM $make; wait $make; echo $?; cat log; ls r",
        tree, tree);
    has(r.out, "143\n");
    has(r.out, "00_resnet: r/00_resnet-1: stopped; the same command with --resume continues\n");
    has(r.out, "train.sh: r/00_resnet-1: make train, set as before, calls it with --resume\n");
    cr_expect(strlen(r.out) > 12 && strcmp(r.out + strlen(r.out) - 13, "\n00_resnet-1\n") == 0,
              "%s%s", r.out, r.err);
    result_free(&r);
    folder_remove(tree);
}

/* --- altered images --------------------------------------------------------------------------- */

/* A tree in which this program writes down how it is called to train, trains nothing, and says of
 * its weights what results/altered.sh asks. */
static char *pretender(const char *program)
{
    char *tree = tree_copy();
    run_well(
        "cd '%s' && mkdir real && mv build/%s real && rm -f results/noise.tsv "
        "results/trainings.tsv "
        "&& cat > build/%s << 'end'\n#!/bin/sh\ncase $1 in\n"
        "train)\n    echo \"$*\" >> calls\n    while [ \"$1\" != --out ]; do shift; done\n"
        "    printf 'epoch\\n1\\n' > \"$2/log.tsv\"\n    echo w > \"$2/best.safetensors\"\n"
        "    printf 'a\\tb\\tc\\td\\te\\tf\\n10\\t9\\t91.5\\t90\\t99\\t0.3\\n' > \"$2/result.tsv\" "
        ";;\n"
        "evaluate)\n    [ -f \"$3\" ] && echo \"$4 $5\" >> calls\n    printf 'alteration\\ttop1\\t"
        "top5\\tloss\\nclean\\t90\\t99\\t0.3\\nnoise:32\\t80\\t98\\t0.5\\n' ;;\n"
        "*) exec real/%s \"$@\" ;;\nesac\nend\nchmod +x build/%s",
        tree, program, program, program, program);
    return tree;
}

/* The runs on altered images are trained by train.sh, as their table has them, once. */
Test(results_launch, altered_images_are_tried_once_per_run)
{
    char *tree = pretender("13_paper_roadmap");
    setenv("BUILD", "build", 1); /* the tree's */
    Result r = run("cd '%s' && SEEDS='1 2' results/altered.sh --list noise > jobs && "
                   "grep -c . jobs "
                   "&& sed -n 6p jobs | sed 's/.*env//' && ls runs calls",
                   tree);
    has(r.out, "10\n 'BUILD=build' 'results/altered.sh' '--run' 'noise' '2' '13_paper_roadmap' '0' "
               "'64' '4e-3' '--alter noise:64' < /dev/null\n");
    cr_expect(strstr(r.out, "calls") == NULL, "%s", r.out);
    result_free(&r);
    run_well("cd '%s' && grep -v FASHION jobs; cd / && sed -n 7p '%s/jobs' | sh", tree, tree);
    r = run("cd '%s' && SEEDS='1 2' results/altered.sh noise > /dev/null && grep -c "
            "train calls && "
            "grep -c 'alter all' calls && grep ' --row 8 ' calls | sort && cat results/noise.tsv",
            tree);
    char *text = r.out;
    cr_expect_str_eq(next_line(&text), "10", "%s", r.err);
    cr_expect_str_eq(next_line(&text), "10");
    for (int seed = 1; seed <= 2; seed++) {
        char *call = str_format("train --data fashion-mnist --epochs 10 --seed %d --out "
                                "runs/altered/8-64--alter-noise-64/13_paper_roadmap-%d "
                                "--batch-size 64 --lr 4e-3",
                                seed, seed);
        char *line = next_line(&text);
        cr_assert(line);
        cr_expect(strncmp(line, call, strlen(call)) == 0, "%s", line);
        cr_expect_null(strstr(line, "--layer-scale"), "row 8 has none: %s", line);
        has(line, " --alter noise:64");
        free(call);
    }
    cr_expect_str_eq(next_line(&text),
                     "network\trow\tbatch\tseed\talteration\ttop1\ttop5\tloss\theld_out_top1\t"
                     "commit\tcompiler\tcpu");
    char *fields[13];
    for (int i = 0; i < 20; i++) {
        static const char *const rows[] = { "0", "5", "6", "8", "14" };
        char *line = next_line(&text);
        cr_assert(line, "%d rows", i);
        cr_assert_eq(split(line, fields, 13), 12);
        cr_expect_str_eq(fields[1], rows[i / 4]);
        cr_expect_str_eq(fields[3], i / 2 % 2 ? "2" : "1");
        cr_expect_str_eq(fields[4], i % 2 ? "noise:32" : "clean");
        cr_expect_str_eq(fields[5], i % 2 ? "80" : "90");
        cr_expect_str_eq(fields[8], "91.5");
    }
    cr_expect_str_empty(text);
    result_free(&r);
    /* Rows that are in the table need no run. */
    run_well("cd '%s' && rm -r runs calls && cp results/noise.tsv before && SEEDS='1 2' "
             "results/altered.sh noise && cmp results/noise.tsv before && test ! -e calls",
             tree);
    r = run("cd '%s' && results/altered.sh nois", tree);
    cr_expect_eq(r.status, 2);
    has(r.err, "altered.sh: nois: no table of altered, rows, norms, noise, trainings, "
               "variants_altered");
    result_free(&r);
    r = run("SEEDS=1 results/altered.sh --list variants_altered | cut -d ' ' -f 9-12");
    cr_expect_str_eq(r.out, "'1' '12_article_norms' '-' '64'\n"
                            "'1' '12_group_norm_between_stages' '-' '64'\n"
                            "'1' '12_group_norm_in_blocks' '-' '64'\n"
                            "'1' '12_stem_batch_norm' '-' '64'\n");
    result_free(&r);
    folder_remove(tree);
}

/* What a training has of its own overrides what all have; a recipe brings its learning rate. */
Test(results_launch, trainings_have_options_of_their_own)
{
    static const char *const rows[][2] = {
        { "--epochs=40", "--batch-size 64 --lr 4e-3 --layer-scale 0.1 --epochs=40" },
        { "--epochs=40,--mixup,--cutmix",
          "--batch-size 64 --lr 4e-3 --layer-scale 0.1 --epochs=40 --mixup --cutmix" },
        { "--limit=1111,--epochs=540,--warmup=54",
          "--batch-size 64 --lr 4e-3 --layer-scale 0.1 --limit=1111 --epochs=540 --warmup=54" },
        { "--limit=6000,--epochs=100,--warmup=10",
          "--batch-size 64 --lr 4e-3 --layer-scale 0.1 --limit=6000 --epochs=100 --warmup=10" },
        { "--recipe=classic", "--batch-size 64 --layer-scale 0.1 --recipe=classic" },
        { "--recipe=paper", "--batch-size 64 --layer-scale 0.1 --recipe=paper" },
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    char *tree = pretender("12_official_convnext");
    setenv("BUILD", "build", 1); /* the tree's */
    Result r = run("cd '%s' && export SEEDS=1 && results/altered.sh --list trainings > jobs && cat "
                   "jobs && grep 12_official jobs | sh > /dev/null && "
                   "LAUNCH=true results/altered.sh trainings && sed 1d results/trainings.tsv",
                   tree);
    char *text = r.out, *fields[13];
    for (int i = 0; i < 18; i++) {
        const char *line = next_line(&text);
        cr_assert(line, "%s", r.err);
        cr_expect(i >= 4 || strstr(line, i % 2 ? "12_official_convnext" : "00_resnet"), "%s", line);
    }
    for (int i = 0; i < 2 * ROWS; i++) {
        char *line = next_line(&text);
        cr_assert(line, "%d rows: %s", i, r.err);
        cr_assert_eq(split(line, fields, 13), 12);
        cr_expect_str_eq(fields[1], rows[i / 2][0]);
        cr_expect_str_eq(fields[4], i % 2 ? "noise:32" : "clean");
    }
    cr_expect_str_empty(text);
    result_free(&r);
    for (int i = 0; i < ROWS; i++) {
        r = run("cd '%s' && grep -c -e '%s *$' calls", tree, rows[i][1]);
        cr_expect_str_eq(r.out, "1\n", "%s", rows[i][1]);
        result_free(&r);
    }
    folder_remove(tree);
}

/* Other data have tables of their own, at the size of the preset and at their own; a step for which
 * that is too small is left out. The files are made: 60 images of two classes. */
Test(results_launch, altered_images_of_a_readers_cifar10)
{
    char *tree = tree_copy();
    setenv("BUILD", "build", 1); /* the tree's */
    run_well(
        "cd '%s' && mkdir c && awk 'BEGIN { for (i = 0; i < 60; i++) { printf \"%%c\", i %% 2 + "
        "1; for (k = 0; k < 3072; k++) printf \"%%c\", i %% 2 * 90 + 20 + (k * 7 + i) %% 9 } }' "
        "> c/all && for f in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 "
        "test_batch; do cp c/all c/$f.bin; done",
        tree);
    Result r =
        run("cd '%s' && export CIFAR10=$(pwd)/c DATA=cifar10 EPOCHS=1 SEEDS=1 && "
            "results/altered.sh --list altered > all && INPUT=3x32x32 results/altered.sh "
            "--list altered > own && cat all own | grep -c . && grep -c . own && ! grep -q "
            "'10_sep\\|11_drop' own && cd / && sed -n 1p '%s/all' | sh && sed -n 1p '%s/own' | "
            "sh && cd '%s' && for i in '' 3x32x32; do INPUT=$i LAUNCH=true results/altered.sh "
            "altered; done; wc -l < runs/altered-cifar10-1/altered.tsv && wc -l < "
            "runs/altered-cifar10-3x32x32-1/altered.tsv && git status --short results",
            tree, tree, tree, tree);
    cr_expect(strncmp(r.out, "24\n11\n", 6) == 0, "%s%s", r.out, r.err);
    cr_expect(strlen(r.out) > 7 && strcmp(r.out + strlen(r.out) - 6, "16\n16\n") == 0, "%s%s",
              r.out, r.err);
    result_free(&r);
    r = run("cd '%s' && sed -n 2p runs/altered-cifar10-3x32x32-1/altered.tsv && cat "
            "runs/altered-cifar10-3x32x32-1/--64/*/made_of.txt",
            tree);
    has(r.out, "00_resnet\t-\t64\t1\tclean\t");
    has(r.out, "data cifar10, epochs 1, options --batch-size 64 --lr 4e-3 --input 3x32x32");
    result_free(&r);
    folder_remove(tree);
}

/* --- runs from many places -------------------------------------------------------------------- */

/* Writes a run as FOLDER/PLACE/STEP-SEED. */
static void put_run(const char *folder, const char *place, const char *step, int seed,
                    const char *commit, const char *compiler, const char *epochs)
{
    run_well("d='%s/%s/%s-%d' && mkdir -p \"$d\" && { sed 1q results/accuracy.tsv && "
             "printf '%s\\t%d\\t90.%d\\t89.%d\\t0.5\\t2\\t60\\t1\\t%s\\t%s\\tcpu avx2\\n'; } > "
             "\"$d/run.tsv\" && printf 'epoch\\theld_out_top1\\n1\\t90\\n' > \"$d/log.tsv\" && "
             "echo 'network 1 2, data shapes, epochs %s, options ' > \"$d/made_of.txt\" && "
             "echo weights > \"$d/best.safetensors\"",
             folder, place, step, seed, step, seed, seed, seed, commit, compiler, epochs);
}

/* make collect RUNS="a b": one table, in the build folder, which says what is not as in most runs.
 */
Test(results_launch, folders_are_joined)
{
    char *folder = folder_new();
    put_run(folder, "a", "00_x", 1, "c1", "gcc 12", "2");
    put_run(folder, "a", "01_y", 1, "c1", "gcc 12", "2");
    put_run(folder, "b", "00_x", 2, "c1", "clang 14", "2");
    put_run(folder, "c", "00_x", 3, "c2+changed", "gcc 12", "2");
    Result r = run("bin=$(cd '%s' && pwd) && cd '%s' && \"$bin/pages\" join t curves a/*/run.tsv "
                   "b/*/run.tsv c/*/run.tsv && cut -f 1,2,9- t && cat curves",
                   build_folder(), folder);
    cr_expect_str_eq(r.out,
                     "step                         seeds  held out, %    test, %        test loss\n"
                     "00_x                             3   90.20 ± 0.10   89.20 ± 0.10  0.5000\n"
                     "01_y                             1   90.10          89.10         0.5000\n"
                     "c/00_x-3/run.tsv: commit c2+changed, where most have c1\n"
                     "b/00_x-2/run.tsv: compiler clang 14, where most have gcc 12\n"
                     "step\tseed\tcommit\tcompiler\tcpu\tdiffers\n"
                     "00_x\t1\tc1\tgcc 12\tcpu avx2\t-\n"
                     "00_x\t2\tc1\tclang 14\tcpu avx2\tcompiler\n"
                     "00_x\t3\tc2+changed\tgcc 12\tcpu avx2\tcommit\n"
                     "01_y\t1\tc1\tgcc 12\tcpu avx2\t-\n"
                     "step\tepoch\theld_out_mean\theld_out_min\theld_out_max\tseeds\n"
                     "00_x\t1\t90.000\t90\t90\t3\n01_y\t1\t90.000\t90\t90\t1\n",
                     "%s%s", r.out, r.err);
    result_free(&r);
    /* Doubles are refused, with what is the same of them and what is not; so are other recipes. */
    put_run(folder, "d", "00_x", 1, "c1", "gcc 12", "2");
    put_run(folder, "d", "00_x", 2, "c3", "gcc 12", "2");
    put_run(folder, "e", "01_y", 2, "c1", "gcc 12", "5");
    static const char *const refused[][3] = {
        { "true", "[a-d]",
          "d/00_x-1/run.tsv: step and seed are those of a/00_x-1/run.tsv: the same bytes\n" },
        { "echo others > d/00_x-2/best.safetensors", "[a-d]",
          "d/00_x-2/run.tsv: step and seed are those of b/00_x-2/run.tsv: other bytes, commit c3 "
          "and not c1, compiler gcc 12 and not clang 14\n" },
        { "rm d/00_x-1/best.safetensors", "[a-d]", "a/00_x-1/run.tsv: the same results\n" },
        { "true", "[abce]",
          "e/01_y-2/run.tsv: it is of another recipe than a/01_y-1/run.tsv: network 1 2, "
          "data shapes, epochs 5, options ; and not network 1 2, data shapes, epochs 2" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        r = run(
            "bin=$(cd '%s' && pwd) && cd '%s' && cp t before && %s && \"$bin/pages\" join t curves "
            "%s/*/run.tsv; echo $?; cmp t before",
            build_folder(), folder, refused[i][0], refused[i][1]);
        cr_expect_str_eq(r.out, "1\n", "%s", refused[i][0]);
        has(r.err, refused[i][2]);
        has(r.err, "runs: these runs cannot be averaged: leave some of them out\n");
        result_free(&r);
    }
    folder_remove(folder);
}

/* What make makes of RUNS: folders, one after the other. */
Test(results_launch, make_takes_several_folders)
{
    Result r =
        run("env -u MAKELEVEL -u MAKEFLAGS BUILD=build make -n collect RUNS='x y' | grep join");
    has(r.out, " join build/runs.tsv build/runs_curves.tsv 'x'/*/run.tsv 'y'/*/run.tsv\n");
    result_free(&r);
    r = run("env -u MAKELEVEL -u MAKEFLAGS make -n collect RUN=x");
    has(r.err, "make collect takes RUNS, not RUN");
    result_free(&r);
}
