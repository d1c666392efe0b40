/* make start, make grade and make handout: what is told of a step of one's own, that no step harms
 * what grades it, and the way from the one to the other. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* As the Makefile calls it, but for what the compiler is told of speed. */
#define COMPILED                                                                                   \
    "export GRADE_COMPILE=\"${CC:-cc} -std=gnu11 -pthread -Icommon $EXTRA\" "                      \
    "GRADE_WITH='%s/libcommon.a -lm'; "

/* Grades a main.c that sed makes of a step's, in a folder of its own. */
static Result grade(const char *folder, const char *step, const char *edit, const char *options)
{
    run_well("sed '%s' steps/%s/main.c > '%s/main.c'", edit, step, folder);
    return run(COMPILED "%s/grade %s '%s' %s", build_folder(), build_folder(), step, folder,
               options);
}

/* Every seventh of tests/grade/mistakes; make grade-mistakes has them all. */
Test(grade, tells_usual_mistakes)
{
    Result r = run(COMPILED "tests/grade/run.sh %s 4 12 18 25 31", build_folder(), build_folder());
    cr_expect_eq(r.status, 0, "%s%s", r.out, r.err);
    cr_expect(strstr(r.out, "5 steps with a mistake, 0 not told"), "%s", r.out);
    result_free(&r);
}

/* Steps that do other than a step does, and what is told of them. */
static void check_harm(const char *code, const char *options, const char *told)
{
    char *folder = folder_new();
    char *edit = str_format("s/#include .nn.h./&\\n#include <stdio.h>\\n#include <stdlib.h>\\n/; "
                            "s/^    Step step = {/    %s\\n&/",
                            code);
    Result r = grade(folder, "02_patchify_stem", edit, options);
    cr_expect_eq(r.status, 1, "%s: status %d: %s", code, r.status, r.err);
    cr_expect(strstr(r.out, told), "%s: %s%s", code, r.out, r.err);
    cr_expect(strstr(r.out, "\n5 of 100 points\n"), "%s: %s", code, r.out);
    cr_expect(strlen(r.out) < 4096, "%s: it prints %zu bytes", code, strlen(r.out));
    result_free(&r);
    folder_remove(folder);
}

Test(grade, ends_a_step_that_never_does)
{
    check_harm("for (;;) argc++;", "--seconds 1", "ended, because it does not end");
}

Test(grade, ends_a_step_that_fills_the_disk)
{
    check_harm("{ static char a[1 << 20]; FILE *f = fopen(\"big\", \"w\"); while (f) fwrite(a, 1, "
               "sizeof a, f); }",
               "", "it writes a file of more than 256 MiB");
}

Test(grade, gives_a_step_some_memory)
{
    check_harm("int n = 0; while (n < 64 \\&\\& malloc(1 << 28)) n++; fprintf(stderr, n < 16 ? "
               "\"little\" : \"much\"); return 1;",
               "", sanitized() ? "exit status 1" : "\n    little\n");
}

Test(grade, tells_that_a_step_crashes)
{
    check_harm("*(volatile int *)8 = argc;", "",
               sanitized() ? "exit status" : "it crashes: it reads or writes where no memory is");
}

Test(grade, ends_a_step_that_prints_for_ever)
{
    check_harm("for (;;) printf(\"a line that is printed again and again\\\\n\");", "",
               "it prints more than 4 MiB");
}

Test(grade, leaves_nothing_running)
{
    char *folder = folder_new();
    run_well("mkdir '%s/tmp'", folder);
    Result r =
        run("sed 's/^    Step step = {/    system(\"sleep 611 \\&\");\\n&/; s/#include .nn.h./"
            "&\\n#include <stdlib.h>/' steps/02_patchify_stem/main.c > '%s/main.c'; "
            "export TMPDIR='%s/tmp'; " COMPILED "%s/grade 02 '%s'",
            folder, folder, build_folder(), build_folder(), folder);
    cr_expect_eq(r.status, 0, "%s%s", r.out, r.err);
    result_free(&r);
    r = run("ls '%s/tmp' | wc -l; ps -A -o args | grep -c '^sleep 611'", folder);
    cr_expect_str_eq(r.out, "0\n0\n", "files and processes left: %s", r.out);
    result_free(&r);
    folder_remove(folder);
}

/* The way of a student: the step begun, three mistakes on it, full marks. */
Test(grade, leads_from_start_to_full_marks)
{
    static const struct {
        const char *edit, *told;
    } way[] = {
        { "s/x = conv_norm_act(x, .out = wide, .kernel = 1, .stride = b.stride, .bias = false);/"
          "x = conv_norm_act(x, .out = in, .kernel = 7, .stride = b.stride, .bias = false);/; "
          "s/x = conv_norm_act(x, .out = wide, .kernel = 3, .groups = in, .bias = false);/"
          "x = conv_norm_act(x, .out = wide, .kernel = 1, .bias = false);/",
          "/14_mine/main.c:27: encoder.stages.0.0.block.1.0.bias is missing" },
        { "s/\\.out = wide, \\.kernel = 1, \\.bias = false/.out = wide, .kernel = 1/",
          "encoder.stages.0.0.block.0.0.weight is 64x64x7x7, should be 64x1x7x7" },
        { "s/\\.kernel = 7, /&.groups = in, .act = GELU, /", "block.0.2 is gelu, should be relu" },
        { "s/ \\.act = GELU,//", "\n100 of 100 points\n" },
    };
    char *folder = folder_new();
    Result r =
        run("mkdir '%s/steps' && ln -s \"$PWD/docs\" '%s' && cp -r steps/04* '%s/steps' && cd "
            "'%s' && docs/start.sh 05 && docs/start.sh 05 steps/14_mine",
            folder, folder, folder, folder);
    cr_expect_eq(r.status, 2, "%s%s", r.out, r.err);
    cr_expect(strstr(r.err, "steps/14_mine/main.c is there already"), "%s", r.err);
    result_free(&r);
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        bool last = i + 1 == sizeof way / sizeof *way;
        run_well("cd '%s/steps/14_mine' && sed '%s' main.c > new && ! cmp -s new main.c && mv new "
                 "main.c",
                 folder, way[i].edit);
        r = run(COMPILED "%s/grade 05 '%s/steps/14_mine'", build_folder(), build_folder(), folder);
        cr_expect_eq(r.status, !last, "%zu: status %d", i, r.status);
        cr_expect(strstr(r.out, way[i].told), "%zu: %s%s", i, r.out, r.err);
        result_free(&r);
    }
    folder_remove(folder);
}

