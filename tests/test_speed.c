/* The figures of docs/speed.md: the versions of the kernels compute what they should, and what
 * `make bench` and `make speed` run writes the tables that pages and plots are made from. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* --- versions -------------------------------------------------------------------------------- */

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)); text++)
        found++;
    return found;
}

/* build/speed holds every version to sums in float64, at two sizes a kernel. */
Test(speed, versions_are_right)
{
    static const char *const threads[] = { "1", "2", "7" };
    for (size_t i = 0; i < 3; i++) {
        Result r = run("'%s/speed' --check --threads %s", build_folder(), threads[i]);
        cr_assert_eq(r.status, 0, "%s%s", r.out, r.err);
        cr_expect_eq(count(r.out, ": good\n"), 2 * 9 + 2 * 8, "%s", r.out);
        cr_expect_eq(count(r.out, "gemm library: good\n"), 2);
        cr_expect_eq(count(r.out, "depthwise library: good\n"), 2);
        result_free(&r);
    }
}

Test(speed, one_version_and_wrong_calls)
{
    Result r = run("'%s/speed' gemm tile --check", build_folder());
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect_str_eq(r.out, "gemm tile: good\ngemm tile: good\n");
    result_free(&r);
    static const char *const wrong[][2] = { { "gemm nothing", "gemm: it has no version 'nothing'" },
                                            { "--threads 0", "--threads: '0' is not a number" },
                                            { "--format xml", "--format: 'xml' is not one of" },
                                            { "gemm plain tile", "tile: what is that?" } };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        r = run("'%s/speed' --check %s", build_folder(), wrong[i][0]);
        cr_expect_eq(r.status, 2, "%s: status %d", wrong[i][0], r.status);
        cr_expect(strstr(r.err, wrong[i][1]), "%s: %s", wrong[i][0], r.err);
        result_free(&r);
    }
}

/* --- tables ---------------------------------------------------------------------------------- */

/* Measures a tiny network with `settings` before the script and `file` behind it. */
static Result measured(const char *settings, const char *file)
{
    return run("BENCH='--preset small --input 1x32x32 --runs 1' COMPILER=cc %s results/speed.sh "
               "'%s' '%s'",
               settings, build_folder(), file);
}

Test(speed, bench_keeps_a_row_for_each_network_mode_and_batch)
{
    char *folder = folder_new(), *file = str_format("%s/speed.tsv", folder);
    Result r = measured("STEPS='09 00'", file);
    cr_assert_eq(r.status, 0, "%s", r.err);
    result_free(&r);
    char *first = contents("%s", file), *text = first, *fields[14];
    cr_assert(text, "nothing written");
    char *line = next_line(&text);
    cr_expect_str_eq(line, "network\tmode\tbatch\tthreads\tmedian_ms\tmin_ms\tmax_ms\tgflops\t"
                           "images_per_s\tpeak_mb\toptions\tcompiler\tcpu");
    static const char *const rows[][3] = {
        { "00_resnet", "infer", "1" },     { "00_resnet", "infer", "8" },
        { "00_resnet", "train", "8" },     { "09_layer_norm", "infer", "1" },
        { "09_layer_norm", "infer", "8" }, { "09_layer_norm", "train", "8" }
    };
    for (size_t i = 0; i < 6; i++) {
        line = next_line(&text);
        cr_assert(line, "only %zu rows", i);
        cr_assert_eq(split(line, fields, 14), 13);
        for (size_t k = 0; k < 3; k++)
            cr_expect_str_eq(fields[k], rows[i][k]);
        cr_expect_gt(atof(fields[4]), 0);
        cr_expect_str_eq(fields[10], "--preset small --input 1x32x32 --runs 1");
        cr_expect_str_eq(fields[11], "cc");
    }
    cr_expect_null(next_line(&text), "more than six rows");
    free(first);

    /* A second call replaces one row and leaves the others as they are. */
    run_well("sed 's/\\tcc\\t/\\told\\t/' '%s' > '%s.old' && mv '%s.old' '%s'", file, file, file,
             file);
    r = measured("STEPS=09 WORK=train:8", file);
    cr_assert_eq(r.status, 0, "%s", r.err);
    result_free(&r);
    r = run("cut -f 1-3,12 '%s'", file);
    cr_expect_str_eq(r.out, "network\tmode\tbatch\tcompiler\n"
                            "00_resnet\tinfer\t1\told\n00_resnet\tinfer\t8\told\n"
                            "00_resnet\ttrain\t8\told\n09_layer_norm\tinfer\t1\told\n"
                            "09_layer_norm\tinfer\t8\told\n09_layer_norm\ttrain\t8\tcc\n");
    result_free(&r);
    r = run("'%s/pages' block speed '%s'", build_folder(), file);
    cr_expect_eq(count(r.out, "\n"), 4, "%s", r.out);
    cr_expect(strstr(r.out, "\n| 09_layer_norm | "), "%s", r.out);
    result_free(&r);
    free(file);
    folder_remove(folder);
}

Test(speed, bench_that_fails_leaves_the_table_alone)
{
    char *folder = folder_new(), *file = str_format("%s/speed.tsv", folder);
    run_well("echo before > '%s'", file);
    Result r = measured("STEPS=77", file);
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "STEPS: there is no step 77"), "%s", r.err);
    result_free(&r);
    r = run("BENCH=--nonsense STEPS=00 results/speed.sh '%s' '%s'", build_folder(), file);
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "--nonsense"), "%s", r.err);
    result_free(&r);
    r = run("ls '%s' && cat '%s'", folder, file);
    cr_expect_str_eq(r.out, "speed.tsv\nbefore\n");
    result_free(&r);
    free(file);
    folder_remove(folder);
}

/* The committed tables have the columns that the pages' blocks are made from. */
Test(speed, tables_become_markdown)
{
    static const char *const calls[][2] = { { "kernels gemm", "\n| `blocked` | " },
                                            { "kernels depthwise", "\n| `gathered` | " },
                                            { "peers", "| ONNX Runtime 1.30 |" } };
    for (size_t i = 0; i < 3; i++) {
        Result r = run("'%s/pages' block %s", build_folder(), calls[i][0]);
        cr_expect_eq(r.status, 0, "%s", r.err);
        cr_expect(strstr(r.out, calls[i][1]), "%s: %s", calls[i][0], r.out);
        cr_expect_gt(count(r.out, "\n"), 9);
        result_free(&r);
    }
}
