/* The language of pages, of what programs say and of plots. docs/language has the words that are
 * not used, and which page does not yet keep which rule. */
#include "base/error.h"
#include "base/memory.h"
#include "io/file.h"
#include "page.h"

#include <ctype.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The names of the rules, as docs/language/exempt.tsv has them. */
#define WORDS "words"             /* none of english.tsv or chinese.tsv */
#define PERCENT "percent"         /* 76.1%, without a space */
#define LISTS "lists"             /* no line inside a paragraph begins like a list's item */
#define BREAKS "breaks"           /* no line ends between two Chinese characters */
#define PUNCTUATION "punctuation" /* none of half width after a Chinese character */
#define FORMULA "formula"         /* a lesson has its formula in a ```math fence */
#define OPERATOR "operator"       /* a lesson that brings an op links to its file */
#define PLOT "plot"               /* a plot stands in the lesson that it belongs to */

/* --- tables of two columns
 * ------------------------------------------------------------------------ */

typedef struct {
    char *left, *right;
    regex_t regex; /* of `left`, in a table of words */
    bool used;     /* in a table of exemptions: there is such a mistake */
} Pair;

typedef struct {
    Pair *list;
    int count;
    char *bytes;
} Table;

/* Reads a file of "left<TAB>right" lines; empty lines and comments, from a # on, are skipped. */
static Table table_read(const char *path)
{
    Table table = { 0 };
    size_t size;
    Error error;
    if (!file_read(path, &table.bytes, &size, &error))
        error_die_of(EXIT_FAILED, &error);
    for (char *at = table.bytes, *line; (line = strsep(&at, "\n"));) {
        char *tab = strchr(line, '\t');
        if (!*line || *line == '#')
            continue;
        if (!tab)
            error_die(EXIT_FAILED, path, "no tab in '%s'", line);
        *tab = 0;
        table.list = mem_grow(table.list, (size_t)table.count + 1, sizeof *table.list);
        table.list[table.count++] = (Pair){ .left = line, .right = tab + 1 };
    }
    return table;
}

/* Reads words, each a POSIX extended regular expression; in English it stands for whole words,
 * whatever their case, but not in a file's name. */
static Table words_read(const char *path, bool english)
{
    Table table = table_read(path);
    for (Pair *p = table.list; p < table.list + table.count; p++) {
        char *text = str_format(
            english ? "(^|[^[:alnum:]_/])(%s)($|[^[:alnum:]_./]|[.]($|[^[:alnum:]]))" : "(%s)",
            p->left);
        if (regcomp(&p->regex, text, REG_EXTENDED | REG_NEWLINE | (english ? REG_ICASE : 0)) != 0)
            error_die(EXIT_FAILED, path, "'%s' is no regular expression", p->left);
        free(text);
    }
    return table;
}

static void table_free(Table *table, bool words)
{
    for (int i = 0; i < table->count && words; i++)
        regfree(&table->list[i].regex);
    free(table->list);
    free(table->bytes);
}

/* --- what is checked -------------------------------------------------------------------------- */

typedef struct {
    Table english, chinese, exempt;
    int mistakes;
} Check;

/* A text whose lines are paragraphs, each on one line, without code and targets of links. */
typedef struct {
    const char *path;
    char *bytes;
    size_t *lines; /* of each byte, in the file */
    size_t size;
} Prose;

static bool is_chinese_page(const char *path)
{
    return strstr(path, "/zh/") || strstr(path, "zh-CN");
}

/* Prints a mistake, unless the page is exempt from the rule. */
__attribute__((format(printf, 5, 6))) static void
mistake(Check *check, const char *path, size_t line, const char *rule, const char *what, ...)
{
    for (Pair *p = check->exempt.list; p < check->exempt.list + check->exempt.count; p++)
        if (strcmp(p->left, path) == 0 && strcmp(p->right, rule) == 0) {
            p->used = true;
            return;
        }
    va_list args;
    va_start(args, what);
    printf("%s:%zu: %s: ", path, line, rule);
    vprintf(what, args);
    printf("\n");
    va_end(args);
    check->mistakes++;
}

static void put(Prose *prose, char byte, size_t line)
{
    prose->bytes = mem_grow(prose->bytes, prose->size + 2, 1);
    prose->lines = mem_grow(prose->lines, prose->size + 2, sizeof *prose->lines);
    prose->bytes[prose->size] = byte;
    prose->lines[prose->size++] = line;
    prose->bytes[prose->size] = 0;
}

static void prose_free(Prose *prose)
{
    free(prose->bytes);
    free(prose->lines);
}

static void check_words(Check *check, const Prose *prose, const Table *words)
{
    for (int i = 0; i < words->count && prose->size; i++) {
        const Pair *p = &words->list[i];
        regmatch_t found[3];
        for (const char *at = prose->bytes; regexec(&p->regex, at, 3, found, 0) == 0;) {
            const regmatch_t *word = words == &check->english ? &found[2] : &found[1];
            mistake(check, prose->path, prose->lines[at - prose->bytes + word->rm_so], WORDS,
                    "'%.*s': %s", (int)(word->rm_eo - word->rm_so), at + word->rm_so, p->right);
            at += word->rm_eo > 0 ? word->rm_eo : 1;
        }
    }
}

