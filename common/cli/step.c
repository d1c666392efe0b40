#define _POSIX_C_SOURCE 200809L
#include "cli/step.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cli/commands.h"
#include "cli/siblings.h"
#include "io/file.h"

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
} Entry;

static const Entry entries[] = {
    { { .name = "report",
        .options = "--part --format ",
        .help = "the network, layer by layer (the default)" },
      cmd_report },
    { { .name = "keys",
        .options = "--part --scheme ",
        .help = "the state_dict: a key and its shape a line" },
      cmd_keys },
    { { .name = "init",
        .options = "--seed --scheme --output ",
        .required = "--output ",
        .help = "fresh weights" },
      cmd_init },
    { { .name = "forward",
        .options = "--weights --batch --output --mode ",
        .required = "--weights --batch --output ",
        .narrowed = { { "--mode", "eval|train" } },
        .help = "the logits of a batch" },
      cmd_forward },
    { { .name = "gradient",
        .options = "--weights --batch --output ",
        .required = "--weights --batch --output ",
        .help = "the loss of a batch and its gradient" },
      cmd_gradient },
    { { .name = "fit",
        .options = "--weights --batch --output --steps --lr --weight-decay ",
        .required = "--weights --batch --output --steps --lr --weight-decay ",
        .help = "AdamW on one batch" },
      cmd_fit },
    { { .name = "train",
        .options = "--data --epochs --lr --min-lr --warmup --weight-decay --smoothing --mixup "
                   "--cutmix --ema --seed --limit --out --resume ",
        .required = "--data ",
        .help = "training on a data set" },
      cmd_train },
    { { .name = "evaluate",
        .options = "--weights --data --limit ",
        .required = "--weights --data ",
        .help = "accuracy on the test set" },
      cmd_evaluate },
    { { .name = "bench",
        .options = "--mode --runs --layers --format ",
        .narrowed = { { "--mode", "infer|train" }, { "--format", "text|tsv" } },
        .help = "how fast the network runs" },
      cmd_bench },
    { { .name = "classify",
        .options = "--weights --data --labels --top --format ",
        .required = "--weights ",
        .narrowed = { { "--format", "text|tsv" } },
        .operands = "IMAGE.ppm…",
        .help = "what the pictures IMAGE.ppm… show (PNM; - is standard input)" },
      cmd_classify },
    { { .name = "compare",
        .options = "--part --format ",
        .operands = "MM",
        .help = "what changed since step MM (the one before), layer by layer" },
      cmd_compare },
    { { .name = "export",
        .options = "--weights --onnx --output --scheme --dtype ",
        .required = "--weights ",
        .help = "an ONNX model, or weights under another library's names or at half the size" },
      cmd_export },
    { { .name = "field",
        .options = "--weights --data --output --stage --limit ",
        .required = "--weights --data --output ",
        .help = "how much every pixel of a picture moves the middle of a stage" },
      cmd_field },
    { { .name = "filters",
        .options = "--weights --output ",
        .required = "--weights --output ",
        .help = "the weights of the first convolution, as a table" },
      cmd_filters },
};
enum { ENTRIES = sizeof entries / sizeof *entries };

static const Entry *find(const char *name)
{
    for (int i = 0; i < ENTRIES; i++)
        if (strcmp(entries[i].command.name, name) == 0)
            return &entries[i];
    error_die(EXIT_USAGE, name, "no such command; see 'help'");
}

static int usage(const char *program, const Step *step)
{
    Command commands[ENTRIES];
    for (int i = 0; i < ENTRIES; i++)
        commands[i] = entries[i].command;
    options_usage(program, step->title, commands, ENTRIES);
    return 0;
}

/* The program's own file: as it was called, or as the system tells where PATH found it. */
static char *own_path(const char *called)
{
    char path[4096];
    ssize_t length = strchr(called, '/') ? -1 : readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0)
        path[length] = 0;
    return str_format("%s", length > 0 ? path : called);
}

/* Where one of the first three files is closed, the next file to be opened would take its place,
 * and what is printed would land in it. What is put there refuses to be read or written as well. */
static void keep_standard_files(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 &&
            open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) != file)
            error_die(EXIT_FAILED, "/dev/null", "cannot open it: %s", strerror(errno));
}

/* Everything printed must have arrived. */
static int close_output(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        error_die(EXIT_FAILED, "standard output", "cannot write: %s", strerror(errno));
    return status;
}

int step_main(int argc, char **argv, Step step)
{
    const char *name = sibling_base_name(argv[0]);
    keep_standard_files();
    file_clean_at_end();
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error, as a full disk is, not the end */
    if (!step.encoder)
        error_die(EXIT_USAGE, ".encoder",
                  "step_main is not told which function builds the network");
    /* Options alone mean the default command. */
    bool named = argc > 1 && argv[1][0] != '-';
    if (argc > 1 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0))
        return close_output(usage(name, &step));
    const Entry *entry = find(named ? argv[1] : "report");
    int skip = named ? 2 : 1;
    skip = skip < argc ? skip : argc;
    char *path = own_path(argv[0]);
    Run run = { .step = &step, .name = name, .path = path };
    options_parse(&entry->command, argc - skip, argv + skip, &run.options);
    if (run.options.threads)
        thread_count_set(run.options.threads);
    int status = entry->run(&run);
    free(path);
    return close_output(status);
}
