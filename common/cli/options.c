#include "cli/options.h"

#include "base/error.h"
#include "base/nearest.h"
#include "cli/option_value.h"
#include "data/randaugment.h"
#include "engine/engine.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(Options, field)
/* The options that a network's layers and their shapes depend on. */
#define SHAPES "--preset --stem --widths --depths --classes --input --batch-size --variant --row "
/* The options that every command takes. */
#define COMMON SHAPES "--drop-path --layer-scale --threads "

/* Bounds of sizes: their small multiples fit an int; products are checked where they are made. */
enum { LARGEST = 1 << 20, MANY = 1 << 30 };

static const OptionSpec specs[] = {
    { "--preset", CHOICE, AT(preset), 0, 0, "article|paper|small",
      .help = "sizes: the article's, the paper's, or small ones for a laptop",
      .standard = "article" },
    { "--variant", NAMED, AT(variant), 0, 0, "tiny|small|base|large|xlarge",
      .help = "the published sizes, instead of presets article and paper" },
    { "--row", NUMBER, AT(row), 0, 1000, "N", .help = "a row of the paper's table" },
    { "--stem", NUMBER, AT(stem), 1, LARGEST, "N", .help = "channels of the stem" },
    { "--widths", FOUR, AT(widths), 1, LARGEST, "A,B,C,D", .help = "channels of the four stages" },
    { "--depths", FOUR, AT(depths), 0, 1000, "A,B,C,D", .help = "blocks of the four stages" },
    { "--classes", NUMBER, AT(classes), 1, LARGEST, "N", .help = "classes of the head" },
    { "--input", SHAPE, AT(input), 1, LARGEST, "CxHxW",
      .help = "channels, height and width of an image" },
    { "--batch-size", NUMBER, AT(batch_size), 1, LARGEST, "N", .help = "images at a time",
      .standard = "1" },
    { "--drop-path", REAL, AT(drop_path), 0, 1, "P",
      .help = "largest probability of dropping a block" },
    { "--layer-scale", REAL, AT(layer_scale), -1e6, 1e6, "V",
      .help = "initial value of layer scale" },
    { "--threads", NUMBER, AT(threads), 1, 1024, "N", .help = "threads to use",
      .instead = "OMP_NUM_THREADS, else all" },
    { "--part", CHOICE, AT(part), 0, 0, "classifier|encoder", .help = "with the head or without",
      .standard = "classifier" },
    { "--format", CHOICE, AT(format), 0, 0, "text|tsv|json|svg", .help = "the output's format",
      .standard = "text" },
    { "--mode", CHOICE, AT(mode), 0, 0, "eval|train|infer", .help = "how to run the network" },
    { "--keep", TEXT, AT(keep), 0, 0, "LAYER,…|all",
      .help = "also write the outputs of these layers, under their names" },
    { "--layer", TEXT, AT(layer), 0, 0, "LAYER", .help = "the layer to show",
      .instead = "the first convolution" },
    { "--engine", NAMED, AT(engine), 0, 0, "fast|plain",
      .help = "the fast engine, or the one that runs each layer as it is defined",
      .standard = ENGINE_STANDARD },
    { "--runs", NUMBER, AT(runs), 1, 100000, "R", .help = "how many runs to time",
      .standard = "7" },
    { "--layers", FLAG, AT(layers), 0, 0, NULL, .help = "a line per layer" },
    { "--to-row", NUMBER, AT(to_row), 0, 1000, "N",
      .help = "the other network's row of the paper's table" },
    { "--plan", FLAG, AT(plan), 0, 0, NULL,
      .help = "the memory plan of a training step: storage and lifetime of each tensor, "
              "recomputation" },
    { "--weights", TEXT, AT(weights), 0, 0, "FILE", .help = "file of weights, safetensors" },
    { "--batch", TEXT, AT(batch), 0, 0, "FILE",
      .help = "file with x and, where needed, labels, safetensors" },
    { "--output", WRITTEN, AT(output), 0, 0, "FILE", .help = "the file to write" },
    { "--as-is", FLAG, AT(as_is), 0, 0, NULL,
      .help = "accept weights of another network or data set" },
    { "--scheme", CHOICE, AT(scheme), 0, 0, "official|timm|torchvision|transformers",
      .help = "naming scheme of the published network's weights", .instead = "official" },
    { "--dtype", CHOICE, AT(dtype), 0, 0, "F32|F16", .help = "32-bit or 16-bit numbers",
      .instead = "F32" },
    { "--onnx", WRITTEN, AT(onnx), 0, 0, "FILE", .help = "ONNX model to write" },
    { "--pytorch", WRITTEN, AT(pytorch), 0, 0, "FILE",
      .help = "Python file to write: the network as PyTorch code" },
    { "--module", FLAG, AT(module), 0, 0, NULL,
      .help = "with --pytorch: nested modules instead of a function" },
    { "--c", WRITTEN, AT(c_code), 0, 0, "FILE", .help = "the network as C, to write" },
    { "--c-weights", WRITTEN, AT(c_weights), 0, 0, "FILE",
      .help = "with --c: the weights' numbers, to write beside it", .instead = "in the file of C" },
    { "--steps", NUMBER, AT(steps), 1, MANY, "N", .help = "optimiser steps" },
    { "--lr", REAL, AT(lr), 0, 1e6, "V", .help = "learning rate", .standard = "4e-3" },
    { "--weight-decay", REAL, AT(weight_decay), 0, 1e6, "V", .help = "decoupled weight decay",
      .standard = "0.05" },
    { "--data", NAMED, AT(data), 0, 0, "fashion-mnist|cifar10|cifar100|shapes|folder:PATH",
      .help = "the data set" },
    { "--skip-bad", FLAG, AT(skip_bad), 0, 0, NULL,
      .help = "skip files of the folder that cannot be read" },
    { "--alter", TEXT, AT(alter), 0, 0, "KIND:LEVEL",
      .help = "alter images: dark, grey, bright, gamma, invert, noise, shift, box, blur",
      .instead = "no alteration" },
    { "--epochs", NUMBER, AT(epochs), 1, 100000, "N", .help = "passes over the training images",
      .standard = "10" },
    { "--min-lr", REAL, AT(min_lr), 0, 1e6, "V", .help = "learning rate at the end",
      .standard = "1e-6" },
    { "--warmup", REAL, AT(warmup), 0, 1e5, "E", .help = "epochs of linear warm-up",
      .instead = "a tenth of the epochs" },
    { "--smoothing", REAL, AT(smoothing), 0, 1, "V", .help = "label smoothing", .standard = "0.1" },
    { "--recipe", CHOICE, AT(recipe), 0, 0, "classic|paper",
      .help = "another recipe. classic, as in 2015: SGD with momentum 0.9, lr 0.1 per 256 images, "
              "divided by ten after each third, decay 1e-4 on all weights. paper, as in its Table "
              "5: --randaugment 2,9 --erasing 0.25 --mixup --cutmix --drop-path 0.1. Options "
              "that are given override it",
      .instead = "AdamW, crop and flip" },
    { "--randaugment", PAIR, AT(randaugment), 0, RANDAUGMENT_MOST, "N,M",
      .help = "N random operations on each image, of magnitude M", .instead = "none" },
    { "--erasing", REAL, AT(erasing), 0, 1, "P",
      .help = "probability of filling a box of an image with noise", .instead = "0" },
    { "--mixup", FLAG, AT(mixup), 0, 0, NULL, .help = "mix pairs of images" },
    { "--cutmix", FLAG, AT(cutmix), 0, 0, NULL, .help = "paste a piece of one image into another" },
    { "--augment", CHOICE, AT(augment), 0, 0, "crop-flip|none",
      .help = "how training images are changed at random",
      .instead = "crop-flip; none with --freeze" },
    { "--freeze", FLAG, AT(freeze), 0, 0, NULL, .help = "train only the last layer with weights" },
    { "--ema", REAL, AT(ema), 0, 0.999999, "V",
      .help = "evaluate a moving average of the weights, with this decay", .instead = "off" },
    { "--limit", NUMBER, AT(limit), 1, MANY, "N", .help = "only the first N images",
      .instead = "all" },
    { "--out", WRITTEN, AT(out), 0, 0, "DIR", .help = "folder of the run",
      .instead = "runs/DATA/STEP-SEED" },
    { "--resume", FLAG, AT(resume), 0, 0, NULL,
      .help = "continue the run in the folder; more --epochs make it longer" },
    { "--at", PAIR, AT(at), 0, LARGEST, "Y,X", .help = "the pixel of the stage's output",
      .instead = "its middle" },
    { "--stage", NUMBER, AT(stage), 1, 4, "N", .help = "the stage whose output is examined",
      .standard = "4" },
    { "--labels", TEXT, AT(labels), 0, 0, "FILE", .help = "the classes' names, one per line",
      .instead = "the data set's, or ImageNet's" },
    { "--top", NUMBER, AT(top), 1, LARGEST, "N", .help = "how many classes to print",
      .standard = "5" },
    { "--std", REAL, AT(std), 0, 1e6, "V",
      .help = "standard deviation of the published steps' first weights", .instead = "0.02" },
    { "--seed", SEED, AT(seed), 0, 0, "N", .help = "seed of the random numbers", .standard = "0" },
};
enum { SPECS = sizeof specs / sizeof *specs };
_Static_assert((int)SPECS <= (int)MOST_OPTIONS, "one place in Options.given each");

