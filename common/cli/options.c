#include "cli/options.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { NUMBER, REAL, SEED, FOUR, SHAPE, TEXT, CHOICE, FLAG } Kind;

typedef struct {
    const char *name;
    Kind kind;
    size_t offset;
    double least, most;  /* NUMBER, REAL and each of FOUR and SHAPE */
    const char *choices; /* CHOICE: "a|b|c"; else what the value is called */
    const char *help;
} Spec;

#define AT(field) offsetof(Options, field)
#define NETWORK                                                                                    \
    "--preset --stem --widths --depths --classes --input --batch-size --drop-path --layer-scale "  \
    "--variant --row "
/* What every command takes. */
#define COMMON NETWORK "--threads "

/* Sizes are bounded so that their small multiples fit an int; products are checked where they are
 * made. */
enum { LARGEST = 1 << 20, MANY = 1 << 30 };

static const Spec specs[] = {
    { "--preset", CHOICE, AT(preset), 0, 0, "article|paper|small",
      "the article's sizes, the paper's, or ones that train on a laptop" },
    { "--variant", CHOICE, AT(variant), 0, 0, "tiny|small|base|large|xlarge",
      "the published sizes, in place of presets article and paper" },
    { "--row", NUMBER, AT(row), 0, 1000, "N",
      "a row of the paper's table, for a step that has it" },
    { "--stem", NUMBER, AT(stem), 1, LARGEST, "N", "channels of the stem" },
    { "--widths", FOUR, AT(widths), 1, LARGEST, "A,B,C,D", "channels of the four stages" },
    { "--depths", FOUR, AT(depths), 0, 1000, "A,B,C,D", "blocks of the four stages" },
    { "--classes", NUMBER, AT(classes), 1, LARGEST, "N", "classes of the head" },
    { "--input", SHAPE, AT(input), 1, LARGEST, "CxHxW", "channels, height and width of a picture" },
    { "--batch-size", NUMBER, AT(batch_size), 1, LARGEST, "N", "pictures at a time" },
    { "--drop-path", REAL, AT(drop_path), 0, 1, "P", "largest probability of dropping a path" },
    { "--layer-scale", REAL, AT(layer_scale), -1e6, 1e6, "V", "layer scale's first value" },
    { "--threads", NUMBER, AT(threads), 1, 1024, "N", "threads to use" },
    { "--part", CHOICE, AT(part), 0, 0, "classifier|encoder", "with the head or without" },
    { "--format", CHOICE, AT(format), 0, 0, "text|tsv|json", "for people or for programs" },
    { "--mode", CHOICE, AT(mode), 0, 0, "eval|train|infer", "how to run the network" },
    { "--runs", NUMBER, AT(runs), 1, 100000, "R", "how many runs to time" },
    { "--layers", FLAG, AT(layers), 0, 0, NULL, "a line a layer" },
    { "--weights", TEXT, AT(weights), 0, 0, "FILE", "safetensors to read the weights from" },
    { "--batch", TEXT, AT(batch), 0, 0, "FILE", "safetensors with x and, where needed, labels" },
    { "--output", TEXT, AT(output), 0, 0, "FILE", "safetensors to write" },
    { "--scheme", CHOICE, AT(scheme), 0, 0, "official|timm|torchvision|transformers",
      "whose names the published network's weights have" },
    { "--dtype", CHOICE, AT(dtype), 0, 0, "F32|F16", "numbers of 32 bits (F32), or of 16" },
    { "--onnx", TEXT, AT(onnx), 0, 0, "FILE", "ONNX model to write" },
    { "--steps", NUMBER, AT(steps), 1, MANY, "N", "optimiser steps" },
    { "--lr", REAL, AT(lr), 0, 1e6, "V", "learning rate" },
    { "--weight-decay", REAL, AT(weight_decay), 0, 1e6, "V", "decoupled weight decay" },
    { "--data", CHOICE, AT(data), 0, 0, "fashion-mnist|cifar10|shapes", "the data set" },
    { "--epochs", NUMBER, AT(epochs), 1, 100000, "N", "epochs (10)" },
    { "--min-lr", REAL, AT(min_lr), 0, 1e6, "V", "learning rate at the end (1e-6)" },
    { "--warmup", REAL, AT(warmup), 0, 1e5, "E", "epochs of linear warm-up (a tenth of all)" },
    { "--smoothing", REAL, AT(smoothing), 0, 1, "V", "label smoothing (0.1)" },
    { "--mixup", FLAG, AT(mixup), 0, 0, NULL, "mix pairs of pictures" },
    { "--cutmix", FLAG, AT(cutmix), 0, 0, NULL, "paste a piece of one picture into another" },
    { "--ema", REAL, AT(ema), 0, 1, "V", "judge an average of the weights with this decay (off)" },
    { "--limit", NUMBER, AT(limit), 1, MANY, "N", "only the first N pictures" },
    { "--out", TEXT, AT(out), 0, 0, "DIR", "folder of the run (runs/DATA/STEP-SEED)" },
    { "--resume", FLAG, AT(resume), 0, 0, NULL, "go on with the run that the folder holds" },
    { "--stage", NUMBER, AT(stage), 1, 4, "N", "the stage whose output is looked at (4)" },
    { "--labels", TEXT, AT(labels), 0, 0, "FILE", "the classes' names, one a line" },
    { "--top", NUMBER, AT(top), 1, LARGEST, "N", "how many classes to print (5)" },
    { "--seed", SEED, AT(seed), 0, 0, "N", "seed of the random numbers" },
};
enum { SPECS = sizeof specs / sizeof *specs };
_Static_assert((int)SPECS <= (int)MOST_OPTIONS, "one place in Options.given each");

