/* The pages: what is generated is fresh, links lead somewhere, English and Chinese have the same
 * numbers, the C they show is the steps', and their commands print what they show. docs/pages
 * does the work; here it is also shown pages with mistakes. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- calling what checks them ------------------------------------------------------------------
 */

/* A command in a folder must find nothing wrong. */
static void good(const char *folder, const char *command)
{
    Result r = run("cd '%s' && %s", folder, command);
    cr_expect_eq(r.status, 0, "%s:\n%s%s", command, r.out, r.err);
    result_free(&r);
}

/* After `change`, the command must find a mistake and name it. The change is undone. */
static void finds(const char *folder, const char *change, const char *command, const char *named)
{
    run_well("cd '%s' && cp -rp docs docs.good && %s", folder, change);
    Result r = run("cd '%s' && %s", folder, command);
    cr_expect_eq(r.status, 1, "%s: %s: status %d", change, command, r.status);
    cr_expect(strstr(r.out, named), "%s: '%s' is not named: %s%s", change, named, r.out, r.err);
    result_free(&r);
    run_well("cd '%s' && rm -rf docs && mv docs.good docs", folder);
}

/* --- the pages as they are ------------------------------------------------------------------- */

/* A command of the build folder's, or with it as its argument, in this tree. */
static void good_here(const char *format)
{
    char *command = str_format(format, build_folder());
    good(".", command);
    free(command);
}

Test(docs, what_is_generated_is_fresh)
{
    good_here("'%s/pages' check");
}

Test(docs, links_lead_somewhere)
{
    good_here("'%s/pages' links");
}

Test(docs, english_and_chinese_have_the_same_numbers)
{
    good_here("'%s/pages' pairs");
}

Test(docs, c_in_tables_is_the_steps)
{
    good_here("'%s/pages' code");
}

Test(docs, language_keeps_its_rules)
{
    good_here("'%s/pages' language");
}

/* Two tests, so that two cores have something to do. */
Test(docs, commands_of_lessons_print_what_is_shown)
{
    char *folder = tree_copy();
    good(folder, "build/pages run $(find docs -name '[0-9][0-9]_*.md' ! -path '*/zh/*')");
    folder_remove(folder);
}

Test(docs, commands_of_other_pages_print_what_is_shown)
{
    char *folder = tree_copy();
    good(folder, "build/pages run README.md $(ls docs/*.md | grep -v '/[0-9][0-9]_')");
    folder_remove(folder);
}

/* An interactive zsh takes a comment's words for arguments. */
Test(docs, commands_have_no_comments_behind)
{
    Result r =
        run("awk '/^```/ { inside = /^```sh/ && !inside; next } inside && /(^|[ \\t])#( |$)/ "
            "{ print FILENAME \": \" $0 }' $(find README*.md docs -name '*.md')");
    cr_expect_str_eq(r.out, "");
    result_free(&r);
}

/* Two readers of one machine, or two runs at once, must not meet. */
Test(docs, commands_write_to_no_fixed_place)
{
    Result r = run("grep -n /tmp $(find README*.md docs -name '*.md')");
    cr_expect_eq(r.status, 1, "%s", r.out);
    result_free(&r);
}

/* --- pages with mistakes --------------------------------------------------------------------- */

#define PAGE "docs/05_large_kernel.md"

