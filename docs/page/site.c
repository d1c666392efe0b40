/* site FOLDER: the lessons and the other pages of docs/ as HTML around the ladder's page, with what
 * they link to: images, and files of code as pages of their own. cmark-gfm converts; this program
 * resolves links, gives headings their names, sets formulas (mathml.c) and makes the index of the
 * search. */
#include "mathml.h"
#include "slides.h"

#include "../pages/anchor.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "io/file.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Files to be written, each once, in the order in which they were first linked to. */
static char **queue;
static size_t queued;
static const char *folder;
static Text found; /* the index of the search */

static void enqueue(const char *path)
{
    for (size_t i = 0; i < queued; i++)
        if (strcmp(queue[i], path) == 0)
            return;
    queue = mem_grow(queue, queued + 1, sizeof *queue);
    queue[queued++] = str_format("%s", path);
}

/* --- text ------------------------------------------------------------------------------------- */

static void put_escaped(FILE *out, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (from[i] == '<')
            fputs("&lt;", out);
        else if (from[i] == '&')
            fputs("&amp;", out);
        else
            fputc(from[i], out);
}

/* --- paths ------------------------------------------------------------------------------------ */

/* Returns the path that `link` in the file `page` leads to, without . and ..; the caller frees it.
 */
static char *resolve(const char *page, const char *link, size_t length)
{
    const char *slash = strrchr(page, '/');
    char *path =
        str_format("%.*s%.*s", slash ? (int)(slash + 1 - page) : 0, page, (int)length, link);
    for (char *up; (up = strstr(path, "../"));) {
        char *before = up > path ? up - 1 : up;
        while (before > path && before[-1] != '/')
            before--;
        memmove(before, up + 3, strlen(up + 3) + 1);
    }
    size_t end = strlen(path);
    if (end && path[end - 1] == '/')
        path[end - 1] = 0;
    return path;
}

/* What a file of the repository is called in the site; the caller frees it. */
static char *site_name(const char *path)
{
    if (str_ends_with(path, ".md"))
        return str_format("%.*s.html", (int)strlen(path) - 3, path);
    if (str_ends_with(path, ".svg") || str_ends_with(path, ".png"))
        return str_format("%s", path);
    return str_format("%s.html", path);
}

/* "../../" for docs/zh/page: from a page to the site's root. */
static char *root_of(const char *page)
{
    char *root = str_format("%s", "");
    for (const char *at = page; (at = strchr(at, '/')); at++) {
        char *longer = str_format("../%s", root);
        free(root);
        root = longer;
    }
    return root;
}

static void write_file(const char *name, const char *bytes, size_t size)
{
    char *path = str_format("%s/%s", folder, name);
    Error error;
    for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            error_die(EXIT_FAILED, path, "cannot make it: %s", strerror(errno));
        *at = '/';
    }
    FileWriter *writer = file_create(path, &error);
    if (writer)
        file_put(writer, bytes, size);
    if (!writer || !file_commit(writer, &error))
        error_die_of(EXIT_FAILED, &error);
    free(path);
}

/* Where in the ladder's page a lesson's step is compared with the one before; the caller frees it.
 */
static char *ladder_state(const char *page, bool chinese)
{
    const char *base = strrchr(page, '/') ? strrchr(page, '/') + 1 : page,
               *language = chinese ? "zh" : "en";
    glob_t before = { 0 };
    char *state = NULL;
    int number =
        isdigit((unsigned char)base[0]) && isdigit((unsigned char)base[1]) && base[2] == '_'
            ? atoi(base)
            : 0;
    if (number > 0 && str_ends_with(page, ".md")) {
        char *pattern = str_format("steps/%02d_*", number - 1);
        if (glob(pattern, 0, NULL, &before) == 0)
            state = str_format("#compare?from=%s&amp;to=%.*s&amp;lang=%s", before.gl_pathv[0] + 6,
                               (int)strlen(base) - 3, base, language);
        globfree(&before);
        free(pattern);
    }
    return state ? state : str_format("#road?lang=%s", language);
}

