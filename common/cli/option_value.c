#include "cli/option_value.h"

#include "base/error.h"
#include "base/nearest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Moves *at to the next of "a|b|c" and returns its length; 0 behind the last. Starts from NULL. */
static size_t next_choice(const char *choices, const char **at)
{
    const char *bar = *at ? strchr(*at, '|') : NULL;
    if (*at && !bar)
        return 0;
    *at = bar ? bar + 1 : choices ? choices : "";
    return strcspn(*at, "|");
}

static _Noreturn void bad_choice(const OptionSpec *s, const char *text)
{
    Nearest nearest = { 0 };
    const char *at = NULL;
    for (size_t length; (length = next_choice(s->choices, &at));)
        nearest_try(&nearest, text, at, length);
    if (!nearest.word)
        error_die(EXIT_USAGE, s->name, "'%.200s' is not one of %s", text, s->choices);
    error_die(EXIT_USAGE, s->name, "'%.200s' is not one of %s; did you mean %.*s?", text,
              s->choices, (int)nearest.length, nearest.word);
}

static _Noreturn void bad_value(const OptionSpec *s, const char *text)
{
    if (s->kind == CHOICE || s->kind == NAMED)
        bad_choice(s, text);
    if (s->kind == SEED)
        error_die(EXIT_USAGE, s->name, "'%.200s' is not a whole number from 0 to 2^64 - 1", text);
    error_die(EXIT_USAGE, s->name, "'%.200s' is not %s%s from %.10g to %.10g", text, s->choices,
              s->kind == NUMBER || s->kind == REAL ? ", a number" : ", each", s->least, s->most);
}

/* Reads a whole number at *text, which moves behind it. */
static int number(const OptionSpec *s, const char **text, const char *whole)
{
    char *end;
    errno = 0;
    long value = strtol(*text, &end, 10);
    if (end == *text || errno || **text == ' ' || **text == '+' || (double)value < s->least ||
        (double)value > s->most)
        bad_value(s, whole);
    *text = end;
    return (int)value;
}

/* Reads `count` whole numbers with a separator between them. */
static void numbers(const OptionSpec *s, const char *text, char separator, int count, int *values)
{
    const char *at = text;
    for (int i = 0; i < count; i++) {
        values[i] = number(s, &at, text);
        if (*at++ != (i < count - 1 ? separator : 0))
            bad_value(s, text);
    }
}

static double real(const OptionSpec *s, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= s->least && value <= s->most))
        bad_value(s, text);
    return value;
}

static uint64_t seed(const OptionSpec *s, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end || errno || text[0] < '0' || text[0] > '9')
        bad_value(s, text);
    return value;
}

/* Tells whether the text is that choice; "folder:PATH" is anything longer that begins with
 * "folder:". */
static bool is_choice(const char *text, const char *choice, size_t length)
{
    size_t fixed = strcspn(choice, ":");
    if (fixed < length)
        return strncmp(text, choice, fixed + 1) == 0 && text[fixed + 1];
    return strlen(text) == length && strncmp(choice, text, length) == 0;
}

/* Returns the number of the choice that the text is, from 1, or 0. */
static int choice(const char *choices, const char *text)
{
    const char *at = NULL;
    int number = 1;
    for (size_t length; (length = next_choice(choices, &at)); number++)
        if (is_choice(text, at, length))
            return number;
    return 0;
}

static const char *written(const OptionSpec *s, const char *text)
{
    if (strcmp(text, "-") == 0)
        error_die(EXIT_USAGE, s->name,
                  "'-' is no file: /dev/stdout is standard output, ./- a file of that name");
    return text;
}

void option_set(const OptionSpec *s, const char *text, Options *options)
{
    void *field = (char *)options + s->offset;
    if ((s->kind == CHOICE || s->kind == NAMED) && !choice(s->choices, text))
        bad_value(s, text);
    switch (s->kind) {
    case NUMBER:
        numbers(s, text, 0, 1, field);
        break;
    case PAIR:
        numbers(s, text, ',', 2, field);
        break;
    case FOUR:
        numbers(s, text, ',', 4, field);
        break;
    case SHAPE:
        numbers(s, text, 'x', 3, field);
        break;
    case REAL:
        *(double *)field = real(s, text);
        break;
    case SEED:
        *(uint64_t *)field = seed(s, text);
        break;
    case CHOICE:
        *(int *)field = choice(s->all, text);
        break;
    case NAMED:
    case TEXT:
        *(const char **)field = text;
        break;
    case WRITTEN:
        *(const char **)field = written(s, text);
        break;
    case FLAG:
        *(bool *)field = true;
        break;
    }
}
