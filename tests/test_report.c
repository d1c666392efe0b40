/* What report tells programs and scripts, and which step a step is compared with. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- JSON ------------------------------------------------------------------------------------ */

static const char *space(const char *s)
{
    return s + strspn(s, " \n");
}

static const char *string_end(const char *s)
{
    for (s++; *s && *s != '"'; s++)
        s += *s == '\\' && s[1];
    return *s ? s + 1 : NULL;
}

static const char *value_end(const char *s);

/* Behind an object or array. */
static const char *items_end(const char *s)
{
    char close = *s == '{' ? '}' : ']';
    s = space(s + 1);
    if (*s == close)
        return s + 1;
    for (;; s = space(s + 1)) {
        if (close == '}') {
            s = *s == '"' ? string_end(s) : NULL;
            if (!s || *s++ != ':')
                return NULL;
        }
        s = value_end(s);
        if (!s || *(s = space(s)) != ',')
            return s && *s == close ? s + 1 : NULL;
    }
}

/* Behind one value of JSON; NULL where it is none. */
static const char *value_end(const char *s)
{
    s = space(s);
    if (*s == '"')
        return string_end(s);
    if (*s == '{' || *s == '[')
        return items_end(s);
    size_t length = strcspn(s, " \n,]}");
    bool word = strncmp(s, "true", length) == 0 || strncmp(s, "false", length) == 0 ||
                strncmp(s, "null", length) == 0;
    return length && (word || strspn(s, "-+.e0123456789") == length) ? s + length : NULL;
}

static char *json_of(const char *step, const char *options)
{
    Result r = run("'%s/%s' report --format json %s", build_folder(), step, options);
    cr_assert_eq(r.status, 0, "%s: %s", step, r.err);
    const char *end = value_end(r.out);
    cr_assert(end && strcmp(end, "\n") == 0, "%s %s is no JSON: %s", step, options, r.out);
    free(r.err);
    return r.out;
}