/* --- links ------------------------------------------------------------------------------------ */

/* The lessons' link to README's section of that name, in English or Chinese, which in the site
 * leads to the ladder's page itself. */
static bool is_browser_link(const char *mark, const char *end)
{
    static const char *const names[] = { "#in-the-browser",
                                         "#%E5%9C%A8%E6%B5%8F%E8%A7%88%E5%99%A8%E9%87%8C" };
    for (int i = 0; i < 2; i++)
        if (mark && strlen(names[i]) == (size_t)(end - mark) &&
            strncmp(mark, names[i], (size_t)(end - mark)) == 0)
            return true;
    return false;
}

/* Writes the address that a link has in the site, and enqueues what it leads to. */
static void put_link(FILE *out, const char *page, const char *link, size_t length)
{
    const char *mark = memchr(link, '#', length);
    size_t file = mark ? (size_t)(mark - link) : length;
    if (file == 0 || memchr(link, ':', length)) {
        fwrite(link, 1, length, out);
        return;
    }
    char *root = root_of(page);
    if (is_browser_link(mark, link + length)) {
        char *state = ladder_state(page, mark[1] == '%');
        fprintf(out, "%sindex.html%s", root, state);
        free(state);
        free(root);
        return;
    }
    char *path = resolve(page, link, file);
    struct stat status;
    bool there = stat(path, &status) == 0;
    if (there && S_ISDIR(status.st_mode)) {
        char *inside = str_format("%s/README.md", path);
        free(path);
        path = inside;
        there = stat(path, &status) == 0;
    }
    if (there) {
        char *name = site_name(path);
        enqueue(path);
        fprintf(out, "%s%s", root, name);
        free(name);
    } else
        fwrite(link, 1, file, out);
    if (mark)
        fwrite(mark, 1, length - file, out);
    free(path);
    free(root);
}

/* --- headings --------------------------------------------------------------------------------- */

/* Returns HTML without its tags; the caller frees it. */
static char *without_tags(const char *from, size_t length)
{
    char *plain = mem_alloc(length + 1, 1), *to = plain;
    bool tag = false;
    for (size_t i = 0; i < length; i++) {
        tag = tag || from[i] == '<';
        if (!tag)
            *to++ = from[i];
        tag = tag && from[i] != '>';
    }
    *to = 0;
    return plain;
}