Test(docs, mistakes_are_found)
{
    char *folder = tree_copy();
    finds(folder, "sed -i.old 's/^| `paper`: MACs | 4,/| `paper`: MACs | 5,/' " PAGE,
          "build/pages check", "-| `paper`: MACs | 5,");
    finds(folder, "sed -i.old 's/act = IDENTITY/act = TANH/' docs/diffs/07*", "build/pages check",
          "docs/diffs/07_fewer_activations.diff, by make docs");
    finds(folder, "echo '[x](nowhere.md)' >> " PAGE, "build/pages links", "nowhere.md");
    finds(folder, "echo '[x](errata.md#nowhere)' >> " PAGE, "build/pages links",
          "errata.md#nowhere");
    finds(folder, "echo '[x](../steps/05_large_kernel/main.c#L5-L999)' >> " PAGE,
          "build/pages links", "no such line");
    finds(folder, "echo 12345 >> " PAGE, "build/pages pairs", "12345");
    finds(folder, "rm docs/zh/05*", "build/pages pairs", "docs/zh/05");
    finds(folder, "rm docs/zh/diffs/*", "build/pages pairs", "docs/zh/diffs/README.md");
    finds(folder, "cp " PAGE " docs/zh/99.md", "build/pages pairs", "docs/zh/99.md");
    finds(folder, "sed -i.old 's/^|\\(.*\\)wide, .kernel = 1/|\\1wide, .kernel = 5/' " PAGE,
          "build/pages code", "wide, .kernel = 5");
    finds(folder, "sed -i.old 's/^save_file(/load_file(/' docs/zh/00*", "build/pages check",
          "docs/zh/00_resnet.md, by make docs");
    /* Comments in code are each language's own. */
    good(folder, "sed -i.old '/^save_file(/s/# .*/# 注释/' docs/zh/00* && grep -q '# 注释' "
                 "docs/zh/00*.md && "
                 "build/pages check");
    /* So are the words in a formula, the rest of which is the same. */
    good(folder, "sed -i.old 's/\\\\text{[^}]*}/\\\\text{词}/' docs/zh/01* && "
                 "grep -q 'text{词}' docs/zh/01*.md && build/pages check");
    finds(folder, "sed -i.old 's/(2C)^2/(2C)^3/' docs/zh/01*", "build/pages check",
          "docs/zh/01_stage_ratio.md, by make docs");
    folder_remove(folder);
}

/* A page of one command and what it shows. */
static void page_fails(const char *folder, const char *page, const char *named)
{
    char *change = str_format("printf '%s' > docs/x.md", page);
    finds(folder, change, "build/pages run docs/x.md", named);
    free(change);
}

/* One mistake against each rule, at a page's end or in a program, and what is said of it. */
Test(docs, language_that_breaks_a_rule_is_found)
{
    static const struct {
        const char *path, *text, *said;
    } mistakes[] = {
        { "docs/training.md", "It has one filter a\nchannel.", "words: 'filter a channel': per" },
        { "docs/training.md", "top-1 76.1 %", "percent: a space before %" },
        { "docs/training.md", "The sum of 6\n+ 8", "lists: begins like" },
        { "docs/counting.md", "The sum is\n- 8", "lists: begins like" },
        { "docs/zh/training.md", "权\n重", "breaks: ends inside a word" },
        { "docs/zh/training.md", "权重: 8", "punctuation: : of half width" },
        { "docs/zh/training.md", "它的步幅是 2", "words: '步幅': 步长" },
        { "docs/05_x.md", "# New", "plot: no link to /field.svg" },
        { "docs/09_x.md", "# New", "operator: no link to common/ops/set_norm.c" },
        { "docs/zh/09_x.md", "# New", "formula: no ```math fence" },
        { "docs/language/exempt.tsv", "docs/setup.md\tlists", "docs/setup.md keeps the rule" },
        { "common/cli/step.c", "char *a = \"one a \"\n\"layer\";", "words: 'one a layer'" },
        { "Makefile", "# x: ## two filters a layer", "words: 'filters a layer'" },
        { "common/cli/keys.c", "char *a = \"%.2f %%\";", "percent: a space before %" },
    };
    char *folder = tree_copy();
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char *path = str_format("%s/%s", folder, mistakes[i].path);
        FILE *page = fopen(path, "a");
        cr_assert(page, "%s", path);
        fprintf(page, "\n%s\n", mistakes[i].text);
        fclose(page);
        free(path);
    }
    Result r = run("cd '%s' && build/pages language", folder);
    cr_expect_eq(r.status, 1);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        cr_expect(strstr(r.out, mistakes[i].said) && strstr(r.out, mistakes[i].path),
                  "%s: '%s' is not said: %s", mistakes[i].path, mistakes[i].said, r.out);
    }
    result_free(&r);
    folder_remove(folder);
}