Test(grade, starts_from_every_task)
{
    char *folder = folder_new();
    run_well("mkdir '%s/steps' && ln -s \"$PWD/docs\" '%s' && cp -r steps/0* steps/1[0-3]_* "
             "'%s/steps' && cd '%s' && for task in docs/tasks/*.md; do "
             "n=$(basename $task .md); docs/start.sh $n steps/${n}_mine >/dev/null && "
             "[ $(awk 'length > 100' steps/${n}_mine/main.c | wc -l) -eq 0 ] && "
             "cc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I\"$OLDPWD/common\" "
             "steps/${n}_mine/main.c || exit 1; done",
             folder, folder, folder, folder);
    folder_remove(folder);
}

Test(grade, refuses_wrong_calls)
{
    static const char *const calls[][2] = {
        { "grade 13 steps/05_large_kernel", "STEP|no such task" },
        { "grade 05 steps/none", "MINE|steps/none|No such file" },
        { "grade 05", "MINE|make grade STEP=05" },
        { "grade 05 steps/none --sed 1", "--sed: unknown; --help says" },
        { "grade 05 steps/05_large_kernel --seed x", "SEED|no whole number" },
        { "grade 05 steps/05_large_kernel --format xml", "FORMAT|xml|text, tsv or json" },
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        expect_line(run("%s/%s", build_folder(), calls[i][0]), 2, calls[i][1], calls[i][0]);
    run_well("%s/grade --help | grep -q '^usage: grade STEP FOLDER'", build_folder());
    expect_line(run("docs/start.sh 13"), 2, "STEP=13|no task", "start 13");
    expect_line(run("docs/start.sh 05 /tmp/x"), 2, "TO=/tmp/x|steps/14_mine", "start elsewhere");
}

/* Gradescope's fields, as its specification has them. */
Test(grade, prints_what_gradescope_reads)
{
    char *folder = folder_new();
    Result r = grade(folder, "02_patchify_stem", "s/kernel = 4/kernel = \"/", "--format json");
    static const char *const fields[] = {
        "{\n \"score\": 0,\n",
        " \"output\": \"",
        " \"stdout_visibility\": \"hidden\"",
        ("{\"name\": \"compiles\", \"number\": \"1\", \"score\": 0, \"max_score\": 5, \"status\": "
         "\"failed\", \"output_format\": \"text\", \"visibility\": \"visible\", \"output\": "),
        "missing terminating",
        "{\"name\": \"five AdamW steps\", \"number\": \"10\", ",
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        cr_expect(strstr(r.out, fields[i]), "no %s in %s", fields[i], r.out);
    result_free(&r);
    folder_remove(folder);
}

/* What is given away has no later step, and nothing that quotes one; its bytes are the same again.
 * make handout-check makes and tests it. */
Test(grade, hands_out_no_answers)
{
    char *folder = folder_new();
    run_well("docs/handout.sh 05 '%s/a' && docs/handout.sh 5 '%s/b' && cmp '%s/a' '%s/b'", folder,
             folder, folder, folder);
    Result r = run("cd '%s' && tar -xzf a && ls -d convnext-steps-05/steps/* | tr '\\n' ' ' && cd "
                   "convnext-steps-05 && ls docs/tasks && grep -rlE '0[5-9]_[a-z]+_|kernel = 7, "
                   "\\.stride = b.stride|<details>' steps docs/*.md docs/zh docs/diffs tests/data "
                   "--include='*.md' --include='*.c' --include='*.diff' --include='*.tsv' | "
                   "grep -v -e /04_inverted -e docs/setup.md -e docs/zh/setup.md",
                   folder);
    cr_expect_str_eq(r.out,
                     "convnext-steps-05/steps/00_resnet convnext-steps-05/steps/01_stage_ratio "
                     "convnext-steps-05/steps/02_patchify_stem "
                     "convnext-steps-05/steps/03_depthwise_conv "
                     "convnext-steps-05/steps/04_inverted_bottleneck "
                     "00.md\n01.md\n02.md\n03.md\n04.md\n05.md\n",
                     "%s%s", r.out, r.err);
    result_free(&r);
    /* Whatever make and make train need is there, plots included. */
    run_well("cd '%s/convnext-steps-05' && test -x results/train.sh && env -u MAKELEVEL -u "
             "MAKEFLAGS -u BUILD make -n ladder "
             "drawn GNUPLOT=true > /dev/null && make help > help && grep -q 'make start' help && "
             "! grep -q 'make variants' help",
             folder);
    /* The step that is the student's is the one that is meant where none is named. */
    run_well("docs/handout.sh 3 '%s/c' && cd '%s' && tar -xzf c && cd convnext-steps-03 && env -u "
             "MAKELEVEL -u MAKEFLAGS make -n start | grep -q \"start.sh '03'\"",
             folder, folder);
    folder_remove(folder);
}
