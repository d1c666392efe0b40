#define _XOPEN_SOURCE 700 /* S_ISDIR */
#include "data/folder_list.h"

#include "base/memory.h"
#include "base/random.h"
#include "data/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void free_list(char **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static void files_free(FolderFiles *files)
{
    for (int i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].why);
    }
    free(files->items);
}

void folder_free(Folder *folder)
{
    free_list(folder->classes, folder->class_count);
    files_free(&folder->parts[TRAINING_SET]);
    files_free(&folder->parts[TEST_SET]);
    files_free(&folder->strays);
}

static void add_file(FolderFiles *files, FolderFile file)
{
    files->items = mem_grow(files->items, (size_t)files->count + 1, sizeof *files->items);
    files->items[files->count++] = file;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int class_number(const Folder *folder, const char *name)
{
    for (int i = 0; i < folder->class_count; i++)
        if (strcmp(folder->classes[i], name) == 0)
            return i;
    return -1;
}

/* Lists the images of a class, all of them to one part. */
static bool list_class(Folder *folder, const char *path, int label, DatasetPart part, Error *error)
{
    int count;
    char **names = place_list(path, &count);
    if (!names)
        return error_set(error, path, "cannot open the folder: %s", strerror(errno));
    for (int i = 0; i < count; i++)
        add_file(&folder->parts[part], (FolderFile){ .path = str_format("%s/%s", path, names[i]),
                                                     .label = label,
                                                     .turn = i,
                                                     .hash = random_stream(names[i]) });
    free_list(names, count);
    return count || error_set(error, path, "holds no images, though it is a class's folder");
}

/* Lists train/ or test/, where every folder is a class. train/ comes first and says which classes
 * there are. */
static bool list_part(Folder *folder, const char *path, DatasetPart part, Error *error)
{
    int count;
    char **names = place_list(path, &count);
    bool good = names || error_set(error, path, "cannot open the folder: %s", strerror(errno));
    for (int i = 0; good && i < count; i++) {
        char *inside = str_format("%s/%s", path, names[i]);
        int label = class_number(folder, names[i]);
        if (!is_folder(inside)) {
            Error why;
            error_set(&why, inside, "is not a folder, as the classes beside it are");
            add_file(&folder->strays,
                     (FolderFile){ .path = inside, .why = str_format("%s", why.text) });
            continue;
        }
        if (part == TRAINING_SET && !folder->wish->like) {
            label = folder->class_count++;
            folder->classes = mem_grow(folder->classes, (size_t)label + 1, sizeof(char *));
            folder->classes[label] = str_format("%s", names[i]);
        }
        if (label < 0)
            good = error_set(error, inside,
                             folder->wish->like ? "the weights have no class of this name"
                                                : "train/ has no class of this name");
        else
            good = list_class(folder, inside, label, part, error);
        free(inside);
    }
    free_list(names, names ? count : 0);
    return good;
}

static int by_class_and_hash(const void *a, const void *b)
{
    const FolderFile *x = a, *y = b;
    if (x->label != y->label)
        return x->label - y->label;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : strcmp(x->path, y->path);
}

static int by_class_and_name(const void *a, const void *b)
{
    const FolderFile *x = a, *y = b;
    return x->label != y->label ? x->label - y->label : strcmp(x->path, y->path);
}

static int by_turn(const void *a, const void *b)
{
    const FolderFile *x = a, *y = b;
    return x->turn != y->turn ? x->turn - y->turn : x->label - y->label;
}

/* Moves a fifth of every class to the test set: the files with the smallest hashes. */
static bool draw_test(Folder *folder, Error *error)
{
    enum { FIFTH = 5 };
    FolderFiles all = folder->parts[TRAINING_SET];
    folder->parts[TRAINING_SET] = (FolderFiles){ 0 };
    if (all.count)
        qsort(all.items, (size_t)all.count, sizeof *all.items, by_class_and_hash);
    for (int first = 0, end; first < all.count; first = end) {
        for (end = first; end < all.count && all.items[end].label == all.items[first].label;)
            end++;
        for (int i = first; i < end; i++)
            add_file(&folder->parts[i - first < (end - first) / FIFTH ? TEST_SET : TRAINING_SET],
                     all.items[i]);
    }
    free(all.items);
    return folder->parts[TEST_SET].count ||
           error_set(error, folder->path,
                     "no test/ in it, and no class has five images, a fifth of which to test with");
}

/* Orders: the first image of each class, then the second of each, … */
static void order(FolderFiles *files)
{
    if (files->count == 0)
        return;
    qsort(files->items, (size_t)files->count, sizeof *files->items, by_class_and_name);
    for (int i = 0; i < files->count; i++) {
        FolderFile *file = &files->items[i];
        file->turn = i && file[-1].label == file->label ? file[-1].turn + 1 : 0;
    }
    qsort(files->items, (size_t)files->count, sizeof *files->items, by_turn);
}

static bool check_classes(const Folder *folder, const char *training, Error *error)
{
    int count = folder->class_count;
    if (!count)
        return error_set(error, training,
                         "holds no folders: there is to be one for every class, with its images");
    if (count == 1)
        return error_set(error, training,
                         "holds one class only, '%s': there is nothing to tell it from",
                         error_shown(folder->classes[0]).text);
    return count <= FOLDER_CLASSES_MAX ||
           error_set(error, training, "%d classes are more than %d", count, FOLDER_CLASSES_MAX);
}

/* Takes the classes from the weights' data set. */
static void take_classes(Folder *folder, const Dataset *like)
{
    folder->class_count = like->classes;
    folder->classes = mem_alloc((size_t)like->classes, sizeof *folder->classes);
    for (int i = 0; i < like->classes; i++)
        folder->classes[i] = str_format("%s", like->class_names[i]);
}

bool folder_list(Folder *folder, Error *error)
{
    char *training = str_format("%s/train", folder->path);
    char *test = str_format("%s/test", folder->path);
    bool apart = place_has(folder->path, "test");
    if (folder->wish->like)
        take_classes(folder, folder->wish->like);
    bool good = is_folder(folder->path) ||
                error_set(error, *folder->path ? folder->path : "folder",
                          *folder->path ? "is not a folder" : "needs a path, folder:PATH");
    if (good && !is_folder(training))
        good = error_set(error, folder->path,
                         "no folder train/ in it; wanted are train/CLASS/IMAGE… and, if there are "
                         "images to test with, test/CLASS/IMAGE…");
    good = good && list_part(folder, training, TRAINING_SET, error) &&
           check_classes(folder, training, error) &&
           (apart ? list_part(folder, test, TEST_SET, error) : draw_test(folder, error));
    if (good && !folder->parts[TEST_SET].count)
        good = error_set(error, test, "holds no folders: there is to be one for every class");
    order(&folder->parts[TRAINING_SET]);
    order(&folder->parts[TEST_SET]);
    free(training);
    free(test);
    return good;
}

char **folder_files(const char *path, int *count)
{
    Folder folder = { .path = path, .wish = &(DatasetWish){ 0 } };
    folder_list(&folder, NULL);
    char **paths = NULL;
    for (int part = 0; part < 2; part++)
        for (int i = 0; i < folder.parts[part].count; i++) {
            paths = mem_grow(paths, (size_t)*count + 1, sizeof *paths);
            paths[(*count)++] = str_format("%s", folder.parts[part].items[i].path);
        }
    folder_free(&folder);
    return paths;
}