/* A space between a number, or what prints one, and `sign`: "%" in a page, "%%" in a format. */
static void check_percent(Check *check, const Prose *prose, const char *sign)
{
    for (size_t i = 2; i < prose->size; i++) {
        const char *at = prose->bytes + i;
        unsigned char before = (unsigned char)at[-2];
        bool number = isdigit(before) || before == 0xa6 /* … */ || (sign[1] && before == 'f');
        if (number && at[-1] == ' ' && after(at, sign))
            mistake(check, prose->path, prose->lines[i], PERCENT, "a space before %%");
    }
}

/* --- pages -------------------------------------------------------------------------------------
 */

/* Is it the first byte of a Chinese character, or the last? */
static bool begins_chinese(const char *text)
{
    unsigned char c = (unsigned char)*text;
    return c >= 0xe4 && c <= 0xe9;
}

static bool ends_chinese(const char *text, const char *end)
{
    return end - text >= 3 && begins_chinese(end - 3) && (end[-1] & 0xc0) == 0x80;
}

/* Adds a line's text: of a code span its marks alone, of a link its words. */
static void put_line(Prose *prose, const char *text, size_t line)
{
    for (; *text; text++) {
        const char *end = NULL;
        if (*text == '`' && (end = strchr(text + 1, '`')))
            put(prose, '`', line);
        else if (after(text, "]("))
            end = strchr(text, ')');
        else if (after(text, "<!--") || after(text, "<a ") || after(text, "$`"))
            end = text + strlen(text) - 1;
        put(prose, end ? (*end == ')' ? ']' : '`') : *text, line);
        text = end ? end : text;
    }
}

/* Is it a line that stands alone, such as a heading or a row of a table? */
static bool stands_alone(const char *text)
{
    return !*text || strchr("|#<!", *text);
}

static const char *item_of(const char *text)
{
    text += strspn(text, " ");
    size_t digits = strspn(text, "0123456789");
    return strncmp(text, "- ", 2) == 0                      ? text + 2
           : digits && strncmp(text + digits, ". ", 2) == 0 ? text + digits + 2
                                                            : NULL;
}

static Prose prose_of(const Page *page)
{
    Prose prose = { .path = page->path };
    bool inside = false;
    for (size_t i = 0; i < page->count; i++) {
        const char *text = page->lines[i].text, *item = item_of(text);
        bool is_text = page->lines[i].kind == TEXT,
             joined = inside && is_text && !item && !stands_alone(text);
        if (prose.size)
            put(&prose, joined ? ' ' : '\n', i + 1);
        if (is_text)
            put_line(&prose, joined ? text + strspn(text, " ") : text, i + 1);
        inside = is_text && !stands_alone(text);
    }
    return prose;
}

static void check_lines(Check *check, const Page *page, bool chinese)
{
    static const char narrow[] = ",:;()!?";
    bool paragraph = false;
    for (size_t i = 0; i < page->count; i++) {
        const char *text = page->lines[i].text, *end = text + strlen(text),
                   *inner = text + strspn(text, " ");
        bool is_text = page->lines[i].kind == TEXT;
        if (is_text && (after(inner, "+ ") || after(inner, "* ") || (paragraph && item_of(text))))
            mistake(check, page->path, i + 1, LISTS, "begins like a list's item");
        paragraph = is_text && !stands_alone(text) && *text != ' ' && !item_of(text);
        if (!chinese || !is_text || stands_alone(text))
            continue;
        if (i + 1 < page->count && page->lines[i + 1].kind == TEXT && ends_chinese(text, end) &&
            begins_chinese(page->lines[i + 1].text + strspn(page->lines[i + 1].text, " ")))
            mistake(check, page->path, i + 1, BREAKS, "ends inside a word");
    }
    Prose prose = prose_of(page);
    for (size_t i = 3; i < prose.size && chinese; i++)
        if (strchr(narrow, prose.bytes[i]) && ends_chinese(prose.bytes, prose.bytes + i))
            mistake(check, page->path, prose.lines[i], PUNCTUATION, "%c of half width",
                    prose.bytes[i]);
    check_percent(check, &prose, "%");
    if (!strstr(page->path, "glossary"))
        check_words(check, &prose, chinese ? &check->chinese : &check->english);
    prose_free(&prose);
}

/* --- lessons -----------------------------------------------------------------------------------
 */

static bool has_target(const Page *page, const char *name, const char *end)
{
    bool found = false;
    for (size_t i = 0; i < page->count && !found; i++)
        for (const char *at = page->lines[i].text; (at = strstr(at, "](")) && !found; at += 2) {
            const char *there = strstr(at, name), *stop = strchr(at, ')');
            found = there && stop && there < stop && strstr(there, end);
        }
    return found;
}

