#include "data/provenance.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/preprocess.h"
#include "io/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Nine digits: they come back as the very floats. */
static char *list_text(const float *values, int count)
{
    char *text = str_format("%.9g", (double)values[0]);
    for (int i = 1; i < count; i++)
        str_append(&text, ",%.9g", (double)values[i]);
    return text;
}

/* The names as a JSON array; NULL, with the error set, where one is not UTF-8. */
static char *classes_text(const Dataset *data, Error *error)
{
    for (int i = 0; i < data->classes; i++)
        if (!json_holds(data->class_names[i])) {
            error_set(error, data->name, "the class '%s' has a name that is not UTF-8",
                      error_shown(data->class_names[i]).text);
            return NULL;
        }
    Text text;
    text_open(&text);
    putc('[', text.out);
    for (int i = 0; i < data->classes; i++) {
        fputs(i ? "," : "", text.out);
        json_put_string(text.out, data->class_names[i]);
    }
    putc(']', text.out);
    text_close(&text);
    return text.bytes;
}

void metadata_set(MetadataList *list, const char *key, const char *value)
{
    size_t i = 0;
    while (i < list->count && strcmp(list->items[i].key, key) != 0)
        i++;
    if (i == list->count) {
        list->items = mem_grow(list->items, ++list->count, sizeof *list->items);
        list->items[i] = (Metadata){ .key = str_format("%s", key) };
    } else
        free(list->items[i].value);
    list->items[i].value = str_format("%s", value);
}

void metadata_free(MetadataList *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].key);
        free(list->items[i].value);
    }
    free(list->items);
    *list = (MetadataList){ 0 };
}

bool provenance_write(const Dataset *data, int height, int width, MetadataList *list, Error *error)
{
    char *classes = classes_text(data, error);
    if (!classes)
        return false;
    char *mean = list_text(data->mean, data->channels), *std = list_text(data->std, data->channels);
    char *image = preprocess_text(data, height, width);
    metadata_set(list, "classes", classes);
    metadata_set(list, "data", data->name);
    metadata_set(list, "image", image);
    metadata_set(list, "mean", mean);
    metadata_set(list, "std", std);
    free(classes);
    free(mean);
    free(std);
    free(image);
    return true;
}

/* `count` finite numbers, each above `above`. */
static bool read_list(const Safetensors *file, const char *key, int count, double above,
                      float *values, Error *error)
{
    const char *text = safetensors_metadata(file, key), *at = text;
    for (int i = 0; at && i < count; i++) {
        char *end;
        values[i] = strtof(at, &end);
        bool good = end != at && isfinite(values[i]) && (double)values[i] > above;
        at = good && *end == (i < count - 1 ? ',' : 0) ? end + 1 : NULL;
    }
    return at || error_set(error, file->path, "its metadata '%s' is not %d number%s: '%s'", key,
                           count, count == 1 ? "" : "s", text ? text : "");
}

static bool read_class(void *context, Json *json)
{
    Provenance *p = context;
    char *name;
    if (!json_string(json, &name))
        return false;
    p->names = mem_grow(p->names, (size_t)p->data.classes + 1, sizeof *p->names);
    p->names[p->data.classes++] = name;
    return true;
}

/* The classes' names: the file's; of old files that have none, the set's of that name. */
static bool read_classes(const Safetensors *file, Provenance *p, Error *error)
{
    const char *text = safetensors_metadata(file, "classes");
    if (!text)
        return true;
    p->classes = str_format("%s", text);
    p->data.classes = 0;
    Error why;
    Json json = { file->path, p->classes, strlen(text), 0, &why };
    bool good = json_array(&json, read_class, p) && json_end(&json) && p->data.classes;
    p->data.class_names = p->names;
    return good || error_set(error, file->path, "its metadata 'classes' are not names: '%s'",
                             error_shown(text).text);
}

/* The size of the set's images, and by that of mean and std how many channels they have. */
static bool read_image(const Safetensors *file, Provenance *p, Error *error)
{
    const char *mean = safetensors_metadata(file, "mean");
    p->image = safetensors_metadata(file, "image");
    if (!p->image)
        return true;
    if (!preprocess_text_read(p->image, &p->data))
        return error_set(error, file->path, "its metadata 'image' are not understood: '%s'",
                         error_shown(p->image).text);
    p->data.channels = 1;
    for (const char *at = mean ? mean : ""; *at; at++)
        p->data.channels += *at == ',';
    return p->data.channels <= DATASET_CHANNELS_MAX ||
           error_set(error, file->path, "its metadata 'mean' has %d numbers, more than %d",
                     p->data.channels, DATASET_CHANNELS_MAX);
}

bool provenance_read(const Safetensors *file, Provenance *p, Error *error)
{
    const char *name = safetensors_metadata(file, "data");
    Error why;
    *p = (Provenance){ 0 };
    if (!name)
        return true;
    bool known = dataset_describe(name, &p->data, &why) && p->data.classes;
    if (!read_image(file, p, error) || !read_classes(file, p, error))
        return false;
    if (!known && !(p->image && p->classes)) /* a set of which all would have to be told */
        return error_set(error, file->path, "its metadata 'data': %s",
                         dataset_folder(name) ? "a folder; 'image' and 'classes' are missing"
                                              : why.text);
    p->data.name = name;
    return read_list(file, "mean", p->data.channels, -INFINITY, p->data.mean, error) &&
           read_list(file, "std", p->data.channels, 0, p->data.std, error);
}

void provenance_free(Provenance *p)
{
    free(p->classes);
    free(p->names);
    *p = (Provenance){ 0 };
}
