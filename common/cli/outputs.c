#define _XOPEN_SOURCE 700 /* S_ISREG */
#include "cli/outputs.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/path.h"
#include "data/dataset.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const char *option, *lost; /* lost: what replacing an input would destroy */
    size_t path;               /* offset of the path in the options */
} Named;

static const Named inputs[] = {
    { "--weights", "the weights", offsetof(Options, weights) },
    { "--batch", "the batch", offsetof(Options, batch) },
    { "--labels", "the labels", offsetof(Options, labels) },
};
static const Named outputs[] = {
    { "--output", NULL, offsetof(Options, output) },
    { "--onnx", NULL, offsetof(Options, onnx) },
    { "--pytorch", NULL, offsetof(Options, pytorch) },
    { "--c", NULL, offsetof(Options, c_code) },
    { "--c-weights", NULL, offsetof(Options, c_weights) },
};
enum { INPUTS = sizeof inputs / sizeof *inputs, OUTPUTS = sizeof outputs / sizeof *outputs };

/* The identity of a file: its device and number, or those of its folder and the file's name if it
 * does not exist yet. */
typedef struct {
    bool is_known, exists;
    dev_t device;
    ino_t number;
    mode_t mode;
    const char *name; /* NULL if the file exists */
} FileIdentity;

/* Identifies a path; "-" is standard input and no output. */
static FileIdentity identify_file(const char *path)
{
    struct stat status;
    if ((strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(path, &status)) == 0)
        return (FileIdentity){ true, true, status.st_dev, status.st_ino, status.st_mode, NULL };
    const char *base = path_base(path);
    char *folder = str_format("%.*s.", (int)(base - path), path);
    bool is_known = stat(folder, &status) == 0;
    free(folder);
    return (FileIdentity){ is_known, false, status.st_dev, status.st_ino, 0, base };
}

/* Tests for the same file. Devices and pipes never are: they hold nothing that could be
 * replaced. */
static bool same_file(const FileIdentity *a, const FileIdentity *b)
{
    if (!a->is_known || !b->is_known || a->exists != b->exists || a->device != b->device ||
        a->number != b->number)
        return false;
    return a->exists ? S_ISREG(a->mode) : strcmp(a->name, b->name) == 0;
}

static const char *path_of(const Named *named, const Options *options)
{
    return *(const char *const *)((const char *)options + named->path);
}

static void check(const Options *options, const Named *output, const Named *other)
{
    const char *to = path_of(output, options), *path = path_of(other, options);
    if (!to || !path || output == other)
        return;
    FileIdentity a = identify_file(to), b = identify_file(path);
    if (!same_file(&a, &b))
        return;
    if (other->lost)
        error_die(EXIT_USAGE, output->option, "'%s' would replace %s, %s '%s'", to, other->lost,
                  other->option, path);
    error_die(EXIT_USAGE, output->option, "'%s' would replace what %s '%s' writes", to,
              other->option, path);
}

void outputs_check(const Options *options)
{
    for (int i = 0; i < OUTPUTS; i++) {
        for (int k = 0; k < INPUTS; k++)
            check(options, &outputs[i], &inputs[k]);
        for (int k = 0; k < i; k++)
            check(options, &outputs[i], &outputs[k]);
    }
}

/* Ends the program if the output is one of the set's files. */
static void check_set(const char *option, const char *to, const char *set)
{
    FileIdentity place = identify_file(to);
    int count;
    char **paths = dataset_files(set, &count);
    for (int i = 0; i < count; i++) {
        FileIdentity file = identify_file(paths[i]);
        if (same_file(&place, &file))
            error_die(EXIT_USAGE, option, "'%s' would replace a file of %s, '%s'", to, set,
                      paths[i]);
        free(paths[i]);
    }
    free(paths);
}

void outputs_check_data(const Options *options, const char *name)
{
    for (int i = 0; i < OUTPUTS; i++) {
        const char *to = path_of(&outputs[i], options);
        if (to)
            check_set(outputs[i].option, to, name);
    }
}

void outputs_check_run(const Options *options, const char *out)
{
    static const char *const files[] = { "best.safetensors", "last.safetensors" };
    FileIdentity weights = options->weights ? identify_file(options->weights) : (FileIdentity){ 0 };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = str_format("%s/%s", out, files[i]);
        FileIdentity file = identify_file(path);
        if (same_file(&file, &weights))
            error_die(EXIT_USAGE, "--out", "'%s' would replace the weights, --weights '%s'", path,
                      options->weights);
        free(path);
    }
}