Test(docs, commands_that_print_something_else_are_found)
{
    char *folder = tree_copy();
    page_fails(folder, "```sh\\necho a b\\n```\\n\\n```\\na c\\n```\\n", "a c");
    page_fails(folder, "```sh\\necho a\\n```\\n```\\na\\nb\\n```\\n", "than is shown");
    page_fails(folder, "```sh\\necho a; echo b\\n```\\n```\\n…\\na\\n```\\n", "than is shown");
    page_fails(folder, "```sh\\necho abc\\n```\\n```\\na…d\\n```\\n", "than is shown");
    page_fails(folder, "```sh\\nfalse\\n```\\n", "status 1");
    page_fails(folder, "```sh\\nkill -9 $$\\n```\\n", "status 137");
    page_fails(folder, "```sh fails\\ntrue\\n```\\n", "does not fail");
    page_fails(folder, "```sh slow\\nif\\n```\\n", "not for the shell");
    page_fails(folder, "```sh quick\\ntrue\\n```\\n", "what is");
    run_well("cd '%s' && printf '```sh\\necho a b; echo c; echo def\\n```\\n\\n```\\na  b\\n…\\n"
             "d…f\\n```\\n' > docs/x.md && build/pages run docs/x.md",
             folder);
    folder_remove(folder);
}

/* A command that hangs, with what it started, does not keep the tests waiting. */
Test(docs, commands_have_a_time_limit, .timeout = 60)
{
    char *folder = folder_new();
    run_well("printf '```sh\\necho begun; sleep 1000 | sleep 1000\\n```\\n' > '%s/x.md'", folder);
    Result r = run("SECONDS_PER_COMMAND=1 '%s/pages' run '%s/x.md'", build_folder(), folder);
    cr_expect_eq(r.status, 1);
    cr_expect(strstr(r.out, "not done after 1 s:\nbegun"), "%s", r.out);
    result_free(&r);
    folder_remove(folder);
}

/* Many … in long lines and in long outputs: to try all ways would take years. */
Test(docs, long_outputs_are_compared_at_once, .timeout = 60)
{
    char *folder = folder_new();
    run_well("cd '%s' && { printf '```sh\\nyes a | head -n 3000; yes a | head -n 3000 | tr -d "
             "\"\\\\n\"\\n```\\n```\\n'; for i in 1 2 3 4 5 6 7 8 9 10; do echo …; echo a; "
             "done; echo a…a…a…a…a…a…a…a…a…a…a…b; echo '```'; } > x.md",
             folder);
    Result r = run("'%s/pages' run '%s/x.md'", build_folder(), folder);
    cr_expect(strstr(r.out, "than is shown"), "%s", r.out);
    result_free(&r);
    run_well("cd '%s' && sed 's/…b/…/' x.md > y.md", folder);
    run_well("'%s/pages' run '%s/y.md'", build_folder(), folder);
    folder_remove(folder);
}

/* Empty fences are filled and nothing else of the page changes. */
Test(docs, empty_fences_can_be_filled)
{
    char *folder = folder_new();
    run_well("cd '%s' && printf 'a\\n```sh\\necho \"b \"; echo c\\n```\\n\\n```\\n```\\n```sh "
             "slow\\n```\\n' > x.md",
             folder);
    run_well("'%s/pages' fill '%s/x.md'", build_folder(), folder);
    char *page = contents("%s/x.md", folder);
    cr_expect_str_eq(page,
                     "a\n```sh\necho \"b \"; echo c\n```\n\n```\nb\nc\n```\n```sh slow\n```\n");
    free(page);
    folder_remove(folder);
}

/* --- the scripts ------------------------------------------------------------------------------ */

