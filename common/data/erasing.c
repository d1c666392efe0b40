#include "data/erasing.h"

#include <math.h>
#include <stddef.h>

ErasingBox erasing_box(Random r, uint64_t first, double probability, int height, int width)
{
    enum { AREA, ASPECT, TOP, LEFT };
    static const double least_area = 0.02, most_area = 1.0 / 3, least_aspect = 0.3;
    if (random_uniform(r, first) >= probability)
        return (ErasingBox){ 0 };
    for (uint64_t i = 0; i < ERASING_TRIES; i++) {
        uint64_t at = first + 1 + i * ERASING_EACH;
        double share = least_area + (most_area - least_area) * random_uniform(r, at + AREA);
        double aspect = exp(log(least_aspect) * (1 - 2 * random_uniform(r, at + ASPECT)));
        double area = share * height * width;
        ErasingBox box = { .height = (int)lrint(sqrt(area * aspect)),
                           .width = (int)lrint(sqrt(area / aspect)) };
        if (box.height >= height || box.width >= width)
            continue;
        box.top = (int)random_below(r, at + TOP, (uint64_t)(height - box.height + 1));
        box.left = (int)random_below(r, at + LEFT, (uint64_t)(width - box.width + 1));
        return box;
    }
    return (ErasingBox){ 0 };
}

void erasing_image(Random r, uint64_t first, double probability, float *x, int height, int width,
                   int channels)
{
    ErasingBox box = erasing_box(r, first, probability, height, width);
    uint64_t next = first + ERASING_DRAWS;
    size_t length = (size_t)box.width * (size_t)channels;
    for (int y = box.top; y < box.top + box.height; y++) {
        float *row = x + ((size_t)y * (size_t)width + (size_t)box.left) * (size_t)channels;
        for (size_t i = 0; i < length; i++)
            row[i] = (float)random_normal(r, next++);
    }
}