/* --- finding --------------------------------------------------------------------------------- */

/* Checks whether `name` is in a list in which a space follows every name. */
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

/* Returns option number i as a command takes it; command NULL: as most do. */
static OptionSpec spec_for(const Command *command, int i)
{
    OptionSpec spec = specs[i];
    spec.all = spec.choices;
    for (int k = 0; command && k < NARROWED && command->narrowed[k].name; k++) {
        if (strcmp(command->narrowed[k].name, spec.name) != 0)
            continue;
        if (command->narrowed[k].choices)
            spec.choices = command->narrowed[k].choices;
        spec.standard = command->narrowed[k].standard;
        spec.instead = command->narrowed[k].instead;
    }
    return spec;
}

/* Does the command take it because all that are about a network do? */
static bool takes_as_all(const Command *command, const char *name)
{
    return listed(command->no_network ? "--threads " : COMMON, name);
}

static bool takes(const Command *command, const char *name)
{
    return takes_as_all(command, name) || listed(command->options, name);
}

bool option_given(const Options *options, const char *name)
{
    int i = find(name);
    return i >= 0 && options->given[i];
}

const char *option_text(const Options *options, const char *name)
{
    return options->given[find(name)];
}

void options_set_row(Options *options, int row)
{
    options->row = row;
    options->given[find("--row")] = "";
    options->given[find("--drop-path")] = options->given[find("--layer-scale")] = NULL;
}