/* Adds a line to the index of the search: what is found, where, and in which page. */
static void index_add(const char *text, const char *name, const char *anchor, const char *title)
{
    if (*text && !strpbrk(text, "\"\\"))
        fprintf(found.out, "[\"%s\", \"%s%s%s\", \"%s\"],\n", text, name, *anchor ? "#" : "",
                anchor, title);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* Copies cmark's HTML with links resolved, headings named and formulas set; *title: the first
 * heading's text. */
static void convert(const char *page, const char *name, const char *html, FILE *out, char **title)
{
    static const char math[] = "<pre><code class=\"language-math\">";
    for (const char *at = html; *at;) {
        const char *quote = strncmp(at, "href=\"", 6) == 0  ? at + 6
                            : strncmp(at, "src=\"", 5) == 0 ? at + 5
                                                            : NULL;
        if (quote) {
            const char *end = strchr(quote, '"');
            fwrite(at, 1, (size_t)(quote - at), out);
            put_link(out, page, quote, (size_t)(end - quote));
            at = end;
        } else if (strncmp(at, math, sizeof math - 1) == 0) {
            const char *from = at + sizeof math - 1, *end = strstr(from, "</code>");
            mathml(from, (size_t)(end - from), out);
            at = strstr(end, "</pre>") + 6;
        } else if (at[0] == '<' && at[1] == 'h' && at[2] >= '1' && at[2] <= '4' && at[3] == '>') {
            const char *end = strstr(at, "</h");
            char *plain = without_tags(at + 4, (size_t)(end - at) - 4),
                 *anchor = anchor_of(str_format("%s", plain));
            fprintf(out, "<h%c id=\"%s\">", at[2], anchor);
            if (!*title)
                *title = str_format("%s", plain);
            index_add(plain, name, at[2] == '1' ? "" : anchor, *title);
            free(plain);
            free(anchor);
            at += 4;
        } else
            fputc(*at++, out);
    }
}

/* The page in the other language, or NULL; the caller frees it. */
static char *other_language(const char *page, bool *chinese)
{
    char *other;
    struct stat status;
    *chinese = strncmp(page, "docs/zh/", 8) == 0 || str_ends_with(page, ".zh-CN.md");
    if (strncmp(page, "README", 6) == 0)
        other = str_format("%s", *chinese ? "README.md" : "README.zh-CN.md");
    else
        other = *chinese
                    ? str_format("docs/%s", page + 8)
                    : str_format("docs/zh/%s", strncmp(page, "docs/", 5) == 0 ? page + 5 : page);
    if (str_ends_with(page, ".md") && stat(other, &status) == 0)
        return other;
    free(other);
    return NULL;
}

/* A lesson's link to its slides, or nothing; the caller frees it. */
static char *slides_link(const char *page, bool chinese)
{
    char *name = slides_name(page);
    char *link = name ? str_format("<a href=\"%s\">%s</a> ", strrchr(name, '/') + 1,
                                   chinese ? "幻灯片" : "Slides")
                      : str_format("%s", "");
    free(name);
    return link;
}

/* Writes a lesson's slides beside it. */
static void write_slides(const char *page, const char *title, const char *body)
{
    char *name = slides_name(page);
    if (!name)
        return;
    Text out;
    text_open(&out);
    slides_put(page, strncmp(page, "docs/zh/", 8) == 0, title, body, out.out);
    text_close(&out);
    write_file(name, out.bytes, out.size);
    free(out.bytes);
    free(name);
}

static void write_page(const char *page, const char *title, const char *body)
{
    bool chinese;
    char *other = other_language(page, &chinese), *root = root_of(page), *name = site_name(page);
    char *state = ladder_state(page, chinese), *other_name = other ? site_name(other) : NULL;
    char *docs = str_format("%sdocs/%s", root, chinese ? "zh/" : ""),
         *slides = slides_link(page, chinese);
    Text out;
    text_open(&out);
    fprintf(
        out.out,
        "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n<title>%s</title>\n"
        "<link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"%spage.css\">\n"
        "<script>try { document.documentElement.dataset.theme = localStorage.getItem('theme') || "
        "'auto'; } catch {}</script>\n"
        "</head>\n<body>\n<header>\n<span id=\"title\">%s</span>\n<nav><a "
        "href=\"%sindex.html%s\">%s</a> "
        "<a href=\"%sREADME.html\">%s</a> <a href=\"%sresults.html\">%s</a> <a "
        "href=\"%serrata.html\">%s</a> "
        "<a href=\"%scourse.html\">%s</a></nav>\n<nav id=\"tools\">%s<a "
        "href=\"%sREADME.html#search\">%s</a>%s%s%s%s%s%s</nav>\n</header>\n"
        "<main><article>\n",
        chinese ? "zh-Hans" : "en", title, root,
        chinese ? "从 ResNet 到 ConvNeXt" : "From ResNet to ConvNeXt", root, state,
        chinese ? "在页面里试" : "Try it", docs, chinese ? "课程" : "Lessons", docs,
        chinese ? "结果" : "Results", docs, chinese ? "勘误" : "Errata", docs,
        chinese ? "教学计划" : "Course", slides, docs, chinese ? "搜索" : "Search",
        other ? " <a href=\"" : "", other ? root : "", other ? other_name : "",
        other ? "\" lang=\"" : "", other ? chinese ? "en\">English" : "zh-Hans\">中文" : "",
        other ? "</a>" : "");
    if (str_ends_with(page, "docs/README.md") || strcmp(page, "docs/zh/README.md") == 0) {
        fprintf(out.out,
                "<section id=\"search\" role=\"search\"><label class=\"field\"><span>%s</span>"
                "<input type=\"search\" id=\"words\"></label><ul id=\"found\" "
                "aria-live=\"polite\"></ul></section>\n"
                "<script>var ROOT = \"%s\", CHINESE = %s;</script><script "
                "src=\"%sindex.js\"></script><script src=\"%ssearch.js\"></script>\n",
                chinese ? "搜索标题和术语" : "Search titles and terms", root,
                chinese ? "true" : "false", root, root);
    }
    fprintf(out.out, "%s</article></main>\n</body>\n</html>\n", body);
    text_close(&out);
    write_file(name, out.bytes, out.size);
    free(out.bytes);
    free(docs);
    free(slides);
    free(state);
    free(root);
    free(name);
    free(other_name);
    free(other);
}

static void write_markdown(const char *page)
{
    const char *argv[] = { "cmark-gfm", "--unsafe",      "-e", "table", "-e", "autolink",
                           "-e",        "strikethrough", page, NULL };
    char *html, *name = site_name(page);
    size_t length;
    Error error;
    if (!process_read((char *const *)argv, false, &html, &length, &error))
        error_die_of(EXIT_FAILED, &error);
    Text body;
    char *title = NULL;
    text_open(&body);
    convert(page, name, html, body.out, &title);
    text_close(&body);
    write_page(page, title ? title : page, body.bytes);
    write_slides(page, title ? title : page, body.bytes);
    free(html);
    free(name);
    free(body.bytes);
    free(title);
}

/* A file of code as a page, with a name for every line. */
static void write_code(const char *path, const char *bytes)
{
    Text body;
    text_open(&body);
    fputs("<h1>", body.out);
    put_escaped(body.out, path, strlen(path));
    fputs("</h1>\n<pre><code>", body.out);
    int number = 0;
    for (const char *at = bytes; *at;) {
        size_t length = strcspn(at, "\n");
        fprintf(body.out, "<span id=\"L%d\">", ++number);
        put_escaped(body.out, at, length);
        fputs("</span>\n", body.out);
        at += length + (at[length] == '\n');
    }
    fputs("</code></pre>\n", body.out);
    text_close(&body);
    write_page(path, path, body.bytes);
    free(body.bytes);
}

/* The glossary's terms, for the search. */
static void index_terms(const char *path)
{
    char *bytes, *name = site_name(path);
    size_t size;
    if (file_read(path, &bytes, &size, NULL))
        for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
            char *second = line[0] == '|' && line[1] == ' ' ? strstr(line, " | ") : NULL;
            char *end = second ? strstr(second + 3, " |") : NULL;
            if (!end)
                continue;
            *end = *second = 0;
            char *term = str_format("%s · %s", line + 2, second + 3);
            index_add(term, name, "", "glossary");
            free(term);
        }
    free(name);
}