/* What is no JSON is found, so that the next tests can fail. */
Test(report, json_with_mistakes_is_found)
{
    static const char *const bad[] = { "{",   "[1,]", "{\"a\" 1}", "{\"a\": }",
                                       "nil", "\"a",  "[1 2]",     "{\"a\": 1,}" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_null(value_end(bad[i]), "%s", bad[i]);
    const char *good = "{\"a\": [1, -2.5e-3, \"b\\\"\", {}, []], \"c\": null}";
    cr_expect_eq(value_end(good), good + strlen(good));
}

/* Of every step: its step before, and all parts, which add up. */
Test(report, json_of_the_steps)
{
    static const char *const parts[] = { "stem", "stage1", "stage2", "stage3", "stage4", "head" };
    for (size_t i = 0; i < RUNGS; i++) {
        char *json = json_of(step_name(i), ""), *from;
        from = i ? str_format("\n \"from\": \"%s\",\n", step_name(i - 1))
                 : str_format("\n \"from\": null,\n");
        has(json, from);
        char *at = strstr(json, "\n \"parts\": [");
        cr_assert(at, "%s", json);
        unsigned long long params, macs, flops, all[3] = { 0 };
        for (int p = 0; p < 6; p++) {
            char *part = str_format("{\"part\": \"%s\", ", parts[p]);
            at = strstr(at, part);
            cr_assert(at, "%s: %s", step_name(i), parts[p]);
            at = strstr(at, "\"parameters\": ");
            cr_assert_eq(sscanf(at, "\"parameters\": %llu, \"macs\": %llu, \"flops\": %llu",
                                &params, &macs, &flops),
                         3);
            all[0] += params;
            all[1] += macs;
            all[2] += flops;
            free(part);
        }
        char *total = str_format("\n \"parameters\": %llu, \"macs\": %llu, \"flops\": %llu,\n",
                                 all[0], all[1], all[2]);
        has(at, total);
        cr_expect_eq(all[2], 2 * all[1]);
        free(total);
        free(from);
        free(json);
    }
}

/* A layer as it was asked for, and where, as the step has it. */
Test(report, json_of_a_layer)
{
    char *json = json_of("05_large_kernel", "--preset small");
    has(json, "{\"name\": \"encoder.stages.1.0.block.0.0\", \"op\": \"conv2d\", \"inputs\": "
              "[\"encoder.stages.0.0.0\"], \"output\": \"1x24x8x8\", \"weight\": \"24x1x7x7\", "
              "\"kernel\": 7, \"stride\": 2, \"pad\": 3, \"groups\": 24, \"parameters\": 1176, "
              "\"macs\": 75264, \"flops\": 150528, \"at\": \"steps/05_large_kernel/main.c:");
    has(json, "\"function\": \"block\", \"call\": \"conv_norm_act\", \"arguments\": \".out = in, "
              ".kernel = 7, .stride = b.stride, .groups = in, .bias = false\"}");
    has(json, "\"call\": \"add\"");
    has(json, "\"eps\": 1e-05");
    free(json);
    json = json_of("12_official_convnext", "--drop-path 0.5");
    has(json, "\"published\": true");
    has(json, "\"op\": \"layer_scale\", \"inputs\": [\"stages.3.2.pwconv2\"], \"output\": "
              "\"1x768x7x7\", \"init\": 1e-06");
    has(json, "\"p\": 0.5, \"per_sample\": true");
    has(json, "{\"part\": \"stage2\", \"output\": \"1x192x28x28\", \"parameters\": 992256, ");
    free(json);
    json = json_of("13_paper_roadmap", "--row 4");
    has(json, "\n \"row\": 4,\n");
    has(json, "   {\"row\": 15, \"change\": ");
    free(json);
}

/* --- origins --------------------------------------------------------------------------------- */

/* Builds NN_mine, made from another step by sed. */
static void make_step(const char *folder, const char *step, const char *edit, const char *name)
{
    run_well("mkdir -p '%s/steps/%s' && sed '%s' steps/%s/main.c > '%s/steps/%s/main.c'", folder,
             name, edit, step, folder, name);
    build_step(folder, name);
}

/* The step that such a one is compared with. */
static char *origin(const char *folder, const char *step, const char *edit, const char *name)
{
    make_step(folder, step, edit, name);
    Result r = run("'%s/b/%s' report --format json | sed -n 's/^ \"from\": \\(.*\\),$/\\1/p'",
                   folder, name);
    cr_assert_eq(r.status, 0, "%s", r.err);
    free(r.err);
    return r.out;
}

/* Whatever the number of a step of one's own, it is compared with what it was made from, and the
 * steps stay compared with those before them. */
Test(report, a_step_of_ones_own_is_compared_with_its_origin)
{
    static const struct {
        const char *step, *edit, *name, *from;
    } cases[] = {
        { "11_drop_path_layer_scale", "s/= 7, .pad = 3/= 9, .pad = 4/", "14_mine",
          "\"11_drop_path_layer_scale\"\n" },
        { "05_large_kernel", "s/kernel = 7/kernel = 3/", "15_mine", "\"05_large_kernel\"\n" },
        { "12_official_convnext", "s/gelu(x)/relu(x)/", "16_mine", "\"12_official_convnext\"\n" },
        { "09_layer_norm", "s/\\.title = /.from = \"02\", &/", "17_mine",
          "\"02_patchify_stem\"\n" },
        { "02_patchify_stem", "s/kernel = 4/kernel = 6/", "05_mine", "\"02_patchify_stem\"\n" },
    };
    char *folder = folder_new();
    run_well("mkdir '%s/b' && ln -s \"$(cd '%s' && pwd)\"/[0-9]* '%s/b'", folder, build_folder(),
             folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *from = origin(folder, cases[i].step, cases[i].edit, cases[i].name);
        cr_expect_str_eq(from, cases[i].from, "%s from %s: %s", cases[i].name, cases[i].step, from);
        free(from);
    }
    Result r = run("'%s/b/14_mine' compare", folder);
    cr_expect(strstr(r.out, "11_drop_path_layer_scale -> 14_mine\n"), "%s", r.out);
    result_free(&r);
    r = run("'%s/b/06_gelu' report", folder);
    cr_expect(strstr(r.out, "\nAgainst 05_large_kernel: "), "%s", r.out);
    result_free(&r);
    folder_remove(folder);
}

/* 32 groups, of lesson 03's first exercise, divide the network's channels, but neither those of the
 * preset small, in which networks are compared, nor those of the block that the article checks. */
Test(report, a_block_that_the_articles_check_cannot_build)
{
    char *folder = folder_new();
    make_step(folder, "03_depthwise_conv", "s/\\.groups = narrow/.groups = 32/", "14_mine");
    run_well("ln -s \"$(cd '%s' && pwd)/03_depthwise_conv\" '%s/b'", build_folder(), folder);
    Result r = run("'%s/b/14_mine' report", folder);
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.out, "16,091,432"), "%s", r.out);
    cr_expect(strstr(r.out, "\nAgainst 03_depthwise_conv: parameters +2.3%, MACs +2.5%.\n"), "%s",
              r.out);
    cr_expect(strstr(r.err, "32 groups do not divide 16 channels in and 16 out; "), "%s", r.err);
    cr_expect(strstr(r.err, "the article checks a block and a stage at 32 channels"), "%s", r.err);
    result_free(&r);
    folder_remove(folder);
}

/* .from that names no step, or several, is told and not taken for another. */
Test(report, an_origin_that_is_not_there_is_refused)
{
    static const struct {
        const char *from, *err;
    } cases[] = {
        { "77", "14_mine: .from: '77' is not a step that is built beside 14_mine; there are "
                "05_large_kernel, 06_gelu, 15_a, 15_b\n" },
        { "14", "14_mine: .from: '14' is not a step" },
        { "15", "14_mine: .from: '15' could be any of 15_a, 15_b: a whole name says which\n" },
    };
    static const char *const commands[] = { "report", "report --format json", "compare" };
    char *folder = folder_new();
    run_well("mkdir '%s/b' && cd '%s' && for s in 05_large_kernel 06_gelu; do "
             "ln -s \"$(pwd)/$s\" '%s/b'; done && cd '%s/b' && ln -s 06_gelu 15_a && ln -s 06_gelu "
             "15_b",
             folder, build_folder(), folder, folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *edit = str_format("s/\\.title = /.from = \"%s\", &/", cases[i].from);
        make_step(folder, "09_layer_norm", edit, "14_mine");
        for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
            Result r = run("'%s/b/14_mine' %s", folder, commands[c]);
            cr_expect_eq(r.status, 2, "%s", commands[c]);
            cr_expect(strstr(r.err, cases[i].err), "%s: %s", commands[c], r.err);
            result_free(&r);
        }
        free(edit);
    }
    run_well("'%s/b/14_mine' report --format tsv | grep -q '^total'", folder);
    run_well("mkdir '%s/alone' && cp '%s/b/14_mine' '%s/alone' && '%s/alone/14_mine' | grep -q "
             "'^Step 15, from which it was made, is not built beside it'",
             folder, folder, folder, folder);
    folder_remove(folder);
}