int options_of_network(const Options *options, const char *words[NETWORK_WORDS])
{
    int count = 0;
    for (int i = 0; i < SPECS; i++) {
        if (!options->given[i] || !listed(SHAPES "--part ", specs[i].name))
            continue;
        words[count++] = specs[i].name;
        words[count++] = options->given[i];
    }
    return count;
}

/* --- the line -------------------------------------------------------------------------------- */

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

/* An option as it was written: "--name" or "--name=value". */
typedef struct {
    char name[WORD_MOST + 1]; /* cut where it is longer than any option */
    int spec;                 /* its number; -1: there is none */
    const char *value;        /* behind the =, or NULL */
} Written;

static Written written_as(const char *word)
{
    Written w = { .spec = -1 };
    size_t length = strcspn(word, "=");
    snprintf(w.name, sizeof w.name, "%.*s", (int)length, word);
    if (length < sizeof w.name)
        w.spec = find(w.name);
    w.value = word[length] ? word + length + 1 : NULL;
    return w;
}

Asked options_asked(int argc, char **argv)
{
    Asked asked = { 0 };
    bool options = true;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!options || !is_option(word)) {
            const char **to = !asked.command ? &asked.command
                              : !asked.topic ? &asked.topic
                                             : &asked.surplus;
            *to = *to ? *to : word;
            continue;
        }
        Written w = written_as(word);
        bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
        bool version = strcmp(word, "--version") == 0;
        options = strcmp(word, "--") != 0;
        asked.help |= help;
        asked.version |= version;
        asked.strange |= w.spec < 0 && !help && !version && options && !asked.command;
        if (w.spec >= 0 && specs[w.spec].kind != FLAG && !w.value)
            i++;
    }
    return asked;
}

static _Noreturn void bad_option(const Command *command, const char *word)
{
    Written w = written_as(word);
    if (strcmp(w.name, "--engine") == 0)
        error_die(EXIT_USAGE, word, "%s has one engine", command->name);
    Nearest nearest = { 0 };
    for (int i = 0; i < SPECS; i++)
        if (takes(command, specs[i].name))
            nearest_try(&nearest, w.name, specs[i].name, strlen(specs[i].name));
    nearest_try(&nearest, w.name, "--help", strlen("--help"));
    nearest_try(&nearest, w.name, "--version", strlen("--version"));
    if (nearest.word)
        error_die(EXIT_USAGE, word, "%s has no such option; did you mean %s?", command->name,
                  nearest.word);
    error_die(EXIT_USAGE, word, "%s has no such option; see '%s --help'", command->name,
              command->name);
}

