/* The words of the pages: one glossary in two languages, and names that are in the code. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- the glossary ---------------------------------------------------------------------------- */

/* The first two cells of a table's rows, as "English | Chinese\n"; `swapped`: they stand the other
 * way round. */
static char *terms_of(const char *page, bool swapped)
{
    char *text = contents("%s", page), *at = text, *terms = str_format("%s", "");
    for (char *line; (line = next_line(&at));) {
        char *cell[3], *rest = line;
        for (int i = 0; i < 3; i++) /* nothing, then the two */
            cell[i] = strsep(&rest, "|");
        if (!cell[2] || !rest || strncmp(cell[1], "---", 3) == 0)
            continue;
        char *more = str_format("%s%s|%s\n", terms, cell[1 + swapped], cell[2 - swapped]);
        free(terms);
        terms = more;
    }
    free(text);
    return terms;
}

Test(words, glossaries_pair_the_same_words)
{
    char *english = terms_of("docs/glossary.md", false);
    char *chinese = terms_of("docs/zh/glossary.md", true);
    char *head = strchr(english, '\n'), *zh_head = strchr(chinese, '\n');
    cr_assert(head && zh_head);
    cr_expect_str_eq(head, zh_head);
    free(english);
    free(chinese);
}

Test(words, glossary_is_in_order)
{
    char *terms = terms_of("docs/glossary.md", false), *at = terms;
    int count = 0;
    next_line(&at); /* the table's head */
    for (char *line, *before = ""; (line = next_line(&at)); before = line, count++) {
        line[strcspn(line, "|")] = 0;
        cr_expect(strcasecmp(before, line) < 0, "'%s' after '%s'", line, before);
    }
    cr_expect(count > 90, "%d terms", count);
    free(terms);
}

/* Abbreviations of the lessons' prose, without a plural's s and giga's G. Names of machines, data
 * and networks are none. */
Test(words, abbreviations_of_lessons_are_in_the_glossary)
{
    static const char *const names[] = { "AMD", "EPYC", "MNIST", "BERT", "GPT", "HW" };
    Result r = run("sed '/^```/,/^```/d; s/`[^`]*`//g; s/([^ )]*)//g' docs/[01]?_*.md | tr -cs "
                   "'[:alnum:]' '[\\n*]' | sed -n 's/^GMAC/MAC/; s/^GFLOP/FLOP/; "
                   "s/^\\([A-Z][A-Z]\\{1,4\\}\\)s*$/\\1/p' | sort -u");
    char *terms = terms_of("docs/glossary.md", false), *at = r.out;
    int count = 0;
    for (char *word; (word = next_line(&at)); count++) {
        bool is_one = true;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            is_one &= strcmp(word, names[i]) != 0;
        cr_expect(!is_one || strstr(terms, word), "%s is in no term of the glossary", word);
    }
    cr_expect(count > 8, "%d words", count);
    free(terms);
    result_free(&r);
}

/* --- minutes --------------------------------------------------------------------------------- */

/* Prints "reading exercises" of a lesson: as its beginning says, as the course's table says, and
 * for the exercises the sum of their headings. */
#define MINUTES                                                                                     \
    "for page in docs/[01]*.md docs/zh/[01]*.md; do "                                               \
    "  name=${page##*/} index=${page%%/*}/README.md; "                                              \
    "  head=$(sed -n '/^>/p' $page | tr -d '>\\n' | sed 's/.*Reading//; s/.*阅读//' | tr -cs "    \
    "'0-9' ' '); "                                                                                  \
    "  table=$(sed -n \"/^| .*]($name) .*[0-9] |\\$/p\" $index | tail -n 1 | "                      \
    "      awk -F '[| ]+' '{ print $(NF - 2), $(NF - 1) }'); "                                      \
    "  sum=$(sed -n 's/^### .*[(（]\\([0-9]*\\) .*/\\1/p' $page | awk '{ n += $1 } END { print n " \
    "}'); "                                                                                         \
    "  echo $page: $head: $table: ${table%% *} $sum; "                                              \
    "done"

Test(words, minutes_of_lessons_agree)
{
    Result r = run(MINUTES);
    int lessons = 0;
    for (char *at = r.out, *line; (line = next_line(&at)); lessons++) {
        int m[6];
        cr_assert_eq(
            sscanf(line, "%*[^:]: %d %d : %d %d : %d %d", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]),
            6, "%s", line);
        cr_expect(m[0] == m[2] && m[1] == m[3] && m[1] == m[5], "%s", line);
    }
    cr_expect_eq(lessons, 28);
    result_free(&r);
}

/* --- names in the text ----------------------------------------------------------------------- */

static bool is_name(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               0 &&
           isalpha((unsigned char)*text);
}

/* Is it a word of some source? */
static bool has_word(const char *sources, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = sources; (at = strstr(at, word)); at++)
        if ((at == sources || !(isalnum((unsigned char)at[-1]) || at[-1] == '_')) &&
            !(isalnum((unsigned char)at[length]) || at[length] == '_'))
            return true;
    return false;
}

static bool is_there(const char *pattern)
{
    glob_t found;
    bool there = glob(pattern, 0, NULL, &found) == 0;
    if (there)
        globfree(&found);
    return there;
}

/* A path from the top, from common/, or from a folder in there or of a step: "engine/plain.c",
 * "net.h", "main.c". */
static bool has_file(const char *path)
{
    static const char *const from[] = { "", "common/", "common/*/", "common/*/*/", "steps/*/" };
    bool there = false;
    for (size_t i = 0; i < sizeof from / sizeof *from && !there; i++) {
        char *pattern = str_format("%s%s", from[i], path);
        there = is_there(pattern);
        free(pattern);
    }
    return there;
}

static bool is_path(const char *text)
{
    size_t length = strlen(text);
    bool ends = length > 2 && text[length - 2] == '.' && strchr("ch", text[length - 1]);
    return (ends || strchr(text, '/')) && !strpbrk(text, " $*<>|");
}

/* What stands in `` on a line, when it is one name or one path. */
static void check_line(const char *page, char *line, const char *sources)
{
    for (char *open; (open = strchr(line, '`')) && strchr(open + 1, '`');) {
        char *name = open + 1, *end = strchr(name, '`');
        line = end + 1;
        *end = 0;
        if (end - name > 2 && strcmp(end - 2, "()") == 0)
            end[-2] = 0;
        if (is_name(name))
            cr_expect(has_word(sources, name), "%s: `%s` is in no source", page, name);
        else if (is_path(name) && strncmp(name, "build/", 6) != 0)
            cr_expect(has_file(name), "%s: `%s` is no file", page, name);
    }
}

Test(words, names_are_in_the_code)
{
    static const char *const pages[] = { "docs/glossary.md", "docs/zh/glossary.md",
                                         "docs/how_it_works.md", "docs/zh/how_it_works.md" };
    Result r = run("cat Makefile common/*.h common/*/*.[ch] common/*/*/*.[ch] steps/*/main.c "
                   "docs/examples/*.[ch] "
                   "tests/*.[ch]");
    cr_assert_eq(r.status, 0, "%s", r.err);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char *text = contents("%s", pages[i]), *at = text;
        bool code = false;
        for (char *line; (line = next_line(&at));) {
            bool fence = strncmp(line, "```", 3) == 0;
            code ^= fence;
            if (!code && !fence)
                check_line(pages[i], line, r.out);
        }
        free(text);
    }
    result_free(&r);
}
