#define _XOPEN_SOURCE 700 /* S_ISREG */
#include "data/folder.h"

#include "base/ints.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/process.h"
#include "base/random.h"
#include "base/system.h"
#include "data/place.h"
#include "data/preprocess.h"
#include "io/file.h"
#include "io/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    char *path;
    int label, turn; /* turn: the how manieth it is of its class and part */
    uint64_t hash;   /* of its name */
    char *why;       /* the error that it ends with, or NULL */
} File;

typedef struct {
    File *items;
    int count;
} Files;

typedef struct {
    const char *name, *path;
    const DatasetWish *wish;
    char **classes; /* [class_count], in byte order */
    int class_count;
    Files parts[2]; /* by DatasetPart */
    Files strays;   /* what is in the way: files among classes */
} Folder;

static void free_list(char **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static void files_free(Files *files)
{
    for (int i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].why);
    }
    free(files->items);
}

static void folder_free(Folder *folder)
{
    free_list(folder->classes, folder->class_count);
    files_free(&folder->parts[TRAINING_SET]);
    files_free(&folder->parts[TEST_SET]);
    files_free(&folder->strays);
}

static void add_file(Files *files, File file)
{
    files->items = mem_grow(files->items, (size_t)files->count + 1, sizeof *files->items);
    files->items[files->count++] = file;
}

/* --- what is there --------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int class_of(const Folder *folder, const char *name)
{
    for (int i = 0; i < folder->class_count; i++)
        if (strcmp(folder->classes[i], name) == 0)
            return i;
    return -1;
}

/* The images of a class, all of them to one part. */
static bool list_class(Folder *folder, const char *path, int label, DatasetPart part, Error *error)
{
    int count;
    char **names = place_list(path, &count);
    if (!names)
        return error_set(error, path, "cannot open the folder: %s", strerror(errno));
    for (int i = 0; i < count; i++)
        add_file(&folder->parts[part], (File){ .path = str_format("%s/%s", path, names[i]),
                                               .label = label,
                                               .turn = i,
                                               .hash = random_stream(names[i]) });
    free_list(names, count);
    return count || error_set(error, path, "holds no images, though it is a class's folder");
}

/* What stands in train/ or test/, where every folder is a class. The training set's come first and
 * say which classes there are. */
