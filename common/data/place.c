#define _GNU_SOURCE /* access, opendir */
#include "data/place.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool place_has(const char *folder, const char *file)
{
    char *path = str_format("%s/%s", folder, file);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* The folder itself, or one below it. */
static char *find_in(const Place *place, const char *folder)
{
    if (place->holds(folder))
        return str_format("%s", folder);
    for (const char *const *below = place->below; *below; below++) {
        char *path = str_format("%s/%s", folder, *below);
        if (place->holds(path))
            return path;
        free(path);
    }
    return NULL;
}

/* --- what to say ----------------------------------------------------------------------------- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

char **place_list(const char *folder, int *count)
{
    struct dirent **entries;
    *count = scandir(folder, &entries, not_hidden, by_name);
    if (*count < 0)
        return NULL;
    char **names = mem_alloc((size_t)*count, sizeof *names);
    for (int i = 0; i < *count; i++) {
        names[i] = str_format("%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return names;
}

/* "it holds a, b and 3 more"; malloc'd. NULL, and errno, where it cannot be read. */
static char *contents_of(const char *folder)
{
    enum { SHOWN = 4 };
    int count;
    char **names = place_list(folder, &count);
    if (!names)
        return NULL;
    char *text = str_format("%s", "");
    for (int i = 0; i < count; i++) {
        if (i < SHOWN)
            str_append(&text, "%s%s", i ? ", " : "", error_shown(names[i]).text);
        free(names[i]);
    }
    free(names);
    char *all = count > SHOWN ? str_format("it holds %s and %d more", text, count - SHOWN)
                              : str_format("it %s%s", count ? "holds " : "is empty", text);
    free(text);
    return all;
}

/* "data/data_batch_1 is there: that is …", or NULL. */
static char *clue_in(const Place *place, const char *folder)
{
    for (const Clue *clue = place->clues; clue->name; clue++)
        if (place_has(folder, clue->name))
            return str_format("%s/%s is there: %s", folder, clue->name, clue->what);
    return NULL;
}

static char *listed(const char *const *names, const char *between)
{
    char *text = str_format("%s", "");
    for (; *names; names++)
        str_append(&text, "%s%s", *text ? between : "", *names);
    return text;
}

static void tell_named(const Place *place, const char *folder, Error *error)
{
    char *contents = contents_of(folder);
    if (!contents) {
        error_set(error, folder, "$%s names it as the folder: %s. %s", place->variable,
                  strerror(errno), place->get);
        return;
    }
    char *below = listed(place->below, " or "), *clue = clue_in(place, folder);
    error_set(error, folder, "$%s names it, but %s is neither in it nor in %s below it; %s. %s",
              place->variable, place->wanted, below, clue ? clue : contents, place->get);
    free(clue);
    free(contents);
    free(below);
}

static void tell_none(const Place *place, Error *error)
{
    char *folders = listed(place->folders, " nor "), *clue = NULL;
    for (const char *const *folder = place->folders; *folder && !clue; folder++)
        clue = clue_in(place, *folder);
    clue = clue ? clue : clue_in(place, "data");
    error_set(error, place->set, "not in %s, and $%s names no other folder. %s%s%s", folders,
              place->variable, clue ? clue : "", clue ? ". " : "", place->get);
    free(clue);
    free(folders);
}

char *place_find(const Place *place, Error *error)
{
    const char *named = getenv(place->variable);
    char *found = NULL;
    if (named && *named) {
        found = find_in(place, named);
        if (!found)
            tell_named(place, named, error);
        return found;
    }
    for (const char *const *folder = place->folders; *folder && !found; folder++)
        found = find_in(place, *folder);
    if (!found)
        tell_none(place, error);
    return found;
}
