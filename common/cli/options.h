/* The command line: a command, its operands, its options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { MOST_OPTIONS = 64 };

/* Every option's value; what was not given is what the command takes in its place, or 0, NULL or
 * false, and says so by `given`. */
typedef struct {
    /* network */
    const char *preset, *variant;
    int row, to_row, stem, widths[4], depths[4], classes;
    int input[3]; /* channels, height, width */
    int batch_size;
    double drop_path, layer_scale;
    int threads;
    /* report, bench */
    const char *part, *format, *mode, *engine;
    int runs;
    bool layers, plan;
    /* files */
    const char *weights, *batch, *output, *scheme, *dtype, *onnx, *keep, *layer;
    bool as_is;
    int stage; /* field */
    /* classify */
    const char *labels;
    int top;
    /* fit, train */
    int steps, epochs, limit;
    double lr, min_lr, warmup, weight_decay, smoothing, ema;
    const char *recipe;
    int randaugment[2]; /* operations, magnitude */
    double erasing;
    bool mixup, cutmix, resume;
    uint64_t seed;
    const char *data, *alter, *out;

    const char *given[MOST_OPTIONS]; /* what was given as option number i, or NULL */
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

/* What the words say before one knows the command: the first and the second of those that are
 * neither options nor their values (NULL: there is none), and whether help or the version is asked
 * for. Behind an option that no command has, the first of them may be its value. */
typedef struct {
    const char *command, *topic;
    bool help, version, strange;
} Asked;
Asked options_asked(int argc, char **argv);

/* Reads all words behind the program's name. named: the first operand is the command. A wrong
 * option ends the program with exit status 2. */
void options_parse(const Command *command, bool named, int argc, char **argv, Options *options);

/* What the command takes where no option is given. */
void options_standard(const Command *command, Options *options);

/* As if --row had been given, and nothing that only some rows have. */
void options_set_row(Options *options, int row);

/* Was this option given? name: with its dashes. */
bool option_given(const Options *options, const char *name);

/* The options that a network's layers depend on, of those that were given, each with its value
 * behind it: "--preset", "small", "--batch-size", "3". Returns how many words that is. */
enum { NETWORK_WORDS = 2 * MOST_OPTIONS };
int options_of_network(const Options *options, const char *words[NETWORK_WORDS]);

/* One of a command's options. */
typedef struct {
    const char *name, *value;    /* value: "" where it takes none */
    const char *help, *standard; /* standard: NULL where there is nothing to say */
    bool required, common;       /* common: every command takes it */
} OptionAbout;

/* Number i of the command's options, from 0; false: there are not so many. */
bool option_about(const Command *command, int i, OptionAbout *about);

#endif