static bool list_part(Folder *folder, const char *path, DatasetPart part, Error *error)
{
    int count;
    char **names = place_list(path, &count);
    bool good = names || error_set(error, path, "cannot open the folder: %s", strerror(errno));
    for (int i = 0; good && i < count; i++) {
        char *inside = str_format("%s/%s", path, names[i]);
        int label = class_of(folder, names[i]);
        if (!is_folder(inside)) {
            Error why;
            error_set(&why, inside, "is no folder, as the classes beside it are");
            add_file(&folder->strays, (File){ .path = inside, .why = str_format("%s", why.text) });
            continue;
        }
        if (part == TRAINING_SET && !folder->wish->like) {
            label = folder->class_count++;
            folder->classes = mem_grow(folder->classes, (size_t)label + 1, sizeof(char *));
            folder->classes[label] = str_format("%s", names[i]);
        }
        if (label < 0)
            good = error_set(error, inside,
                             folder->wish->like ? "the weights know no class of this name"
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
    const File *x = a, *y = b;
    if (x->label != y->label)
        return x->label - y->label;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : strcmp(x->path, y->path);
}

static int by_class_and_name(const void *a, const void *b)
{
    const File *x = a, *y = b;
    return x->label != y->label ? x->label - y->label : strcmp(x->path, y->path);
}

static int by_turn(const void *a, const void *b)
{
    const File *x = a, *y = b;
    return x->turn != y->turn ? x->turn - y->turn : x->label - y->label;
}

/* A fifth of every class to the test set: those with the smallest hashes. */
static bool draw_test(Folder *folder, Error *error)
{
    enum { FIFTH = 5 };
    Files all = folder->parts[TRAINING_SET];
    folder->parts[TRAINING_SET] = (Files){ 0 };
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

/* The first image of each class, then the second of each, … */
static void order(Files *files)
{
    qsort(files->items, (size_t)files->count, sizeof *files->items, by_class_and_name);
    for (int i = 0; i < files->count; i++) {
        File *file = &files->items[i];
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

/* Where weights say what the classes are, they are these. */
static void take_classes(Folder *folder, const Dataset *like)
{
    folder->class_count = like->classes;
    folder->classes = mem_alloc((size_t)like->classes, sizeof *folder->classes);
    for (int i = 0; i < like->classes; i++)
        folder->classes[i] = str_format("%s", like->class_names[i]);
}

static bool list_all(Folder *folder, Error *error)
{
    char *training = str_format("%s/train", folder->path);
    char *test = str_format("%s/test", folder->path);
    bool apart = place_has(folder->path, "test");
    if (folder->wish->like)
        take_classes(folder, folder->wish->like);
    bool good = is_folder(folder->path) ||
                error_set(error, *folder->path ? folder->path : "folder:", "is no folder");
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
    list_all(&folder, NULL);
    char **paths = NULL;
    for (int part = 0; part < 2; part++)
        for (int i = 0; i < folder.parts[part].count; i++) {
            paths = mem_grow(paths, (size_t)*count + 1, sizeof *paths);
            paths[(*count)++] = str_format("%s", folder.parts[part].items[i].path);
        }
    folder_free(&folder);
    return paths;
}

/* --- one image ------------------------------------------------------------------------------- */

static bool check_file(const char *path, struct stat *status, Error *error)
{
    if (stat(path, status) != 0)
        return error_set(error, path, "cannot open it: %s", strerror(errno));
    if (S_ISDIR(status->st_mode))
        return error_set(error, path, "is a folder, in a class's folder where images are wanted");
    return S_ISREG(status->st_mode) || error_set(error, path, "is no regular file");
}

static bool is_pnm(const ImageFile *file)
{
    return file->size > 1 && file->bytes[0] == 'P' && file->bytes[1] >= '1' &&
           file->bytes[1] <= '7';
}

/* anytopnm would draw the letters. */
static bool is_text(const ImageFile *file)
{
    enum { LOOKED_AT = 512 };
    size_t end = file->size < LOOKED_AT ? file->size : LOOKED_AT, i = 0;
    while (i < end &&
           ((unsigned char)file->bytes[i] >= ' ' || strchr("\t\n\r\f", file->bytes[i])) &&
           file->bytes[i])
        i++;
    return i == end && strncmp(file->bytes, "/* XPM", 6) != 0;
}

/* A JPEG without the mark of its end. anytopnm would make what is missing grey. */
static bool is_cut_jpeg(const ImageFile *file)
{
    const unsigned char *bytes = (const unsigned char *)file->bytes;
    size_t at = 2;
    if (file->size < 4 || memcmp(bytes, "\xff\xd8\xff", 3) != 0)
        return false;
    /* Each segment says how long it is, up to the scan, ff da; in front of it ff may stand again.
     * The end is ff d9. Within segments a smaller JPEG may begin and end. */
    while (at + 4 <= file->size && bytes[at] == 0xff && bytes[at + 1] != 0xda)
        at += bytes[at + 1] == 0xff ? 1 : 2 + (size_t)bytes[at + 2] * 256 + bytes[at + 3];
    while (at + 2 <= file->size && (bytes[at] != 0xff || bytes[at + 1] != 0xd9))
        at++;
    return at + 2 > file->size;
}

/* In place of the bytes of another format those of a PNM file. */
static bool convert(ImageFile *file, Error *error)
{
    Error why;
    if (is_text(file))
        return error_set(error, file->name, "is text, no image");
    if (is_cut_jpeg(file))
        return error_set(error, file->name, "cut short: a JPEG without its end");
    char *path = str_format("%s%s", *file->name == '-' ? "./" : "", file->name), *bytes;
    char *const command[] = { "anytopnm", path, NULL };
    size_t size;
    bool good = process_read(command, true, &bytes, &size, &why);
    free(path);
    if (good && size == 0) {
        free(bytes);
        good = false;
    }
    if (!good)
        return error_set(error, file->name,
                         "is no PNM image, and netpbm's anytopnm cannot read it (%.400s)",
                         why.text);
    free(file->bytes);
    file->bytes = bytes, file->size = size;
    return true;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           system_file_time(a) == system_file_time(b);
}

/* The one image of an opened file. */
static bool read_one(ImageFile *file, Image *image, Error *error)
{
    if ((!is_pnm(file) && !convert(file, error)) || !image_next(file, image, error))
        return false;
    if (!image_more(file))
        return true;
    image_free(image);
    return error_set(error, file->name, "holds several images, or bytes behind its image");
}

static bool read_image(const char *path, Image *image, Error *error)
{
    struct stat before, after;
    ImageFile file;
    if (!check_file(path, &before, error) || !image_open(path, &file, error))
        return false;
    bool good = read_one(&file, image, error);
    image_close(&file);
    if (good && (stat(path, &after) != 0 || !same_file(&before, &after))) {
        image_free(image);
        good = error_set(error, path, "changed while it was read");
    }
    return good;
}

/* --- how large the set's images are ---------------------------------------------------------- */

enum { ROUND = 64 }; /* images to look at before asking whether more have to be */

typedef struct {
    int height, width, channels; /* 0: it cannot be read */
} Look;

typedef struct {
    const File *files;
    Look looks[ROUND];
} Survey;

static void look(void *context, int i, int worker)
{
    Survey *survey = context;
    Image image;
    (void)worker;
    survey->looks[i] = (Look){ 0 };
    if (!read_image(survey->files[i].path, &image, NULL))
        return; /* that is told when it is read for good */
    survey->looks[i] = (Look){ image.height, image.width, image.channels };
    image_free(&image);
}

/* Sets the images' size and channels. Looks at training images until it is known whether there is
 * more than one size and any colour. */
static void survey(const Folder *folder, Dataset *set)
{
    const DatasetWish *wish = folder->wish;
    const Files *files = &folder->parts[TRAINING_SET];
    int height = wish->height ? wish->height : FOLDER_INPUT;
    int width = wish->width ? wish->width : FOLDER_INPUT;
    bool one_size = !wish->published;
    Look all = { .channels = wish->channels ? wish->channels : 1 };
    Survey s;
    for (int at = 0; at < files->count && (one_size || (!wish->channels && all.channels == 1));
         at += ROUND) {
        int count = int_min(ROUND, files->count - at);
        s.files = files->items + at;
        parallel_for(count, look, &s);
        for (int i = 0; i < count; i++) {
            const Look *one = &s.looks[i];
            if (!one->height)
                continue;
            if (!all.height)
                all.height = one->height, all.width = one->width;
            one_size = one_size && one->height == all.height && one->width == all.width &&
                       one->height <= height && one->width <= width;
            if (!wish->channels)
                all.channels = int_max(all.channels, one->channels);
        }
    }
    one_size = one_size && all.height;
    set->channels = all.channels;
    set->height = one_size ? all.height : height;
    set->width = one_size ? all.width : width;
    set->side = !one_size                   ? preprocess_imagenet_side(height, width)
                : set->height == set->width ? set->height
                                            : 0;
}

/* --- all images ------------------------------------------------------------------------------ */

typedef struct {
    Dataset *data;
    File *files;
} FolderReading;

static void put_planar(const Image *image, uint8_t *pixels)
{
    size_t plane = (size_t)image->height * (size_t)image->width, channels = (size_t)image->channels;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < channels; c++)
            pixels[c * plane + i] = image->pixels[i * channels + c];
}

static size_t image_bytes(const Dataset *data)
{
    return (size_t)data->channels * (size_t)data->height * (size_t)data->width;
}

static void read_for_good(void *context, int i, int worker)
{
    FolderReading *r = context;
    Dataset *data = r->data;
    Image image;
    Error error;
    (void)worker;
    data->labels[i] = (unsigned char)r->files[i].label;
    if (!read_image(r->files[i].path, &image, &error)) {
        r->files[i].why = str_format("%s", error.text);
        return;
    }
    image_set_channels(&image, data->channels);
    Image middle = image_resize_and_crop(&image, data->side, data->height, data->width);
    put_planar(&middle, data->pixels + (size_t)i * image_bytes(data));
    image_free(&middle);
    image_free(&image);
}

/* Closes the gaps that bad files left. */
static void leave_out(Dataset *data, const Files *files)
{
    size_t size = image_bytes(data);
    int kept = 0;
    for (int i = 0; i < files->count; i++) {
        if (files->items[i].why)
            continue;
        memmove(data->pixels + (size_t)kept * size, data->pixels + (size_t)i * size, size);
        data->labels[kept++] = data->labels[i];
    }
    data->count = kept;
}

/* The class of which no image could be read, or -1. */
static int lost_class(const Files *files, int classes)
{
    int lost = -1;
    int *there = mem_alloc((size_t)classes, sizeof *there),
        *read = mem_alloc((size_t)classes, sizeof *read);
    for (int i = 0; i < files->count; i++) {
        there[files->items[i].label]++;
        read[files->items[i].label] += !files->items[i].why;
    }
    for (int i = 0; i < classes && lost < 0; i++)
        lost = there[i] && !read[i] ? i : -1;
    free(there);
    free(read);
    return lost;
}

static void read_part(const Folder *folder, DatasetPart part, Dataset *data)
{
    Files files = folder->parts[part];
    data->name = folder->name;
    data->count = files.count;
    data->in_file = true;
    dataset_alloc_pixels(data);
    data->labels = mem_alloc((size_t)files.count, 1);
    parallel_for(files.count, read_for_good, &(FolderReading){ data, files.items });
}

/* --- what cannot be read --------------------------------------------------------------------- */

static int count_bad(const Files *files)
{
    int bad = 0;
    for (int i = 0; i < files->count; i++)
        bad += files->items[i].why != NULL;
    return bad;
}

/* Names all but the last, which is the error; or all of them, where they are left out. *left: how
 * many there are to name. */
static void name_bad(const Files *files, bool skip, int *left, Error *error)
{
    for (int i = 0; i < files->count; i++) {
        const char *why = files->items[i].why;
        if (!why)
            continue;
        Error one;
        bool last = --*left == 0 && !skip;
        snprintf(one.text, sizeof one.text, "%.900s%s", why, skip ? "; left out" : "");
        if (last && error)
            *error = one;
        else
            error_print(&one);
    }
}

/* Names each bad file of these lists once; whether to go on. */
static bool settle(const Folder *folder, bool training, bool test, Error *error)
{
    const Files *lists[] = { &folder->strays, training ? &folder->parts[TRAINING_SET] : NULL,
                             test ? &folder->parts[TEST_SET] : NULL };
    bool skip = folder->wish->skip_bad;
    int bad = 0, left;
    for (int i = 0; i < 3; i++)
        bad += lists[i] ? count_bad(lists[i]) : 0;
    left = bad;
    for (int i = 0; i < 3; i++)
        if (lists[i])
            name_bad(lists[i], skip, &left, error);
    if (bad && !skip) {
        size_t used = strlen(error->text);
        snprintf(error->text + used, sizeof error->text - used,
                 bad > 1 ? "; --skip-bad leaves out these %d files" : "; --skip-bad leaves it out",
                 bad);
    }
    return skip || !bad;
}

static bool finish_part(const Folder *folder, DatasetPart part, Dataset *data, Error *error)
{
    const Files *files = &folder->parts[part];
    int lost = lost_class(files, folder->class_count);
    if (lost >= 0)
        return error_set(error, folder->path, "no image of the class '%s' can be read",
                         error_shown(folder->classes[lost]).text);
    leave_out(data, files);
    return true;
}

/* --- both parts ------------------------------------------------------------------------------ */

/* Names that end with the set: the list, and behind it what it points to. */
static void own_names(const Folder *folder, Dataset *data)
{
    size_t count = (size_t)folder->class_count, list = count * sizeof(char *), size = list;
    for (size_t i = 0; i < count; i++)
        size += strlen(folder->classes[i]) + 1;
    data->own_names = mem_alloc(size, 1);
    char *at = (char *)data->own_names + list;
    for (size_t i = 0; i < count; i++) {
        data->own_names[i] = at;
        strcpy(at, folder->classes[i]);
        at += strlen(at) + 1;
    }
    data->class_names = data->own_names;
    data->classes = folder->class_count;
}

/* What both parts have in common: sizes and, where they are told, mean and std. */
static Dataset common(const Folder *folder)
{
    const Dataset *like = folder->wish->like;
    Dataset set = { 0 };
    if (!like) {
        survey(folder, &set);
        return set;
    }
    set.channels = like->channels;
    set.height = like->height;
    set.width = like->width;
    set.side = like->side;
    memcpy(set.mean, like->mean, sizeof set.mean);
    memcpy(set.std, like->std, sizeof set.std);
    return set;
}

bool folder_open(const char *name, const char *path, const DatasetWish *wish, Dataset *training,
                 Dataset *test, Error *error)
{
    Folder folder = { .name = name, .path = path, .wish = wish };
    Dataset *parts[] = { [TRAINING_SET] = training, [TEST_SET] = test };
    int channels = wish->channels;
    bool good =
        channels == 0 || channels == 1 || channels == 3 ||
        error_set(error, name, "images have 1 channel or 3, the network's input %d", channels);
    good = good && list_all(&folder, error);
    Dataset set = good ? common(&folder) : (Dataset){ 0 };
    for (int part = 0; good && part < 2; part++)
        if (parts[part]) {
            *parts[part] = set;
            own_names(&folder, parts[part]);
            read_part(&folder, part, parts[part]);
        }
    good = good && settle(&folder, training, test, error);
    for (int part = 0; good && part < 2; part++)
        if (parts[part])
            good = finish_part(&folder, part, parts[part], error);
    folder_free(&folder);
    return good;
}
