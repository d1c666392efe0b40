#include "cli/step.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/path.h"
#include "base/system.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "base/nearest.h"
#include "cli/outputs.h"
#include "cli/siblings.h"
#include "io/file.h"
#include "io/json.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    Command command;
    int (*run)(const Run *run);
} CommandEntry;

/* The options of a network whose size is the batch's. */
#define OF_THE_BATCH                                                                               \
    { "--batch-size", .instead = "the batch's" },                                                  \
    {                                                                                              \
        "--input", .instead = "the batch's"                                                        \
    }
/* The options of a network with the data set's channels and classes, small by default. */
#define OF_THE_DATA                                                                                \
    { "--preset", .standard = "small" }, { "--classes", .instead = "the data set's" },             \
    {                                                                                              \
        "--input", .instead = "the preset's, with the data set's channels"                         \
    }

static const CommandEntry entries[] = {
    { { .name = "report",
        .options = "--part --format --plan ",
        .help = "the network, layer by layer (the default)",
        .example = "report --preset paper --format tsv" },
      cmd_report },
    { { .name = "keys",
        .options = "--part --scheme ",
        .help = "the state_dict: a key and its shape per line, separated by a tab",
        .example = "keys --preset small" },
      cmd_keys },
    { { .name = "init",
        .options = "--seed --std --scheme --output ",
        .required = "--output ",
        .help = "fresh weights",
        .example = "init --preset small --seed 1 --output w.safetensors" },
      cmd_init },
    { { .name = "forward",
        .options = "--weights --as-is --batch --output --mode --keep --engine ",
        .required = "--weights --batch --output ",
        .narrowed = { { "--mode", "eval|train", .standard = "eval" }, OF_THE_BATCH },
        .help = "the logits of a batch",
        .example = "forward --preset small --weights w.safetensors --batch b.safetensors "
                   "--output y.safetensors" },
      cmd_forward },
    { { .name = "gradient",
        .options = "--weights --as-is --batch --output --engine ",
        .required = "--weights --batch --output ",
        .narrowed = { OF_THE_BATCH },
        .help = "the loss of a batch and its gradient",
        .example = "gradient --preset small --weights w.safetensors --batch b.safetensors "
                   "--output g.safetensors" },
      cmd_gradient },
    { { .name = "fit",
        .options = "--weights --as-is --batch --output --steps --lr --weight-decay --engine ",
        .required = "--weights --batch --output --steps --lr --weight-decay ",
        .narrowed = { OF_THE_BATCH },
        .help = "AdamW steps on one batch",
        .example = "fit --preset small --weights w.safetensors --batch b.safetensors --steps 5 "
                   "--lr 1e-3 --weight-decay 0.05 --output f.safetensors" },
      cmd_fit },
    { { .name = "train",
        .options = "--data --skip-bad --weights --freeze --as-is --epochs --lr --min-lr --warmup "
                   "--weight-decay --smoothing --recipe --augment --randaugment --erasing --mixup "
                   "--cutmix --ema --seed --limit --out --resume --alter --engine ",
        .required = "--data ",
        .narrowed = { OF_THE_DATA,
                      { "--batch-size", .standard = "64" },
                      { "--weights", .instead = "fresh weights" } },
        .help = "train on a data set",
        .example = "train --data shapes --epochs 2 --out runs/shapes" },
      cmd_train },
    { { .name = "evaluate",
        .options = "--weights --as-is --data --skip-bad --limit --alter --format --engine ",
        .required = "--weights ",
        .narrowed = { OF_THE_DATA,
                      { "--batch-size", .standard = "64" },
                      { "--alter", "KIND:LEVEL|all", .instead = "no alteration" },
                      { "--format", "text|tsv|json", .standard = "text" },
                      { "--data", .instead = "the weights' own" } },
        .help = "accuracy on the test set",
        .example = "evaluate --weights runs/shapes/best.safetensors --format json" },
      cmd_evaluate },
    { { .name = "data",
        .options = "--input --skip-bad --recipe --randaugment --erasing --mixup --cutmix --alter "
                   "--seed --output ",
        .no_network = true,
        .operands = "NAME",
        .narrowed = { { "--input", .instead = "a folder's: 64x64, channels as its images have" } },
        .help = "the contents of the data set NAME; --output draws sixteen of its images as PNM",
        .example = "data shapes --alter noise:32 --output noise.pgm" },
      cmd_data },
    { { .name = "bench",
        .options = "--mode --runs --layers --format ",
        .narrowed = { { "--mode", "infer|train", .standard = "infer" },
                      { "--format", "text|tsv", .standard = "text" } },
        .help = "how fast the network runs",
        .example = "bench --preset small --layers" },
      cmd_bench },
    { { .name = "classify",
        .options = "--weights --as-is --data --skip-bad --labels --top --format --engine ",
        .required = "--weights ",
        .narrowed = { { "--format", "text|tsv", .standard = "text" },
                      { "--preset", .instead = "small for a data set, else article" },
                      { "--batch-size", .standard = "8" },
                      { "--data", .instead = "what the weights say, else ImageNet" } },
        .operands = "IMAGE.ppm…",
        .help = "classify images (PNM or PAM; - is standard input)",
        .example = "classify cat.ppm --weights runs/shapes/best.safetensors" },
      cmd_classify },
    { { .name = "compare",
        .options = "--part --to-row --format ",
        .operands = "[MM]",
        .help = "what changed since step MM (the one before), layer by layer",
        .example = "compare 00 --preset paper" },
      cmd_compare },
    { { .name = "export",
        .options = "--weights --as-is --onnx --pytorch --module --c --c-weights --output --scheme "
                   "--dtype ",
        .narrowed = { { "--weights", .instead = "only --pytorch, which does without" } },
        .help = "an ONNX model, PyTorch or C code, or weights under another library's names or at "
                "half the size",
        .example = "export --preset small --weights w.safetensors --onnx model.onnx" },
      cmd_export },
    { { .name = "field",
        .options = "--weights --as-is --data --skip-bad --output --stage --at --limit ",
        .required = "--weights --output ",
        .operands = "[IMAGE.pgm]",
        .narrowed = { OF_THE_DATA,
                      { "--data", .instead = "the weights' own" },
                      { "--batch-size", .standard = "16" },
                      { "--limit", .standard = "256" } },
        .help = "how strongly each pixel of an image, or of a data set's, influences a pixel of a "
                "stage, as TSV",
        .example = "field --weights runs/shapes/best.safetensors --output f.tsv" },
      cmd_field },
    { { .name = "show",
        .options = "--weights --as-is --batch --layer --output --format --engine ",
        .required = "--weights ",
        .narrowed = { { "--preset", .standard = "small" },
                      OF_THE_BATCH,
                      { "--format", "text|tsv", .standard = "text" },
                      { "--output", .instead = "no image is written" } },
        .operands = "[IMAGE.pgm]",
        .help = "a layer's weights, or its values for an image or a batch, as a PNM image and in "
                "numbers",
        .example = "show --weights runs/shapes/best.safetensors --output filters.pgm" },
      cmd_show },
    { { .name = "help",
        .options = "",
        .operands = "[COMMAND]",
        .help = "the commands, or one command's options with their defaults",
        .example = "help train" },
      NULL },
};
enum { ENTRIES = sizeof entries / sizeof *entries };

