#include "data/folder.h"

#include "base/ints.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/folder_image.h"
#include "data/folder_list.h"
#include "data/preprocess.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- how large the set's images are ---------------------------------------------------------- */

enum { ROUND = 64 }; /* images to look at before asking whether more have to be */

typedef struct {
    int height, width, channels; /* 0: it cannot be read */
} Look;

typedef struct {
    const FolderFile *files;
    Look looks[ROUND];
} Survey;

static void look(void *context, int i, int worker)
{
    Survey *survey = context;
    Image image;
    (void)worker;
    survey->looks[i] = (Look){ 0 };
    if (!folder_image(survey->files[i].path, &image, NULL))
        return; /* that is told when it is read for good */
    survey->looks[i] = (Look){ image.height, image.width, image.channels };
    image_free(&image);
}

/* Sets the images' size and channels. Looks at training images until it is known whether there is
 * more than one size and any colour. */
static void survey(const Folder *folder, Dataset *set)
{
    const DatasetWish *wish = folder->wish;
    const FolderFiles *files = &folder->parts[TRAINING_SET];
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
    FolderFile *files;
} FolderReading;

static void put_planar(const Image *image, uint8_t *pixels)
{
    size_t plane = (size_t)image->height * (size_t)image->width, channels = (size_t)image->channels;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < channels; c++)
            pixels[c * plane + i] = image->pixels[i * channels + c];
}

static void read_for_good(void *context, int i, int worker)
{
    FolderReading *r = context;
    Dataset *data = r->data;
    Image image;
    Error error;
    (void)worker;
    data->labels[i] = (unsigned char)r->files[i].label;
    if (!folder_image(r->files[i].path, &image, &error)) {
        r->files[i].why = str_format("%s", error.text);
        return;
    }
    image_set_channels(&image, data->channels);
    Image middle = image_resize_and_crop(&image, data->side, data->height, data->width);
    put_planar(&middle, data->pixels + (size_t)i * dataset_image_bytes(data));
    image_free(&middle);
    image_free(&image);
}

/* Closes the gaps that bad files left. */
static void leave_out(Dataset *data, const FolderFiles *files)
{
    size_t size = dataset_image_bytes(data);
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
static int lost_class(const FolderFiles *files, int classes)
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
    FolderFiles files = folder->parts[part];
    data->name = folder->name;
    data->count = files.count;
    data->in_file = true;
    dataset_alloc_pixels(data);
    data->labels = mem_alloc((size_t)files.count, 1);
    parallel_for(files.count, read_for_good, &(FolderReading){ data, files.items });
}

/* --- what cannot be read --------------------------------------------------------------------- */

static int count_bad(const FolderFiles *files)
{
    int bad = 0;
    for (int i = 0; i < files->count; i++)
        bad += files->items[i].why != NULL;
    return bad;
}

/* Names the first few; the last of them is the error, where they are not left out. *left: how many
 * there are to name. */
enum { NAMED = 20 };
static void name_bad(const FolderFiles *files, bool skip, int *left, Error *error)
{
    for (int i = 0; i < files->count; i++) {
        const char *why = files->items[i].why;
        if (!why || !*left)
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
    const FolderFiles *lists[] = { &folder->strays, training ? &folder->parts[TRAINING_SET] : NULL,
                                   test ? &folder->parts[TEST_SET] : NULL };
    bool skip = folder->wish->skip_bad;
    int bad = 0, left, named;
    for (int i = 0; i < 3; i++)
        bad += lists[i] ? count_bad(lists[i]) : 0;
    left = named = int_min(bad, NAMED);
    for (int i = 0; i < 3; i++)
        if (lists[i])
            name_bad(lists[i], skip, &left, error);
    if (bad && !skip) {
        size_t used = strlen(error->text);
        const char *advice = bad > named ? "; --skip-bad leaves out all %d such files"
                             : bad > 1   ? "; --skip-bad leaves out these %d files"
                                         : "; --skip-bad leaves it out";
        snprintf(error->text + used, sizeof error->text - used, advice, bad);
    } else if (bad > named)
        error_note(folder->path, "%d more files left out", bad - named);
    return skip || !bad;
}

/* Classes without a test image leave no trace in an accuracy: the note names the first. */
static void note_untested(const Folder *folder, const Dataset *test)
{
    int *images = mem_alloc((size_t)folder->class_count, sizeof *images), untested = 0, first = 0;
    for (int i = 0; i < test->count; i++)
        images[test->labels[i]]++;
    for (int i = folder->class_count - 1; i >= 0; i--)
        if (!images[i]) {
            untested++;
            first = i;
        }
    if (untested)
        error_note(folder->path, "%d of %d classes %s no image to test with: '%s'%s", untested,
                   folder->class_count, untested == 1 ? "has" : "have",
                   error_shown(folder->classes[first]).text, untested > 1 ? " and others" : "");
    free(images);
}

static bool finish_part(const Folder *folder, DatasetPart part, Dataset *data, Error *error)
{
    const FolderFiles *files = &folder->parts[part];
    int lost = lost_class(files, folder->class_count);
    if (lost >= 0)
        return error_set(error, folder->path, "no image of the class '%s' can be read",
                         error_shown(folder->classes[lost]).text);
    leave_out(data, files);
    if (part == TEST_SET)
        note_untested(folder, data);
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
    good = good && folder_list(&folder, error);
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