/* --- finding --------------------------------------------------------------------------------- */

/* Is `name` one of a list in which a space follows every name? */
static bool listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (; list && *list; list = strchr(list, ' ') + 1)
        if (strncmp(list, name, length) == 0 && list[length] == ' ')
            return true;
    return false;
}

static int find(const char *name)
{
    for (int i = 0; i < SPECS; i++)
        if (strcmp(specs[i].name, name) == 0)
            return i;
    return -1;
}

/* Option number i as a command takes it; NULL: as all do. */
static Spec spec_for(const Command *command, int i)
{
    Spec spec = specs[i];
    for (int k = 0; command && k < NARROWED && command->narrowed[k].name; k++)
        if (strcmp(command->narrowed[k].name, spec.name) == 0)
            spec.choices = command->narrowed[k].choices;
    return spec;
}

bool option_given(const Options *options, const char *name)
{
    int i = find(name);
    return i >= 0 && options->given[i];
}

void options_set_row(Options *options, int row)
{
    options->row = row;
    options->given[find("--row")] = "";
}

int options_of_network(const Options *options, const char *words[NETWORK_WORDS])
{
    int count = 0;
    for (int i = 0; i < SPECS; i++) {
        if (!options->given[i] || !listed(NETWORK "--part ", specs[i].name))
            continue;
        words[count++] = specs[i].name;
        words[count++] = options->given[i];
    }
    return count;
}

/* --- values ---------------------------------------------------------------------------------- */

static _Noreturn void bad_value(const Spec *s, const char *text)
{
    if (s->kind == CHOICE)
        error_die(EXIT_USAGE, s->name, "'%.200s' is none of %s", text, s->choices);
    if (s->kind == SEED)
        error_die(EXIT_USAGE, s->name, "'%.200s' is not a whole number from 0 to 2^64 - 1", text);
    error_die(EXIT_USAGE, s->name, "'%.200s' is not %s%s from %.10g to %.10g", text, s->choices,
              s->kind == NUMBER || s->kind == REAL ? ", a number" : ", each", s->least, s->most);
}

/* A whole number at *text, which moves behind it. */
static int number(const Spec *s, const char **text, const char *whole)
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

/* `count` whole numbers with a separator between them. */
static void numbers(const Spec *s, const char *text, char separator, int count, int *values)
{
    const char *at = text;
    for (int i = 0; i < count; i++) {
        values[i] = number(s, &at, text);
        if (*at++ != (i < count - 1 ? separator : 0))
            bad_value(s, text);
    }
}

static double real(const Spec *s, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= s->least && value <= s->most))
        bad_value(s, text);
    return value;
}

static uint64_t seed(const Spec *s, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end || errno || text[0] < '0' || text[0] > '9')
        bad_value(s, text);
    return value;
}

static const char *choice(const Spec *s, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = s->choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (length && strcspn(at, "|") == length && strncmp(at, text, length) == 0)
            return text;
    bad_value(s, text);
}

static void set(const Spec *s, const char *text, Options *options)
{
    void *field = (char *)options + s->offset;
    switch (s->kind) {
    case NUMBER:
        numbers(s, text, 0, 1, field);
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
        *(const char **)field = choice(s, text);
        break;
    case TEXT:
        *(const char **)field = text;
        break;
    case FLAG:
        *(bool *)field = true;
        break;
    }
}

/* --- the line -------------------------------------------------------------------------------- */

static void check_required(const Command *command, const Options *options)
{
    for (int i = 0; i < SPECS; i++) {
        Spec s = spec_for(command, i);
        if (listed(command->required, s.name) && !options->given[i])
            error_die(EXIT_USAGE, command->name, "wants %s %s, %s", s.name, s.choices, s.help);
    }
}

void options_parse(const Command *command, int argc, char **argv, Options *options)
{
    const char **operands = (const char **)argv; /* collected in place, in front of what is read */
    options->operands = operands;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || !word[1]) {
            if (!command->operands)
                error_die(EXIT_USAGE, word, "%s takes no operand", command->name);
            operands[options->operand_count++] = word;
            continue;
        }
        int found = find(word);
        if (found < 0 || !(listed(COMMON, word) || listed(command->options, word)))
            error_die(EXIT_USAGE, word, "%s has no such option; see 'help'", command->name);
        Spec s = spec_for(command, found);
        if (s.kind != FLAG && i + 1 == argc)
            error_die(EXIT_USAGE, word, "its value is missing: %s, %s", s.choices, s.help);
        options->given[found] = s.kind == FLAG ? "" : argv[++i];
        set(&s, options->given[found], options);
    }
    check_required(command, options);
}

/* The options of a list, as a command takes them. */
static void usage_options(const char *list, const Command *command)
{
    for (int i = 0; i < SPECS; i++) {
        Spec s = spec_for(command, i);
        if (listed(list, s.name))
            printf("  %-15s %-20s %s\n", s.name, s.choices ? s.choices : "", s.help);
    }
}

void options_usage(const char *program, const char *title, const Command *commands, int count)
{
    printf("%s: %s\n\nusage: %s [COMMAND] [OPTIONS]\n\ncommands:\n", program, title, program);
    for (int i = 0; i < count; i++)
        printf("  %-15s %s\n", commands[i].name, commands[i].help);
    printf("\noptions of the network, for every command:\n");
    usage_options(COMMON, NULL);
    for (int i = 0; i < count; i++) {
        if (!*commands[i].options)
            continue;
        printf("\noptions of %s:\n", commands[i].name);
        usage_options(commands[i].options, &commands[i]);
    }
}