/* Sets the option that word i is; returns how many words it took. */
static int take_option(const Command *command, int argc, char **argv, int i, Options *options)
{
    Written w = written_as(argv[i]);
    if (w.spec < 0 || !takes(command, w.name))
        bad_option(command, argv[i]);
    OptionSpec s = spec_for(command, w.spec);
    if (s.kind == FLAG && w.value)
        error_die(EXIT_USAGE, argv[i], "%s takes no value", s.name);
    bool next = s.kind != FLAG && !w.value;
    if (next && (i + 1 == argc || written_as(argv[i + 1]).spec >= 0))
        error_die(EXIT_USAGE, s.name, "its value is missing: %s, %s", s.choices, s.help);
    options->given[w.spec] = s.kind == FLAG ? "" : next ? argv[i + 1] : w.value;
    if ((s.kind == TEXT || s.kind == WRITTEN) && !*options->given[w.spec])
        error_die(EXIT_USAGE, s.name, "its value is empty: %s, %s", s.choices, s.help);
    option_set(&s, options->given[w.spec], options);
    return next ? 2 : 1;
}

void options_standard(const Command *command, Options *options)
{
    *options = (Options){ 0 };
    for (int i = 0; i < SPECS; i++) {
        OptionSpec s = spec_for(command, i);
        if (s.standard && takes(command, s.name) && !listed(command->required, s.name))
            option_set(&s, s.standard, options);
    }
}

static void check_required(const Command *command, const Options *options)
{
    for (int i = 0; i < SPECS; i++) {
        OptionSpec s = spec_for(command, i);
        if (listed(command->required, s.name) && !options->given[i])
            error_die(EXIT_USAGE, command->name, "needs %s %s, %s", s.name, s.choices, s.help);
    }
}

/* Ends the program for a word that is no option in a command without operands. before: the word in
 * front of it, or NULL. */
static _Noreturn void bad_operand(const Command *command, const char *word, const char *before,
                                  const Options *options)
{
    int flag = before ? written_as(before).spec : -1;
    if (flag >= 0 && specs[flag].kind == FLAG)
        error_die(EXIT_USAGE, word, "%s takes no value", before);
    for (int i = 0; i < SPECS; i++)
        if (listed(command->required, specs[i].name) && !options->given[i])
            error_die(EXIT_USAGE, word, "%s takes no operand; did you mean %s %s?", command->name,
                      specs[i].name, word);
    error_die(EXIT_USAGE, word, "%s takes no operand", command->name);
}

void options_parse(const Command *command, bool named, int argc, char **argv, Options *options)
{
    const char **operands = (const char **)argv; /* collected in place, in front of what is read */
    const char *before = NULL; /* the word before the first that is not the command's name */
    int count = 0;
    bool ended = false;
    options_standard(command, options);
    for (int i = 0; i < argc;) {
        bool option = !ended && is_option(argv[i]);
        if (option && strcmp(argv[i], "--") == 0) {
            ended = true;
            i++;
        } else if (option)
            i += take_option(command, argc, argv, i, options);
        else {
            if (count == named && i > 0 && !ended)
                before = argv[i - 1];
            operands[count++] = argv[i++];
        }
    }
    options->operands = operands + named;
    options->operand_count = count - named;
    if (options->operand_count && !command->operands)
        bad_operand(command, options->operands[0], before, options);
    check_required(command, options);
}

/* --- for help -------------------------------------------------------------------------------- */

bool option_about(const Command *command, int i, OptionAbout *about)
{
    for (int k = 0, seen = 0; k < SPECS; k++) {
        OptionSpec s = spec_for(command, k);
        if (!takes(command, s.name) || seen++ < i)
            continue;
        *about = (OptionAbout){ .name = s.name,
                                .value = s.choices ? s.choices : "",
                                .help = s.help,
                                .standard = s.standard ? s.standard : s.instead,
                                .required = listed(command->required, s.name),
                                .common = takes_as_all(command, s.name) };
        return true;
    }
    return false;
}