static void write_one(const char *path)
{
    char *bytes;
    size_t size;
    Error error;
    if (str_ends_with(path, ".md")) {
        write_markdown(path);
        return;
    }
    if (!file_read(path, &bytes, &size, &error))
        error_die_of(EXIT_FAILED, &error);
    if (str_ends_with(path, ".svg") || str_ends_with(path, ".png"))
        write_file(path, bytes, size);
    else if (strlen(bytes) == size)
        write_code(path, bytes);
    free(bytes);
}

int main(int argc, char **argv)
{
    static const char *const first[] = { "README*.md", "docs/*.md", "docs/zh/*.md" };
    if (argc != 2)
        error_die(EXIT_USAGE, "site", "wants the folder to write");
    folder = argv[1];
    text_open(&found);
    fputs("var FOUND = [\n", found.out);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        glob_t paths;
        if (glob(first[i], 0, NULL, &paths) == 0)
            for (size_t k = 0; k < paths.gl_pathc; k++)
                enqueue(paths.gl_pathv[k]);
        globfree(&paths);
    }
    for (size_t i = 0; i < queued; i++)
        write_one(queue[i]);
    index_terms("docs/glossary.md");
    index_terms("docs/zh/glossary.md");
    fputs("];\n", found.out);
    text_close(&found);
    write_file("index.js", found.bytes, found.size);
    free(found.bytes);
    return 0;
}
