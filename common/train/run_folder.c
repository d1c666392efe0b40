#include "train/run_folder.h"

#include "base/memory.h"
#include "base/system.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = { "last.safetensors", "best.safetensors", "log.tsv",
                                     "result.tsv" };
enum { FILES = sizeof files / sizeof *files };

static const char log_header[] =
    "epoch\tlr\ttrain_loss\theld_out_loss\theld_out_top1\theld_out_top5\tseconds\n";

/* --- the folder ------------------------------------------------------------------------------ */

static bool make_folder(const char *path, Error *error)
{
    char *part = str_format("%s", path);
    bool good = true;
    for (char *at = part + 1; good; at++) {
        if (*at && *at != '/')
            continue;
        char was = *at;
        *at = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            good = error_set(error, part, "cannot make the folder: %s", strerror(errno));
        *at = was;
        if (!was)
            break;
    }
    free(part);
    /* Better to know now than after an epoch. */
    struct stat status;
    if (good && (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)))
        good = error_set(error, path, "is not a folder");
    if (good && access(path, W_OK | X_OK) != 0)
        good = error_set(error, path, "cannot write into it: %s", strerror(errno));
    return good;
}

bool run_folder_hold(RunFolder *folder, const char *path, Error *error)
{
    *folder = (RunFolder){ .path = path, .found = access(path, F_OK) == 0, .held = -1 };
    folder->log = str_format("%s", log_header);
    if (!make_folder(path, error))
        return false;
    /* A file system without locks does without. */
    folder->held = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->held >= 0 && !system_lock(folder->held))
        return error_set(error, path, "another run is working in it");
    for (int i = 0; i < FILES; i++) {
        char *file = run_folder_file(folder, files[i]);
        file_sweep(file);
        free(file);
    }
    return true;
}

void run_folder_free(RunFolder *folder)
{
    free(folder->log);
    if (folder->held >= 0)
        close(folder->held);
}

/* --- its files ------------------------------------------------------------------------------- */

char *run_folder_file(const RunFolder *folder, const char *name)
{
    return str_format("%s/%s", folder->path, name);
}

bool run_folder_has(const RunFolder *folder, const char *name)
{
    char *path = run_folder_file(folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

bool run_folder_needs(const RunFolder *folder, const char *name, Error *error)
{
    return run_folder_has(folder, name) ||
           error_set(error, folder->path,
                     "holds a run whose %s is gone, so that it cannot be continued; another --out "
                     "starts a new one",
                     name);
}

const char *run_folder_taken(const RunFolder *folder)
{
    for (int i = 0; i < FILES; i++)
        if (run_folder_has(folder, files[i]))
            return files[i];
    return NULL;
}

bool run_folder_write(const RunFolder *folder, const char *name, const char *text, Error *error)
{
    char *path = run_folder_file(folder, name);
    bool good = file_write(path, text, strlen(text), error);
    free(path);
    return good;
}

/* --- the log --------------------------------------------------------------------------------- */

void run_folder_resume_log(RunFolder *folder, int epochs)
{
    char *path = run_folder_file(folder, "log.tsv"), *text;
    size_t size;
    if (file_read(path, &text, &size, NULL)) {
        char *rest = NULL;
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            int epoch = atoi(line);
            if (epoch >= 1 && epoch <= epochs)
                str_append(&folder->log, "%s\n", line);
        }
        free(text);
    }
    free(path);
}

double run_folder_seconds(const RunFolder *folder)
{
    double sum = 0; /* the header's last field is no number, which atof takes for 0 */
    const char *last = "";
    for (const char *at = folder->log; *at; at++)
        if (*at == '\t')
            last = at + 1;
        else if (*at == '\n')
            sum += atof(last);
    return sum;
}
