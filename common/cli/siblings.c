#include "cli/siblings.h"

#include "base/memory.h"
#include "base/path.h"
#include "base/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tests for the form "05_name", without a dot. */
static bool is_step(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && name[1] >= '0' && name[1] <= '9' && name[2] == '_' &&
           !strchr(name, '.');
}

static int by_name_descending(const void *a, const void *b)
{
    return strcmp(*(char *const *)b, *(char *const *)a);
}

/* Returns the paths of the sibling programs for which fits(name, wanted) holds, in descending order
 * of name, NULL-terminated. */
static char **find_siblings(const char *path, bool (*fits)(const char *name, const char *wanted),
                            const char *wanted)
{
    char *folder = str_format("%.*s", (int)(path_base(path) - path), path);
    char **found = mem_alloc(1, sizeof *found);
    size_t count = 0;
    DIR *dir = opendir(*folder ? folder : ".");
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char *candidate = str_format("%s%s", *folder ? folder : "./", e->d_name);
        if (!is_step(e->d_name) || !fits(e->d_name, wanted) || access(candidate, X_OK) != 0) {
            free(candidate);
            continue;
        }
        found = mem_grow(found, count + 2, sizeof *found);
        found[count++] = candidate;
        found[count] = NULL;
    }
    if (dir)
        closedir(dir);
    free(folder);
    qsort(found, count, sizeof *found, by_name_descending);
    return found;
}

static bool is_lower(const char *name, const char *than)
{
    return strncmp(name, than, 2) < 0;
}

/* Tests for a step's name or number: "04", "4". */
static bool has_name_or_number(const char *name, const char *wanted)
{
    size_t length = wanted ? strlen(wanted) : 0;
    return !wanted || strcmp(name, wanted) == 0 || (length == 2 && strncmp(name, wanted, 2) == 0) ||
           (length == 1 && name[0] == '0' && name[1] == *wanted);
}

char **sibling_paths_before(const char *path)
{
    return find_siblings(path, is_lower, path_base(path));
}

char **sibling_paths_named(const char *path, const char *name)
{
    char **found = find_siblings(path, has_name_or_number, name);
    int kept = 0;
    for (int i = 0; found[i]; i++)
        if (strcmp(path_base(found[i]), path_base(path)) == 0)
            free(found[i]);
        else
            found[kept++] = found[i];
    found[kept] = NULL;
    return found;
}

char *sibling_named(const char *path, const char *name, bool *several)
{
    char **found = find_siblings(path, has_name_or_number, name), *last = found[0];
    if (several)
        *several = last && found[1];
    for (int i = 1; last && found[i]; i++)
        free(found[i]);
    free(found);
    return last;
}

char *sibling_prints(const char *path, const char *command, const char *const *options, int count,
                     Error *error)
{
    const char **argv = mem_alloc((size_t)count + 3, sizeof *argv);
    int used = 0;
    argv[used++] = path;
    argv[used++] = command;
    for (int i = 0; i < count; i++)
        argv[used++] = options[i];
    char *text = NULL;
    size_t length = 0;
    bool good = process_read((char *const *)argv, true, &text, &length, error);
    free(argv);
    return good ? text : NULL;
}
