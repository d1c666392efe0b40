#include "cli/blueprint.h"

#include "cli/origin.h"

#include <stdlib.h>

static Net *build(const void *context, int batch_size)
{
    Blueprint plan = *(const Blueprint *)context;
    plan.shape.n = batch_size;
    return network_build(plan.step, &plan.shape);
}

Shape network_shape_for_data(const Run *run, const Origin *origin, const Dataset *data)
{
    const Options *o = &run->options;
    Shape shape = origin ? origin_shape(origin, origin_preset(origin))
                         : network_shape(run->step, o, PRESET_SMALL);
    if (option_given(o, "--classes") && shape.config.classes != data->classes)
        error_die(EXIT_USAGE, "--classes", "%d, but %s has %d", shape.config.classes, data->name,
                  data->classes);
    if (option_given(o, "--input") && shape.c != data->channels)
        error_die(EXIT_USAGE, "--input", "%d channels, but %s has %d", shape.c, data->name,
                  data->channels);
    if (option_given(o, "--input") && (shape.h < data->height || shape.w < data->width))
        error_die(EXIT_USAGE, "--input", "%dx%d, but the images of %s are %dx%d", shape.h, shape.w,
                  data->name, data->height, data->width);
    shape.config.classes = data->classes;
    shape.c = data->channels;
    if (origin)
        origin_check_image(origin, data, &shape);
    return shape;
}

Blueprint blueprint_for_data(const Run *run, const Origin *origin, const Dataset *data)
{
    return (Blueprint){ .step = run->step,
                        .shape = network_shape_for_data(run, origin, data),
                        .engine = engine_kind(run->options.engine) };
}

Alteration blueprint_alteration(const Options *o)
{
    Alteration alter = { 0 };
    Error error;
    if (o->alter && !alter_parse(o->alter, &alter, &error))
        error_die_of(EXIT_USAGE, &error);
    return alter;
}

void blueprint_check_skip(const Options *o, const char *data)
{
    if (o->skip_bad && !dataset_folder(data))
        error_die(EXIT_USAGE, "--skip-bad", "is about a folder's images; %s is not a folder", data);
}

DatasetWish blueprint_wish(const Run *run, const Origin *origin)
{
    const Options *o = &run->options;
    if (o->data)
        blueprint_check_skip(o, o->data);
    Preset preset = origin ? origin_preset(origin) : PRESET_SMALL;
    Shape shape = origin ? origin_shape(origin, preset) : network_shape(run->step, o, preset);
    bool published = preset != PRESET_SMALL;
    bool told = option_given(o, "--input") || (origin && origin->layers) || published;
    int channels = origin ? origin->provenance.data.channels : 0; /* 0: the weights don't tell */
    return (DatasetWish){ .height = shape.h,
                          .width = shape.w,
                          .channels = told ? shape.c : channels,
                          .published = published,
                          .skip_bad = o->skip_bad };
}

static void alter_part(Dataset *data, DatasetPart part, const Alteration *alter)
{
    if (!*alter->name)
        return;
    Dataset altered = alter_dataset(data, part, alter);
    dataset_free_pixels(data);
    *data = altered;
}

void blueprint_open_data(const char *name, const DatasetWish *wish, int limit, Alteration alter,
                         Dataset *training, Dataset *test)
{
    Error error;
    if (!dataset_open_parts(name, wish, training, test, &error))
        error_die_of(EXIT_FAILED, &error);
    dataset_limit(training, limit);
    alter_part(training, TRAINING_SET, &alter);
    alter_part(test, TEST_SET, &alter);
}

Builder blueprint_builder(const Blueprint *plan)
{
    return (Builder){ build, plan, plan->engine };
}