/* What fails in the middle leaves every page as it was. */
Test(docs, writing_that_fails_changes_no_page)
{
    static const char *const failures[] = {
        "printf '#!/bin/sh\\nexit 1\\n' > build/11_drop_path_layer_scale",
        "rm results/search.tsv",
        "echo '<!-- begin generated: nothing -->' >> docs/speed.md",
        "printf '```sh\ntrue\n```\n' >> docs/08_fewer_norms.md",
    };
    char *folder = tree_copy();
    run_well("cd '%s' && sed -i.old 's/4,0/5,0/' docs/0*.md && rm docs/*.old && mkdir good && cp "
             "-rp build results docs good",
             folder);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        run_well("cd '%s' && %s && find README* docs -type f | sort | xargs cksum > before", folder,
                 failures[i]);
        Result r = run("cd '%s' && build/pages write", folder);
        cr_expect_neq(r.status, 0, "%s", failures[i]);
        result_free(&r);
        run_well(
            "cd '%s' && find README* docs -type f | sort | xargs cksum | diff before - && rm -r "
            "build results docs && cp -rp good/* .",
            folder);
    }
    run_well("cd '%s' && build/pages write && build/pages check", folder);
    folder_remove(folder);
}

/* With other tools before the system's, if they are installed: `links` makes them in a folder. */
static void works_with(const char *needed, const char *links, const char *shell)
{
    char *tools = folder_new(), *build = str_format("%s", build_folder());
    Result r = run("command -v %s", needed);
    if (r.status == 0) {
        run_well("cd '%s' && %s", tools, links);
        run_well("PATH='%s':$PATH; '%s/pages' check && %s docs/diffs.sh '%s' 05 | "
                 "cmp - docs/diffs/05_large_kernel.diff && %s docs/diffs.sh --color '%s' 06 04 | "
                 "grep -q 32m+",
                 tools, build, shell, build, shell, build);
    }
    result_free(&r);
    free(build);
    folder_remove(tools);
}

Test(docs, scripts_work_with_the_one_true_awk_and_zsh)
{
    works_with("original-awk && command -v zsh", "ln -s $(command -v original-awk) awk",
               "zsh --emulate sh");
}

Test(docs, scripts_work_with_busybox)
{
    works_with("busybox",
               "for name in $(busybox --list); do ln -s $(command -v busybox) $name; done", "sh");
}

/* --- a reader's own work ---------------------------------------------------------------------- */

/* Puts steps, programs and runs of a reader's into a folder, called `names`. */
static void add_own_steps(const char *folder, const char *names)
{
    run_well("cd '%s' && for name in %s; do mkdir -p steps/$name runs/$name && sed "
             "'s/kernel = 7/kernel = 5/; s/pad = 3/pad = 2/' steps/05*/main.c > "
             "steps/$name/main.c && BUILD=build make QUIET=1 build/$name >&2 && "
             "echo $name > runs/$name/best.safetensors && "
             "echo steps/$name/main.c build/$name runs/$name/best.safetensors; "
             "done > own && cksum $(cat own) > before",
             folder, names);
}

static void all_is_there(const char *folder)
{
    run_well("cd '%s' && cksum $(cat own) | diff before -", folder);
}

Test(docs, pages_pass_beside_a_readers_steps)
{
    char *folder = tree_copy();
    add_own_steps(folder, "14_mine 15_other");
    good(folder,
         "find README* docs results -type f | sort | xargs cksum > pages && BUILD=build make "
         "docs && find README* docs results -type f | sort | xargs cksum | diff pages -");
    good(folder, "docs/diffs.sh build 14 | grep -q '^--- steps/05_large_kernel'");
    good(folder, "build/pages run docs/05_large_kernel.md");
    all_is_there(folder);
    good(folder, "BUILD=build make QUIET=1 diff STEP=05 | cmp - docs/diffs/05_large_kernel.diff");
    good(folder, "echo 'int main(' >> steps/14_mine/main.c && { BUILD=build make QUIET=1 diff "
                 "STEP=14 2> errors | grep -q '^+int main('; } && grep -q 'main.c.*error' errors");
    folder_remove(folder);
}

/* What `make diff` is asked of: the last lines of two steps of one's own, and how old a program is
 * whose report says "05_large_kernel" or nothing. */
