#include "cli/siblings.h"

#include "base/memory.h"
#include "base/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *sibling_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "05_name", nothing else behind a dot. */
static bool is_step(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && name[1] >= '0' && name[1] <= '9' && name[2] == '_' &&
           !strchr(name, '.');
}

/* Of the steps' programs beside this one, the last by name for which fits(name, wanted) holds. */
static char *last_that(const char *path, bool (*fits)(const char *name, const char *wanted),
                       const char *wanted)
{
    char *folder = str_format("%.*s", (int)(sibling_base_name(path) - path), path), *best = NULL;
    DIR *dir = opendir(*folder ? folder : ".");
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (!is_step(e->d_name) || !fits(e->d_name, wanted))
            continue;
        char *found = str_format("%s%s", *folder ? folder : "./", e->d_name);
        if (access(found, X_OK) != 0 || (best && strcmp(best, found) >= 0)) {
            free(found);
            continue;
        }
        free(best);
        best = found;
    }
    if (dir)
        closedir(dir);
    free(folder);
    return best;
}

static bool is_lower(const char *name, const char *than)
{
    return strncmp(name, than, 2) < 0;
}

static bool is_called(const char *name, const char *wanted)
{
    return strcmp(name, wanted) == 0 || (strlen(wanted) == 2 && strncmp(name, wanted, 2) == 0);
}

char *sibling_before(const char *path)
{
    return last_that(path, is_lower, sibling_base_name(path));
}

char *sibling_named(const char *path, const char *name)
{
    return last_that(path, is_called, name);
}

char *sibling_report(const char *path, const char *format, const char *const *options, int count)
{
    const char **argv = mem_alloc((size_t)count + 5, sizeof *argv);
    int used = 0;
    argv[used++] = path;
    argv[used++] = "report";
    argv[used++] = "--format";
    argv[used++] = format;
    for (int i = 0; i < count; i++)
        argv[used++] = options[i];
    char *text = NULL;
    size_t length = 0;
    bool good = process_read((char *const *)argv, true, &text, &length, NULL);
    free(argv);
    return good ? text : NULL;
}
