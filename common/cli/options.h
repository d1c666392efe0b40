/* The command line: a command, its operands, its options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { MOST_OPTIONS = 64 };

/* Every option's value; what was not given is 0, NULL or false, and says so by `given`. */
typedef struct {
    /* network */
    const char *preset, *variant;
    int row, stem, widths[4], depths[4], classes;
    int input[3]; /* channels, height, width */
    int batch_size;
    double drop_path, layer_scale;
    int threads;
    /* report, bench */
    const char *part, *format, *mode;
    int runs;
    bool layers;
    /* files */
    const char *weights, *batch, *output, *scheme, *dtype, *onnx;
    int stage; /* field */
    /* classify */
    const char *labels;
    int top;
    /* fit, train */
    int steps, epochs, limit;
    double lr, min_lr, warmup, weight_decay, smoothing, ema;
    bool mixup, cutmix, resume;
    uint64_t seed;
    const char *data, *out;

    const char *given[MOST_OPTIONS]; /* what was given as option number i, or NULL */
    const char *const *operands;
    int operand_count;
} Options;

enum { NARROWED = 2 };

typedef struct Command {
    const char *name;
    const char *options;  /* the names of its own, each followed by a space: "--weights --batch " */
    const char *required; /* those that must be given, likewise, or NULL */
    const char *operands; /* what its operands are called, or NULL: it takes none */
    const char *help;
    struct {
        const char *name, *choices;
    } narrowed[NARROWED]; /* options of which it takes these choices only: "--mode", "eval|train" */
} Command;

/* Reads the options behind the command. A wrong one ends the program with exit status 2. */
void options_parse(const Command *command, int argc, char **argv, Options *options);

/* As if --row had been given. */
void options_set_row(Options *options, int row);

/* Was this option given? name: with its dashes. */
bool option_given(const Options *options, const char *name);

/* The options that say which network it is, of those that were given, each with its value behind
 * it: "--preset", "small", "--batch-size", "3". Returns how many words that is. */
enum { NETWORK_WORDS = 2 * MOST_OPTIONS };
int options_of_network(const Options *options, const char *words[NETWORK_WORDS]);

/* Prints the usage of all commands. */
void options_usage(const char *program, const char *title, const Command *commands, int count);

#endif