/* Returns the command of that name, NULL if there is none. */
static const CommandEntry *find_command(const char *name)
{
    for (int i = 0; i < ENTRIES; i++)
        if (strcmp(entries[i].command.name, name) == 0)
            return &entries[i];
    return NULL;
}

static const CommandEntry *require_command(const char *name)
{
    Nearest nearest = { 0 };
    const CommandEntry *entry = find_command(name);
    if (entry)
        return entry;
    for (int i = 0; i < ENTRIES; i++)
        nearest_try(&nearest, name, entries[i].command.name, strlen(entries[i].command.name));
    if (nearest.word)
        error_die(EXIT_USAGE, name, "no such command; did you mean %s?", nearest.word);
    error_die(EXIT_USAGE, name, "no such command; see 'help'");
}

/* Prints help. topic: a command, or NULL. */
static int print_help(const char *called, const Step *step, const char *topic)
{
    Command commands[ENTRIES];
    for (int i = 0; i < ENTRIES; i++)
        commands[i] = entries[i].command;
    if (topic)
        help_command(called, step, &require_command(topic)->command);
    else
        help_overview(called, step, commands, ENTRIES);
    return 0;
}

/* Returns the program's own file: as called, or as the system reports it if PATH was searched. */
static char *own_path(const char *called)
{
    char path[4096];
    bool searched = !strchr(called, '/') && system_own_path(path, sizeof path);
    return str_format("%s", searched ? path : called);
}

