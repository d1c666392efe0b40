/* Who includes whom: each folder of common/ what lies below it, and nobody but common/engine its
 * fast side. */
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* What a folder's files may include, by the included file's folder. */
static const struct {
    const char *folder, *may;
} rules[] = {
    { "  ", " graph ops cli " }, /* nn.h, what a step includes */
    { " base ", " base " },
    { " base/portable ", " base " },
    { " io ", " base io " },
    { " graph ", " base io graph " },
    { " ops ", " base graph ops " },
    { " engine ", " base graph ops engine engine/fast engine/fast/kernels " },
    { " engine/fast ", " base graph ops engine engine/fast engine/fast/kernels " },
    { " engine/fast/kernels ", " base graph engine/fast/kernels " },
    { " data ", " base io data " },
    { " train ", " base io graph ops engine data train " },
    { " export ", " base io graph ops export " },
    { " cli ", " base io graph ops engine data train export cli " },
};

/* The folder of a path, behind common/ if it begins so, between two spaces. */
static void folder_of(const char *path, char *folder, size_t size)
{
    path += strncmp(path, "common/", 7) == 0 ? 7 : 0;
    const char *slash = strrchr(path, '/');
    snprintf(folder, size, " %.*s ", slash ? (int)(slash - path) : 0, path);
}

Test(door, folders_include_what_lies_below_them)
{
    Result r = run("find common -name '*.[ch]' -exec grep '^ *# *include *\"' /dev/null {} +");
    int includes = 0;
    for (char *text = r.out, *line; (line = next_line(&text)); includes++) {
        char from[64], to[64];
        char *colon = strchr(line, ':'), *name = strchr(line, '"');
        cr_assert(colon && name, "%s", line);
        *colon = 0;
        folder_of(line, from, sizeof from);
        folder_of(name + 1, to, sizeof to);
        const char *may = NULL;
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            may = strcmp(from, rules[i].folder) == 0 ? rules[i].may : may;
        cr_assert(may, "%s: say what its folder may include", line);
        cr_expect(strstr(may, to), "%s includes %s: its folder may include%s", line, name + 1, may);
    }
    cr_expect_gt(includes, 300);
    result_free(&r);
}

Test(door, the_fast_side_is_for_the_engine_alone)
{
    Result r = run("find steps common docs/examples -name '*.[ch]' ! -path 'common/engine/*' "
                   "! -name '*_fast.c' -exec grep -l '\"engine/fast/' {} +");
    cr_expect_str_eq(r.out, "");
    result_free(&r);
}

Test(door, the_plain_engine_knows_no_op)
{
    Result r = run("grep -n '_op\\b\\|\"ops/\\|\"engine/fast/' common/engine/plain.[ch]");
    cr_expect_str_eq(r.out, "", "%s", r.out);
    result_free(&r);
}

/* What an op may do with its neighbours is a flag of it. */
Test(door, engines_compare_no_ops)
{
    Result r = run("find common/engine -name '*.[ch]' -exec grep '[!=]= *&[a-z_0-9]*_op\\b' {} +");
    cr_expect_str_eq(r.out, "", "%s", r.out);
    result_free(&r);
}