/* What the lesson of a step has to have, for both languages. */
static void check_lesson(Check *check, const Page *page, int step)
{
    static const struct {
        int step;
        const char *rule, *name, *end;
    } links[] = {
        { 3, OPERATOR, "common/ops/conv2d.c", "" },
        { 6, OPERATOR, "common/ops/gelu.c", "" },
        { 9, OPERATOR, "common/ops/set_norm.c", "" },
        { 11, OPERATOR, "common/ops/drop_path.c", "" },
        { 11, OPERATOR, "common/ops/layer_scale.c", "" },
        { 0, PLOT, "/road", ".svg" },
        { 1, PLOT, "/stages", ".svg" },
        { 2, PLOT, "/filters", ".svg" },
        { 5, PLOT, "/field", ".svg" },
        { 6, PLOT, "/activations", ".svg" },
        { 11, PLOT, "/drop_path", ".svg" },
    };
    bool formula = step > 11; /* the last two bring no layer */
    for (size_t i = 0; i < page->count; i++)
        formula |= page->lines[i].kind == OPENS && strcmp(page->lines[i].text, "```math") == 0;
    if (!formula)
        mistake(check, page->path, 1, FORMULA, "no ```math fence");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].step == step && !has_target(page, links[i].name, links[i].end))
            mistake(check, page->path, 1, links[i].rule, "no link to %s%s", links[i].name,
                    links[i].end);
}

static void check_page(Check *check, const char *path)
{
    Page page = page_read(path);
    bool chinese = is_chinese_page(path);
    const char *name = after(path, chinese ? "docs/zh/" : "docs/");
    check_lines(check, &page, chinese);
    if (name && isdigit((unsigned char)name[0]) && isdigit((unsigned char)name[1]) &&
        name[2] == '_')
        check_lesson(check, &page, atoi(name));
    page_free(&page);
}

/* --- what programs and plots say ---------------------------------------------------------------
 */

/* Skips what is no string and does not end one; returns where a string, or something else, begins.
 */
static const char *skip(const char *at, bool c, size_t *line)
{
    for (; *at; at++) {
        const char *end = c && after(at, "/*")                  ? strstr(at, "*/")
                          : after(at, c ? "//" : "#")           ? at + strcspn(at, "\n") - 1
                          : c && at[0] == '\'' && at[1] == '\\' ? at + 3
                          : c && at[0] == '\'' && at[1] && at[2] == '\'' ? at + 2
                                                                         : NULL;
        if (!end && !isspace((unsigned char)*at))
            break;
        for (; end && at < end; at++)
            *line += *at == '\n';
        *line += *at == '\n';
    }
    return at;
}

/* Collects a file's strings, each on one line; neighbours are one string. */
static Prose strings_of(const char *path, const char *bytes, bool c)
{
    Prose prose = { .path = path };
    size_t line = 1;
    for (const char *at = skip(bytes, c, &line); *at; at = skip(at, c, &line)) {
        if (*at != '"' && (c || *at != '\'')) {
            if (prose.size && prose.bytes[prose.size - 1] != '\n')
                put(&prose, '\n', line);
            at++;
            continue;
        }
        char quote = *at;
        for (at++; *at && *at != quote; at++) {
            if (*at == '\\' && at[1])
                at++;
            put(&prose, *at == '\n' || (at[-1] == '\\' && *at == 'n') ? ' ' : *at, line);
        }
        at += *at != 0;
    }
    return prose;
}

static void check_strings(Check *check, const char *path, bool c)
{
    char *bytes;
    size_t size;
    Error error;
    if (!file_read(path, &bytes, &size, &error))
        error_die_of(EXIT_FAILED, &error);
    Prose prose = strings_of(path, bytes, c);
    check_words(check, &prose, &check->english);
    check_percent(check, &prose, c ? "%%" : "%");
    prose_free(&prose);
    free(bytes);
}

/* What make help prints of each target. */
static void check_makefile(Check *check)
{
    Page page = page_read("Makefile");
    Prose prose = { .path = page.path };
    for (size_t i = 0; i < page.count; i++) {
        const char *text = strstr(page.lines[i].text, "## ");
        for (; text && *text; text++)
            put(&prose, *text, i + 1);
        put(&prose, '\n', i + 1);
    }
    check_words(check, &prose, &check->english);
    prose_free(&prose);
    page_free(&page);
}

int check_language(void)
{
    Check check = { .english = words_read("docs/language/english.tsv", true),
                    .chinese = words_read("docs/language/chinese.tsv", false),
                    .exempt = table_read("docs/language/exempt.tsv") };
    for (char **path = paths("README*.md docs/*.md docs/*/*.md docs/zh/*/*.md"); *path; path++)
        check_page(&check, *path);
    for (char **path = paths("common/*/*.c common/*/*/*.c common/*/*/*/*.c steps/*/main.c"); *path;
         path++)
        check_strings(&check, *path, true);
    check_makefile(&check);
    for (char **path = paths("results/*.gp"); *path; path++)
        check_strings(&check, *path, false);
    for (Pair *p = check.exempt.list; p < check.exempt.list + check.exempt.count; p++)
        if (!p->used) {
            printf("docs/language/exempt.tsv: %s keeps the rule '%s' now: take the line out\n",
                   p->left, p->right);
            check.mistakes++;
        }
    table_free(&check.english, true);
    table_free(&check.chinese, true);
    table_free(&check.exempt, false);
    return check.mistakes;
}
