#include "cli/print.h"

#include "base/memory.h"
#include "base/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *print_count_text(uint64_t value, char text[COUNT_TEXT])
{
    char digits[COUNT_TEXT];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, value), used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = 0;
    return text;
}

double print_percent(uint64_t now, double before)
{
    return before > 0 ? 100 * ((double)now - before) / before : 0;
}

/* Returns the length in bytes of the control character at `text`, in ASCII or in Unicode's second
 * set, U+0080 to U+009F in UTF-8; 0: it is none. */
static int control(const char *text)
{
    unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];
    if (first < ' ' || first == 127)
        return 1;
    return first == 0xC2 && second >= 0x80 && second < 0xA0 ? 2 : 0;
}

void print_name(const char *text)
{
    bool terminal = terminal_is(STDOUT_FILENO);
    while (*text) {
        int length = terminal ? control(text) : 0;
        putchar(length ? '?' : *text);
        text += length ? length : 1;
    }
}

/* The first byte of a character, or a control character's, of UTF-8. */
static bool begins_character(const char *text)
{
    return ((unsigned char)*text & 0xC0) != 0x80;
}

int print_characters(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += begins_character(text);
    return count;
}

/* Returns where the text's character number `n` begins, or its end. */
static const char *character(const char *text, int n)
{
    for (; *text && (n > 0 || !begins_character(text)); text++)
        n -= begins_character(text + 1);
    return text;
}

char *print_fitting(const char *text, int most)
{
    int count = print_characters(text), head = most / 3;
    if (count <= most)
        return str_format("%s", text);
    return str_format("%.*s…%s", (int)(character(text, head) - text), text,
                      character(text, count - (most - head - 1)));
}

void print_class(int number, const char *name, bool cut)
{
    int column = printf("%2d ", number);
    while (*name) {
        int length = control(name);
        if (begins_character(name) && cut && column == PRINT_CLASS_WIDTH)
            return;
        column += begins_character(name);
        putchar(length ? '?' : *name);
        name += length ? length : 1;
    }
    for (; column < PRINT_CLASS_WIDTH; column++)
        putchar(' ');
}

void print_tsv_field(const char *text)
{
    static const char escaped[] = "\t\n\r\\", as[] = "tnr\\";
    bool terminal = terminal_is(STDOUT_FILENO);
    while (*text) {
        const char *found = strchr(escaped, *text);
        int length = terminal && !found ? control(text) : 0;
        if (found)
            printf("\\%c", as[found - escaped]);
        else
            putchar(length ? '?' : *text);
        text += length ? length : 1;
    }
}