/* Opens the standard files that are closed. The next opened file would otherwise take their place
 * and receive what is printed. The replacement can neither be read nor written. */
static void open_standard_files(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 &&
            open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) != file)
            error_die(EXIT_FAILED, "/dev/null", "cannot open it: %s", strerror(errno));
}

/* Flushes standard output; fails if anything printed was not written. */
static int close_output(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        error_die(EXIT_FAILED, "standard output", "cannot write: %s", strerror(errno));
    return status;
}

/* Checks what every command relies on. A title stands in tables, JSON and other programs' code.
 * Steps of the first edition had their head in the library. */
static void check_step(const Step *step)
{
    if (!step->title)
        error_die(EXIT_USAGE, ".title", "missing in Step: what the step changes, in a few words");
    for (const char *c = step->title; *c; c++)
        if (iscntrl((unsigned char)*c))
            error_die(EXIT_USAGE, ".title", "'%s': no tab, line feed or other control character",
                      error_shown(step->title).text);
    if (!json_holds(step->title))
        error_die(EXIT_USAGE, ".title", "'%s': not UTF-8, which main.c has to be saved as",
                  error_shown(step->title).text);
    if (step->rows && !step->config)
        error_die(EXIT_USAGE, ".config", "missing in Step: the function that gives a row's sizes");
    if (!step->encoder)
        error_die(EXIT_USAGE, ".encoder",
                  "missing in Step: the function that makes features of images");
    if (!step->head)
        error_die(EXIT_USAGE, ".head",
                  "missing in Step: the function that makes logits of the encoder's features; copy "
                  "head from another step's main.c, and add .head = head");
}

int step_main(int argc, char **argv, Step step)
{
    const char *name = path_base(argv[0]);
    open_standard_files();
    file_clean_at_end();
    signal(SIGXFSZ, SIG_IGN); /* a full quota is then an error like a full disk, not the end */
    check_step(&step);
    Asked asked = options_asked(argc, argv);
    bool help_asked = asked.command && strcmp(asked.command, "help") == 0;
    if (help_asked && asked.surplus)
        error_die(EXIT_USAGE, asked.surplus, "help is about one command");
    if (asked.version)
        help_version(argv[0]);
    else if (asked.help || help_asked)
        print_help(argv[0], &step, help_asked ? asked.topic : asked.command);
    if (asked.version || asked.help || help_asked)
        return close_output(0);
    /* Options without a command apply to the default command. */
    if (asked.strange && asked.command && !find_command(asked.command))
        asked.command = NULL; /* the message is about the option before it */
    const CommandEntry *entry = require_command(asked.command ? asked.command : "report");
    char *path = own_path(argv[0]);
    Run run = { .step = &step, .name = name, .path = path };
    options_parse(&entry->command, asked.command != NULL, argc - 1, argv + 1, &run.options);
    outputs_check(&run.options);
    if (run.options.threads)
        thread_count_set(run.options.threads);
    int status = entry->run(&run);
    free(path);
    return close_output(status);
}
