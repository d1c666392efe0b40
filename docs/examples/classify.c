/* classify WEIGHTS IMAGE.pgm: a program of one's own on the library. Linked with a step's main.c,
 * it stands in the place of the commands; it takes the weights that `train` writes, of --preset
 * small. */
#include "data/preprocess.h"
#include "data/provenance.h"
#include "engine/engine.h"
#include "nn.h"

#include <stdio.h>

enum { SIDE = 64, TOP = 3 };

int step_main(int argc, char **argv, Step step)
{
    Error error;
    Safetensors file;
    Provenance trained; /* the data set, its mean and std, and the classes' names */
    if (argc != 3)
        error_die(EXIT_USAGE, "classify", "wants WEIGHTS and IMAGE.pgm");
    if (!safetensors_read(argv[1], &file, &error) || !provenance_read(&file, &trained, &error))
        error_die_of(EXIT_FAILED, &error);
    Dataset *data = &trained.data;
    if (!data->name)
        error_die(EXIT_FAILED, argv[1], "does not say what it was trained on");

    Config sizes = { 24, { 1, 1, 3, 1 }, { 24, 48, 96, 192 }, data->classes, 1, 0, 0 };
    Net *net = net_new();
    Tensor *x = net_input(net, 1, data->channels, SIDE, SIDE);
    SCOPE(net, "encoder")
        x = step.encoder(x, sizes);
    SCOPE(net, "head")
        step.head(x, sizes);
    Weights *weights = weights_new(net);
    if (!weights_from_file(weights, &file, "", ALL, &error))
        error_die_of(EXIT_FAILED, &error);
    Engine *engine = engine_for_inference(engine_kind(NULL), net, weights);

    ImageFile images;
    Image image;
    Preprocess prepare; /* to the size and the numbers that the network was trained with */
    if (!preprocess_dataset(data, data->channels, SIDE, SIDE, &prepare, &error) ||
        !image_open(argv[2], &images, &error) || !image_next(&images, &image, &error))
        error_die_of(EXIT_FAILED, &error);
    preprocess_image(&prepare, &image, engine_input(engine));
    engine_forward(engine);

    const float *logits = engine_output(engine);
    for (int i = 0; i < data->classes; i++) {
        int larger = 0;
        for (int k = 0; k < data->classes; k++)
            larger += logits[k] > logits[i];
        if (larger < TOP)
            printf("%d %-12s %8.4f\n", larger + 1, data->class_names[i], (double)logits[i]);
    }
    image_free(&image), image_close(&images), preprocess_free(&prepare);
    engine_free(engine), weights_free(weights), net_free(net);
    provenance_free(&trained), safetensors_free(&file);
    return 0;
}
