#include "train/provenance.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Nine digits: they come back as the very floats. */
static char *list_text(const float *values, int count)
{
    char *text = str_format("%.9g", (double)values[0]);
    for (int i = 1; i < count; i++) {
        char *longer = str_format("%s,%.9g", text, (double)values[i]);
        free(text);
        text = longer;
    }
    return text;
}

void provenance_write(const Dataset *data, Metadata metadata[PROVENANCE])
{
    metadata[0] = (Metadata){ str_format("data"), str_format("%s", data->name) };
    metadata[1] = (Metadata){ str_format("mean"), list_text(data->mean, data->channels) };
    metadata[2] = (Metadata){ str_format("std"), list_text(data->std, data->channels) };
}

void provenance_free(Metadata metadata[PROVENANCE])
{
    for (int i = 0; i < PROVENANCE; i++) {
        free(metadata[i].key);
        free(metadata[i].value);
    }
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

bool provenance_read(const Safetensors *file, Dataset *data, Error *error)
{
    const char *name = safetensors_metadata(file, "data");
    Error why;
    *data = (Dataset){ 0 };
    if (!name)
        return true;
    if (!dataset_describe(name, data, &why))
        return error_set(error, file->path, "its metadata 'data': %s", why.text);
    return read_list(file, "mean", data->channels, -INFINITY, data->mean, error) &&
           read_list(file, "std", data->channels, 0, data->std, error);
}