static const struct {
    const char *change, *asked;
    int status;
    const char *out, *err;
} origins[] = {
    { "true", "14_mine", 1, "", "14_mine: neither" },
    { "echo '    .from = \"11\",'", "14_mine", 0, "--- steps/11_drop_path_layer_scale/", "" },
    { "echo '    .from = \"11\",'", "14", 2, "",
      "14: which of steps/14_mine/main.c steps/14_try/" },
    { "echo '    .from = \"1\",'", "14_mine", 2, "", "steps/14_mine/main.c: .from: 01: no such" },
    { "echo '    .from = \"11\",'", "14_try", 0, "+++ steps/14_try/", "" },
    { "echo '    // .from = \"11\",'", "14_mine", 1, "", "FROM=11" },
    { "echo '    .from = \"77\",'", "14_mine", 2, "",
      "steps/14_mine/main.c: .from: 77: no such step in steps/" },
    { "echo '    .from = \"77\",'", "14_mine 11", 0, "--- steps/11_drop_path_layer_scale/", "" },
    { "echo '    .from = \"11\",' && program 05_large_kernel 203001010000", "14_mine", 0,
      "--- steps/05_large_kernel/", "" },
    { "echo '    .from = \"11\",' && program 05_large_kernel 200001010000", "14_mine", 0,
      "--- steps/11_drop_path_layer_scale/", "" },
    { "echo && program 05_large_kernel 200001010000", "14_mine", 0, "--- steps/05_large_kernel/",
      "" },
    { "echo '    .from = \"77\",' && program '''' 203001010000", "14_mine", 2, "", "77: no such" },
    { "program '' 203001010000", "05", 0, "05_large_kernel is the first step", "" },
};

/* A step that does not build, one that names a step that is not there, two of one number. */
Test(docs, a_diff_is_found_without_the_program)
{
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        char *folder = folder_new();
        run_well(
            "cp -R docs '%s' && mkdir '%s/steps' '%s/b' && cp -R steps/05* steps/11* '%s/steps' && "
            "cd '%s' && for s in 05_large_kernel 14_mine; do "
            "printf '#!/bin/sh\\ncat \"$0\".json\\n' > b/$s; done; "
            "program() { for s in 05_large_kernel 14_mine; do chmod +x b/$s; touch -t $2 b/$s; "
            "echo \" \\\"from\\\": \\\"$1\\\",\" > b/$s.json; done; }; "
            "cp -R steps/05* steps/14_mine && { %s; } >> steps/14_mine/main.c && "
            "cp -R steps/14_mine steps/14_try",
            folder, folder, folder, folder, folder, origins[i].change);
        Result r = run("cd '%s' && docs/diffs.sh b %s", folder, origins[i].asked);
        cr_expect_eq(r.status, origins[i].status, "%zu: status %d", i, r.status);
        cr_expect(strstr(r.out, origins[i].out), "%zu: %s", i, r.out);
        cr_expect(*origins[i].err ? strstr(r.err, origins[i].err) != NULL : !*r.err, "%zu: %s", i,
                  r.err);
        result_free(&r);
        folder_remove(folder);
    }
}

/* Not even a step of the exercises' own name is written to. */
Test(docs, exercises_leave_alone_what_is_there)
{
    char *folder = tree_copy();
    add_own_steps(folder, "14_mine 14_try 15_other");
    run_well("cd '%s' && { cat docs/examples/global_response_norm.c; echo '// mine'; } > "
             "common/ops/global_response_norm.c && cp common/ops/global_response_norm.c edited",
             folder);
    Result r = run("cd '%s' && build/pages run $(find docs -name '[0-9][0-9]_*.md' ! -path "
                   "'*/zh/*') docs/how*.md",
                   folder);
    cr_expect_eq(r.status, 1);
    cr_expect(strstr(r.out, "14_try") && strstr(r.out, "xists"), "%s", r.out);
    result_free(&r);
    all_is_there(folder);
    good(folder, "cmp edited common/ops/global_response_norm.c && [ ! -e "
                 "common/ops/global_response_norm.h ]");
    folder_remove(folder);
}
