#include "train/recipe.h"

#include "base/built_for.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- in words -------------------------------------------------------------------------------- */

/* Writes the options that a recipe has only where they are used. */
static char *extras_text(const Recipe *r)
{
    char *start = r->start ? str_format(" --weights %.16s", weights_digest(r->start).text) : NULL;
    char *randaugment =
        str_format(" --randaugment %d,%d", r->randaugment.count, r->randaugment.magnitude);
    char *erasing = str_format(" --erasing %.9g", r->erasing);
    char *text = str_format("%s%s%s%s%s%s", r->classic ? " --recipe classic" : "",
                            r->randaugment.count ? randaugment : "", r->erasing > 0 ? erasing : "",
                            start ? start : "", r->freeze ? " --freeze on" : "",
                            r->no_crop_flip ? " --augment none" : "");
    free(start);
    free(randaugment);
    free(erasing);
    return text;
}

char *recipe_text(const Recipe *r, EngineKind engine, const char *altered)
{
    char *extras = extras_text(r);
    char *text = str_format(
        "%s --data %s --limit %d --epochs %d --batch-size %d --lr %.9g --min-lr %.9g "
        "--warmup %.9g --weight-decay %.9g --smoothing %.9g --mixup %d --cutmix %d "
        "--ema %.9g --seed %llu%s%s%s%s%s",
        r->network, r->data, r->limit, r->epochs, r->batch_size, r->lr, r->min_lr, r->warmup,
        r->weight_decay, r->smoothing, r->mixup, r->cutmix, r->ema, (unsigned long long)r->seed,
        extras, *altered ? " --alter " : "", altered, engine == PLAIN ? " --engine plain" : "",
        built_portable ? " --built PORTABLE=1" : "");
    free(extras);
    return text;
}

/* --- words ----------------------------------------------------------------------------------- */

/* "--option value" of a recipe; the first one is the network's name, whose `name` is empty. A value
 * may hold spaces. */
typedef struct {
    const char *name, *value;
    int name_length, value_length;
} Word;

/* The word at *at, which moves to the next one; false at the end. */
static bool next_word(const char **at, Word *word)
{
    if (!*at)
        return false;
    const char *start = *at, *end = strstr(start, " --");
    int length = end ? (int)(end - start) : (int)strlen(start);
    bool option = strncmp(start, "--", 2) == 0;
    int name = option ? (int)strcspn(start, " ") : 0;
    *word = (Word){ .name = start, .name_length = name < length ? name : length };
    word->value = start + word->name_length + (word->name_length < length && option);
    word->value_length = length - (int)(word->value - start);
    *at = end ? end + 1 : NULL;
    return true;
}

static bool same(const char *a, int a_length, const char *b, int b_length)
{
    return a_length == b_length && memcmp(a, b, (size_t)a_length) == 0;
}

static bool find_word(const char *recipe, const char *name, int length, Word *word)
{
    while (next_word(&recipe, word))
        if (same(word->name, word->name_length, name, length))
            return true;
    *word = (Word){ .name = name, .name_length = length, .value = "" };
    return false;
}

/* An option's number, 0 without one. */
static double number_of(const char *recipe, const char *option)
{
    Word word;
    return find_word(recipe, option, (int)strlen(option), &word) ? atof(word.value) : 0;
}

/* Is the warm-up that part of the epochs? Only nine digits of it are written down. */
static bool warms_up(const char *recipe, double part)
{
    char *usual = str_format("%.9g", number_of(recipe, "--epochs") / part);
    bool is = atof(usual) == number_of(recipe, "--warmup");
    free(usual);
    return is;
}

/* --- differences ----------------------------------------------------------------------------- */

/* What holds without an option. */
static const char *without(const Word *word)
{
    static const char *const usual[][2] = { { "--engine", "fast" },
                                            { "--augment", "crop-flip" },
                                            { "--freeze", "off" },
                                            { "--built", "as usual" } };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (same(word->name, word->name_length, usual[i][0], (int)strlen(usual[i][0])))
            return usual[i][1];
    return "none";
}

/* A number in as few digits as give the same float: a recipe may have nine, "0.100000001". A whole
 * one, which may be a seed of 64 bits, stays as it is. NULL for what is no number. */
static char *short_number(const char *value, int length)
{
    char *text = str_format("%.*s", length, value), *end;
    if (length && strspn(text, "0123456789") == (size_t)length)
        return text;
    float number = strtof(text, &end);
    bool whole = length && !*end;
    free(text);
    return whole ? str_float(number) : NULL;
}

/* Numbers may have been written with more digits than they need. */
static bool same_value(const Word *a, const Word *b)
{
    if (same(a->value, a->value_length, b->value, b->value_length))
        return true;
    char *one = short_number(a->value, a->value_length);
    char *other = short_number(b->value, b->value_length);
    bool equal = one && other && strcmp(one, other) == 0;
    free(one);
    free(other);
    return equal;
}

/* A value as its option would be spoken of; without one, what holds then. */
static char *shown(const Word *word)
{
    if (!word->value_length)
        return str_format("%s", without(word));
    enum { LONGEST = 60 };
    static const char *const switches[] = { "--mixup", "--cutmix", "--ema", "--limit" };
    enum { FLAGS = 2, SWITCHES = sizeof switches / sizeof *switches };
    int length = word->value_length < LONGEST ? word->value_length : LONGEST;
    for (int i = 0; i < SWITCHES; i++) {
        if (!same(word->name, word->name_length, switches[i], (int)strlen(switches[i])))
            continue;
        if (same(word->value, word->value_length, "0", 1))
            return str_format("off");
        if (i < FLAGS)
            return str_format("on");
    }
    char *number = short_number(word->value, word->value_length);
    return number ? number
                  : str_format("%.*s%s", length, word->value,
                               length < word->value_length ? "..." : "");
}

/* Adds a difference to *list, which is NULL before the first. */
static void add_difference(char **list, const Word *then, const Word *now)
{
    char *was = shown(then), *is = shown(now);
    str_append(list, "%s%.*s%s%s then, %s now", *list ? "; " : "", now->name_length, now->name,
               now->name_length ? " " : "", was, is);
    free(was);
    free(is);
}

char *recipe_differences(const char *then, const char *now)
{
    /* As where no option says it: a tenth, or the paper's 20 of 300. */
    bool warmup_follows =
        (warms_up(then, 10) && warms_up(now, 10)) || (warms_up(then, 15) && warms_up(now, 15));
    char *list = NULL;
    Word word, other;
    for (const char *at = now; next_word(&at, &word);) {
        bool there = find_word(then, word.name, word.name_length, &other);
        bool follows = warmup_follows && same(word.name, word.name_length, "--warmup", 8);
        if (!(there && same_value(&word, &other)) && !follows)
            add_difference(&list, &other, &word);
    }
    for (const char *at = then; next_word(&at, &word);)
        if (!find_word(now, word.name, word.name_length, &other))
            add_difference(&list, &word, &other);
    return list;
}

/* --- longer runs ----------------------------------------------------------------------------- */

bool recipe_longer(const char *then, const char *now)
{
    char *list = recipe_differences(then, now);
    bool epochs_alone = list && strncmp(list, "--epochs ", 9) == 0 && !strchr(list, ';');
    free(list);
    return epochs_alone && number_of(now, "--epochs") > number_of(then, "--epochs");
}

char *recipe_length(const char *recipe)
{
    return str_format("--epochs %g --warmup %.9g", number_of(recipe, "--epochs"),
                      number_of(recipe, "--warmup"));
}
