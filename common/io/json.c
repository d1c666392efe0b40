#include "io/json.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

bool json_fail(Json *json, const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(json->error, json->name, "JSON at byte %zu: %s", json->at, what);
}

/* --- marks and white space ------------------------------------------------------------------- */

static void skip_space(Json *json)
{
    while (json->at < json->size && json->text[json->at] != 0 &&
           strchr(" \t\r\n", json->text[json->at]))
        json->at++;
}

static bool expected(Json *json, const char *what)
{
    if (json->at >= json->size)
        return json_fail(json, "%s expected, but the text ends", what);
    unsigned char found = (unsigned char)json->text[json->at];
    if (found > ' ' && found < 127)
        return json_fail(json, "%s expected, not '%c'", what, found);
    return json_fail(json, "%s expected, not the byte 0x%02x", what, found);
}

/* Skips the mark and returns true if it comes next. */
static bool try_mark(Json *json, char mark)
{
    skip_space(json);
    bool found = json->at < json->size && json->text[json->at] == mark;
    json->at += found;
    return found;
}

static bool read_mark(Json *json, char mark)
{
    return try_mark(json, mark) || expected(json, (char[]){ '\'', mark, '\'', 0 });
}

/* --- objects and arrays ---------------------------------------------------------------------- */

bool json_object(Json *json, JsonMember *member, void *context)
{
    if (!read_mark(json, '{'))
        return false;
    if (try_mark(json, '}'))
        return true;
    do {
        char *key;
        if (!json_string(json, &key) || !read_mark(json, ':') || !member(context, json, key))
            return false;
    } while (try_mark(json, ','));
    return read_mark(json, '}');
}

bool json_array(Json *json, JsonItem *item, void *context)
{
    if (!read_mark(json, '['))
        return false;
    if (try_mark(json, ']'))
        return true;
    do {
        if (!item(context, json))
            return false;
    } while (try_mark(json, ','));
    return read_mark(json, ']');
}

bool json_end(Json *json)
{
    skip_space(json);
    return json->at == json->size || expected(json, "nothing more");
}

/* --- numbers --------------------------------------------------------------------------------- */

static bool digit_at(const Json *json)
{
    return json->at < json->size && json->text[json->at] >= '0' && json->text[json->at] <= '9';
}

bool json_size(Json *json, size_t *number)
{
    skip_space(json);
    size_t start = json->at, value = 0;
    if (!digit_at(json))
        return expected(json, "a whole number, 0 or more,");
    for (; digit_at(json); json->at++) {
        size_t digit = (size_t)(json->text[json->at] - '0');
        if (__builtin_mul_overflow(value, (size_t)10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return json_fail(json, "the number is too large");
    }
    if (json->text[start] == '0' && json->at - start > 1)
        return json_fail(json, "the number starts with a 0");
    if (json->at < json->size && strchr(".eE", json->text[json->at]) && json->text[json->at])
        return expected(json, "a whole number written in digits");
    *number = value;
    return true;
}

/* --- strings --------------------------------------------------------------------------------- */

/* Returns the length of the UTF-8 character at `bytes`, of which `left` remain; 0 if it is invalid:
 * overlong, a surrogate, above U+10FFFF or cut off (table 3-7 of the Unicode standard). */
static size_t utf8_length(const char *bytes, size_t left)
{
    const unsigned char *u = (const unsigned char *)bytes;
    if (u[0] < 0x80)
        return 1;
    size_t length = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC2 || u[0] > 0xF4 || left < length)
        return 0;
    unsigned low = u[0] == 0xE0 ? 0xA0 : u[0] == 0xF0 ? 0x90 : 0x80;
    unsigned high = u[0] == 0xED ? 0x9F : u[0] == 0xF4 ? 0x8F : 0xBF;
    if (u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (u[i] < 0x80 || u[i] > 0xBF)
            return 0;
    return length;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned lead[] = { 0, 0xC0, 0xE0, 0xF0 };
    *to++ = (char)(lead[more] | c >> (6 * more));
    while (more--)
        *to++ = (char)(0x80 | (c >> (6 * more) & 0x3F));
    return to;
}

/* Reads four hexadecimal digits. */
static bool read_unit(Json *json, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, json->at++) {
        int c = json->at < json->size ? json->text[json->at] : 0;
        const char *digits = "0123456789abcdef", *found = strchr(digits, c | 0x20);
        bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!letter && !(c >= '0' && c <= '9'))
            return expected(json, "a hexadecimal digit");
        *unit = *unit << 4 | (uint32_t)(found - digits);
    }
    return true;
}

/* Reads what follows "\u": a UTF-16 unit, or a surrogate pair that makes one character. */
static bool read_utf16(Json *json, uint32_t *c)
{
    uint32_t second;
    if (!read_unit(json, c))
        return false;
    if (*c >= 0xDC00 && *c <= 0xDFFF)
        return json_fail(json, "half a surrogate pair");
    if (*c < 0xD800 || *c > 0xDBFF)
        return true;
    if (json->size - json->at < 2 || json->text[json->at] != '\\' ||
        json->text[json->at + 1] != 'u')
        return json_fail(json, "half a surrogate pair");
    json->at += 2;
    if (!read_unit(json, &second))
        return false;
    if (second < 0xDC00 || second > 0xDFFF)
        return json_fail(json, "half a surrogate pair");
    *c = 0x10000 + ((*c - 0xD800) << 10) + (second - 0xDC00);
    return true;
}

