#include "slides.h"

#include "base/memory.h"
#include "io/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *slides_name(const char *page)
{
    const char *base = strrchr(page, '/') ? strrchr(page, '/') + 1 : page;
    size_t folder = (size_t)(base - page);
    bool lessons = (folder == 5 && strncmp(page, "docs/", 5) == 0) ||
                   (folder == 8 && strncmp(page, "docs/zh/", 8) == 0);
    if (!lessons || !isdigit((unsigned char)base[0]) || !isdigit((unsigned char)base[1]) ||
        base[2] != '_')
        return NULL;
    return str_format("%.*s.slides.html", (int)strlen(page) - 3, page);
}

static char *read_whole(const char *path, size_t *size)
{
    char *bytes;
    Error error;
    if (!file_read(path, &bytes, size, &error))
        error_die_of(EXIT_FAILED, &error);
    return bytes;
}

static void put_file(FILE *out, const char *path)
{
    size_t size;
    char *bytes = read_whole(path, &size);
    fputs(bytes, out);
    free(bytes);
}

/* Puts a file's bytes in base64. */
static void put_encoded(FILE *out, const char *path)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size;
    char *bytes = read_whole(path, &size);
    const unsigned char *at = (const unsigned char *)bytes;
    for (size_t i = 0; i < size; i += 3) {
        unsigned b = i + 1 < size ? at[i + 1] : 0, c = i + 2 < size ? at[i + 2] : 0;
        unsigned three = (unsigned)at[i] << 16 | b << 8 | c;
        char four[] = { digits[three >> 18], digits[three >> 12 & 63],
                        i + 1 < size ? digits[three >> 6 & 63] : '=',
                        i + 2 < size ? digits[three & 63] : '=' };
        fwrite(four, 1, sizeof four, out);
    }
    free(bytes);
}

/* Puts the HTML with each drawing in place of its address, which is relative to the page's folder.
 */
static void put_with_images(FILE *out, const char *page, const char *html)
{
    static const char begin[] = "<img src=\"";
    for (const char *at; (at = strstr(html, begin));) {
        const char *address = at + sizeof begin - 1, *end = strchr(address, '"');
        char *path = str_format("%.*s%.*s", (int)(strrchr(page, '/') + 1 - page), page,
                                (int)(end - address), address);
        fprintf(out, "%.*sdata:image/svg+xml;base64,", (int)(address - html), html);
        put_encoded(out, path);
        free(path);
        html = end;
    }
    fputs(html, out);
}

void slides_put(const char *page, bool chinese, const char *title, const char *body, FILE *out)
{
    fprintf(out,
            "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<title>%s</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n",
            chinese ? "zh-Hans" : "en", title);
    put_file(out, "docs/page/page.css");
    put_file(out, "docs/page/slides.css");
    fputs("</style>\n</head>\n<body>\n<main><article>\n", out);
    put_with_images(out, page, body);
    fputs("</article></main>\n<script>\n", out);
    put_file(out, "docs/page/slides.js");
    fputs("</script>\n</body>\n</html>\n", out);
}
