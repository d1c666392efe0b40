/* The command line: a command, its operands, its options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "graph/schemes.h"

#include <stdbool.h>
#include <stdint.h>

enum { MOST_OPTIONS = 64 };

/* Choices, in the order in which options.c lists them; those of --scheme are Scheme. 0: the option
 * was not given and has no default. */
typedef enum { PRESET_ARTICLE = 1, PRESET_PAPER, PRESET_SMALL } Preset;
typedef enum { PART_CLASSIFIER = 1, PART_ENCODER } NetworkPart;
typedef enum { FORMAT_TEXT = 1, FORMAT_TSV, FORMAT_JSON, FORMAT_SVG } OutputFormat;
typedef enum { MODE_EVAL = 1, MODE_TRAIN, MODE_INFER } RunMode;
typedef enum { AUGMENT_CROP_FLIP = 1, AUGMENT_NONE } RunAugment;
typedef enum { DTYPE_F32 = 1, DTYPE_F16 } WeightsDtype;
typedef enum { RECIPE_CLASSIC = 1, RECIPE_PAPER } TrainingRecipe;

/* Every option's value. One that was not given has the command's default, or else 0, NULL or false;
 * `given` tells them apart. */
typedef struct {
    /* network */
    Preset preset;
    const char *variant;
    int row, to_row, stem, widths[4], depths[4], classes;
    int input[3]; /* channels, height, width */
    int batch_size;
    double drop_path, layer_scale;
    int threads;
    /* report, bench */
    NetworkPart part;
    OutputFormat format;
    RunMode mode;
    const char *engine;
    int runs;
    bool layers, plan;
    /* files */
    const char *weights, *batch, *output, *onnx, *pytorch, *c_code, *c_weights, *keep, *layer;
    Scheme scheme;
    WeightsDtype dtype;
    bool as_is, module;
    int stage, at[2]; /* field */
    /* classify */
    const char *labels;
    int top;
    /* fit, train */
    int steps, epochs, limit;
    double lr, min_lr, warmup, weight_decay, smoothing, ema;
    TrainingRecipe recipe;
    int randaugment[2]; /* operations, magnitude */
    double erasing;
    bool mixup, cutmix, resume, freeze, skip_bad;
    RunAugment augment;
    uint64_t seed;
    double std; /* init */
    const char *data, *alter, *out;

    const char *given[MOST_OPTIONS]; /* the text given to option number i, or NULL */
    const char *const *operands;
    int operand_count;
} Options;

enum { NARROWED = 8 };

typedef struct Command {
    const char *name;
    const char *options;  /* the names of its own, each followed by a space: "--weights --batch " */
    const char *required; /* those that must be given, likewise, or NULL */
    const char *operands; /* what its operands are called, or NULL: it takes none */
    const char *help;     /* what it does, in a line */
    const char *example;  /* words behind the program's name */
    bool no_network;      /* takes no option that is about one */
    /* Options that it takes in another way than others do: of their choices only these, or NULL;
     * where they are not given this value, or in words what then holds. */
    struct {
        const char *name, *choices, *standard, *instead;
    } narrowed[NARROWED];
} Command;

/* The command line before the command is known: its first three words that are neither
 * option nor value (NULL: there is none), and whether help or the version is asked for. strange:
 * behind an option that no command has, so that `command` may be its value. */
typedef struct {
    const char *command, *topic, *surplus;
    bool help, version, strange;
} Asked;
Asked options_asked(int argc, char **argv);

/* Reads all words behind the program's name. named: the first operand is the command. A wrong
 * option ends the program with exit status 2. */
void options_parse(const Command *command, bool named, int argc, char **argv, Options *options);

/* Sets every option to the command's default. */
void options_standard(const Command *command, Options *options);

/* Sets --row as if it had been given, and unsets what only some rows have. */
void options_set_row(Options *options, int row);

/* Checks whether an option was given. name: with its dashes. */
bool option_given(const Options *options, const char *name);

/* Returns an option's value as it was written, or NULL where it was not given. */
const char *option_text(const Options *options, const char *name);

/* Lists the options given that a network's layers depend on, each with its value behind it:
 * "--preset", "small", "--batch-size", "3". Returns the number of words. */
enum { NETWORK_WORDS = 2 * MOST_OPTIONS };
int options_of_network(const Options *options, const char *words[NETWORK_WORDS]);

/* One of a command's options. */
typedef struct {
    const char *name, *value;    /* value: "" where it takes none */
    const char *help, *standard; /* standard: the default; NULL: none */
    bool required, common;       /* common: every command takes it */
} OptionAbout;

/* Describes number i of the command's options, from 0; returns false where there are fewer. */
bool option_about(const Command *command, int i, OptionAbout *about);

#endif