/* Reads what follows a backslash. */
static bool read_escape(Json *json, char **to)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    int name = json->at < json->size ? json->text[json->at] : 0;
    uint32_t c;
    if (name == 'u') {
        json->at++;
        if (!read_utf16(json, &c))
            return false;
    } else {
        const char *found = name ? strchr(names, name) : NULL;
        if (!found)
            return expected(json, "an escape (one of \"\\/bfnrtu)");
        json->at++;
        c = (uint32_t)means[found - names];
    }
    if (c == 0)
        return json_fail(json, "a NUL character in a string");
    *to = put_utf8(*to, c);
    return true;
}

bool json_string(Json *json, char **string)
{
    skip_space(json);
    if (json->at >= json->size || json->text[json->at] != '"')
        return expected(json, "a string");
    json->at++;
    /* Decoded text is never longer than its source, so it fits where the source was. */
    char *to = *string = json->text + json->at;
    while (json->at < json->size && json->text[json->at] != '"') {
        const char *from = json->text + json->at;
        if (*from == '\\') {
            json->at++;
            if (!read_escape(json, &to))
                return false;
            continue;
        }
        size_t length = utf8_length(from, json->size - json->at);
        if (length == 0)
            return json_fail(json, "not valid UTF-8");
        if ((unsigned char)*from < ' ')
            return json_fail(json, "a bare control character in a string");
        memmove(to, from, length);
        to += length;
        json->at += length;
    }
    if (json->at >= json->size)
        return json_fail(json, "the string does not end");
    json->at++;
    *to = 0;
    return true;
}

/* --- values of which nothing is wanted -------------------------------------------------------- */

enum { DEEPEST = 100 };

static bool try_word(Json *json, const char *word)
{
    size_t length = strlen(word);
    skip_space(json);
    bool found =
        json->size - json->at >= length && strncmp(json->text + json->at, word, length) == 0;
    json->at += found ? length : 0;
    return found;
}

bool json_null(Json *json)
{
    return try_word(json, "null");
}

static size_t skip_digits(Json *json)
{
    size_t start = json->at;
    while (digit_at(json))
        json->at++;
    return json->at - start;
}

static bool try_letter(Json *json, const char *letters)
{
    bool found =
        json->at < json->size && json->text[json->at] && strchr(letters, json->text[json->at]);
    json->at += found;
    return found;
}

/* Skips a number as in RFC 8259: sign, digits, fraction, exponent. */
static bool skip_number(Json *json)
{
    try_letter(json, "-");
    bool zero = json->at < json->size && json->text[json->at] == '0';
    size_t digits = skip_digits(json);
    if (zero && digits > 1)
        return json_fail(json, "the number starts with a 0");
    if (!digits || (try_letter(json, ".") && !skip_digits(json)))
        return expected(json, "a digit");
    if (!try_letter(json, "eE"))
        return true;
    try_letter(json, "+-");
    return skip_digits(json) || expected(json, "a digit");
}

static bool skip_value(Json *json, int *depth);

static bool skip_item(void *context, Json *json)
{
    return skip_value(json, context);
}

static bool skip_member(void *context, Json *json, char *key)
{
    (void)key;
    return skip_value(json, context);
}

static bool skip_value(Json *json, int *depth)
{
    char *text;
    skip_space(json);
    char next = json->at < json->size ? json->text[json->at] : 0;
    if (next == '"')
        return json_string(json, &text);
    if (next == '-' || digit_at(json))
        return skip_number(json);
    if (next == '{' || next == '[') {
        if (++*depth > DEEPEST)
            return json_fail(json, "nested deeper than %d levels", DEEPEST);
        bool good = next == '{' ? json_object(json, skip_member, depth)
                                : json_array(json, skip_item, depth);
        --*depth;
        return good;
    }
    return json_null(json) || try_word(json, "true") || try_word(json, "false") ||
           expected(json, "a value");
}

bool json_skip(Json *json)
{
    int depth = 0;
    return skip_value(json, &depth);
}

/* --- writing --------------------------------------------------------------------------------- */

bool json_holds(const char *string)
{
    size_t left = strlen(string), length;
    for (; left; string += length, left -= length) {
        length = utf8_length(string, left);
        if (length == 0)
            return false;
    }
    return true;
}

void json_put_string(FILE *out, const char *string)
{
    putc('"', out);
    for (; *string; string++)
        if (*string == '"' || *string == '\\')
            fprintf(out, "\\%c", *string);
        else if ((unsigned char)*string < ' ')
            fprintf(out, "\\u%04x", (unsigned char)*string);
        else
            putc(*string, out);
    putc('"', out);
}
