/* The names that a step may take: every one but the layers' own. The library's external names say
 * what they belong to, and where a step takes one all the same the linker refuses. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the library's names --------------------------------------------------------------------- */

/* What an external name begins with, before its first underscore: its module, which is what a file
 * in common/ is called, or one of these types and places. */
static const char owners[] =
    " bfloat cgroup mem size str thread entries entry net param scheme scope "
    "tensor layout array channel cross grouped panel set buffer "
    "trainer metadata cmd option sibling ";

static bool is_module(const char *word, int length)
{
    static const char *const folders[] = { "*", "engine/fast", "engine/fast/kernels" };
    bool there = false;
    for (int i = 0; i < 3 && !there; i++) {
        char *pattern = str_format("common/%s/%.*s[._]*[ch]", folders[i], length, word);
        glob_t found;
        there = glob(pattern, 0, NULL, &found) == 0;
        if (there)
            globfree(&found);
        free(pattern);
    }
    return there;
}

static bool has_owner(const char *name)
{
    size_t length = strlen(name);
    if (name[length - 1] == '_' || (length > 3 && strcmp(name + length - 3, "_op") == 0))
        return true; /* a layer's, perhaps the reader's own */
    int word = (int)strcspn(name, "_");
    char *owner = str_format(" %.*s ", word, name);
    bool known = name[word] && (strstr(owners, owner) || is_module(name, word));
    free(owner);
    return known;
}

/* As POSIX prints them: the name, a letter for what it is (U: of another file), value and size. */
Test(names, say_what_they_belong_to)
{
    Result r = run("nm -gP '%s/libcommon.a'", build_folder());
    cr_assert_eq(r.status, 0, "%s", r.err);
    int names = 0;
    for (char *text = r.out, *line; (line = next_line(&text));) {
        size_t length = strcspn(line, " ");
        if (!line[length] || line[length + 1] == 'U' || strncmp(line, "__", 2) == 0)
            continue; /* a file's name, another's name, the compiler's */
        line[length] = 0;
        cr_expect(has_owner(line), "%s: a step could want that name", line);
        names++;
    }
    cr_expect(names > 200, "%d names", names);
    result_free(&r);
}

/* A type's name leads to one place, also where each file would have one for itself. */
Test(names, types_stand_once)
{
    Result r = run("find common -name '*.[ch]' -exec cat {} + | sed -nE "
                   "'s/^(\\}|typedef .*[ *}]) *([A-Z][A-Za-z0-9]*);$/\\2/p' | sort");
    char last[64] = "";
    int types = 0;
    for (char *text = r.out, *line; (line = next_line(&text)); types++) {
        cr_expect_str_neq(line, last, "there are several types %s", line);
        snprintf(last, sizeof last, "%s", line);
    }
    cr_expect_gt(types, 150);
    result_free(&r);
}

/* --- a step's names -------------------------------------------------------------------------- */

/* A checkout that shares all it reads, and has the library built. */
static char *checkout(void)
{
    char *folder = folder_new();
    run_well(
        "top=$(pwd) && mkdir -p '%s/build/obj' '%s/steps/14_mine' && cp -rp '%s/flags' '%s/build' "
        "&& cp -rp '%s/obj/common' '%s/build/obj' && cd '%s' && ln -s \"$top/Makefile\" "
        "\"$top/common\" .",
        folder, folder, build_folder(), folder, build_folder(), folder, folder);
    return folder;
}

/* Step 05 with these functions besides, made in that checkout. */
static Result make_step(const char *folder, const char *functions)
{
    run_well("cat steps/05_large_kernel/main.c > '%s/steps/14_mine/main.c' && printf '%%s' '%s' >> "
             "'%s/steps/14_mine/main.c'",
             folder, functions, folder);
    return run("cd '%s' && BUILD=build make build/14_mine", folder);
}

/* What commands and helpers are called, or were, and what somebody who writes a step might. */
static const char *const wanted[] = {
    "forward",  "backward",      "gradient",      "fit",        "train",   "evaluate", "bench",
    "classify", "report",        "keys",          "init",       "export",  "field",    "filters",
    "compare",  "show",          "data",          "die",        "percent", "sum",      "mean",
    "linspace", "gemm",          "align",         "stem",       "tail",    "norm",     "block3",
    "scale",    "network",       "usage",         "run",        "load",    "save",     "print",
    "set_norm", "blocks_before", "cross_entropy", "shape_text",
};

static void check_names(const char *storage)
{
    char *folder = checkout(), *functions = str_format("%s", "");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char *more = str_format("%s%sint %s(int x);\n%sint %s(int x) { return -x; }\n", functions,
                                storage, wanted[i], storage, wanted[i]);
        free(functions);
        functions = more;
    }
    Result r = make_step(folder, functions);
    cr_assert_eq(r.status, 0, "%s", r.err);
    result_free(&r);
    run_well(
        "%s/05_large_kernel --format tsv > '%s/wanted' && '%s/build/14_mine' --format tsv | cmp - "
        "'%s/wanted'",
        build_folder(), folder, folder, folder);
    /* The file says of which step it is; taken into the other one, it is that one's. */
    run_well("'%s/build/14_mine' init --preset small --output '%s/a' && %s/05_large_kernel init "
             "--preset small --output '%s/b' && %s/05_large_kernel export --weights '%s/a' "
             "--output '%s/c' && cmp '%s/b' '%s/c'",
             folder, folder, build_folder(), folder, build_folder(), folder, folder, folder,
             folder);
    run_well("cd '%s' && build/14_mine train --data shapes --epochs 1 --limit 32 --batch-size 8 "
             "--stem 4 --widths 4,8,8,8 --depths 1,0,0,0 --out run && test -s run/best.safetensors",
             folder);
    free(functions);
    folder_remove(folder);
}

Test(names, a_step_may_take_any)
{
    check_names("");
}

Test(names, a_step_may_take_any_for_itself)
{
    check_names("static ");
}

/* Such a function would otherwise be called in the library's place, or the library's in its. */
Test(names, the_librarys_own_are_refused)
{
    char *folder = checkout();
    static const char *const taken[] = { "error_set", "cmd_forward", "adamw_step" };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        char *function =
            str_format("int %s(int x);\nint %s(int x) { return -x; }\n", taken[i], taken[i]);
        Result r = make_step(folder, function);
        cr_expect_neq(r.status, 0, "%s is taken and nothing says so", taken[i]);
        cr_expect(strstr(r.err, taken[i]), "%s: %s", taken[i], r.err);
        result_free(&r);
        free(function);
    }
    folder_remove(folder);
}
