#include "train/evaluate.h"

#include "base/memory.h"
#include "base/stop.h"
#include "data/loader.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIVE = 5 };

/* How many classes are rated higher than `class`, of equals those with a lower number. */
static int rank_of(const float *logits, int classes, int class)
{
    int higher = 0;
    for (int i = 0; i < classes; i++)
        higher += logits[i] > logits[class] || (logits[i] == logits[class] && i < class);
    return higher;
}

/* The class rated highest, the first of equals; -1 where a logit is NaN. */
static int best_of(const float *logits, int classes)
{
    int best = 0;
    for (int i = 0; i < classes; i++) {
        if (logits[i] != logits[i])
            return -1;
        best = logits[i] > logits[best] ? i : best;
    }
    return best;
}

/* A broken network, one that gives NaN, is right about nothing. */
static void count_image(Score *score, const float *logits, int classes, int class)
{
    int best = best_of(logits, classes);
    score->loss += cross_entropy_loss(logits, 1, classes, (Targets){ .a = &class }, 0, NULL);
    score->count++;
    if (best < 0) {
        score->undecided++;
        return;
    }
    int rank = rank_of(logits, classes, class);
    score->top1 += rank == 0;
    score->top5 += rank < FIVE;
    score->confusion[class * classes + best]++;
}

static void count_batch(Score *score, const float *logits, int classes, const int *labels,
                        int count)
{
    for (int i = 0; i < count; i++)
        count_image(score, logits + (size_t)i * (size_t)classes, classes, labels[i]);
}

static Score score_new(int classes)
{
    return (Score){ .confusion =
                        mem_alloc(size_mul((size_t)classes, (size_t)classes), sizeof(int)) };
}

/* From sums to means, of as many images as there were to be. */
static void score_end(Score *score, int count)
{
    score->stopped = score->count < count;
    score->top1 /= score->count;
    score->top5 /= score->count;
    score->loss = isnan(score->loss) ? (double)NAN : score->loss / score->count; /* never -nan */
}

bool evaluate_images(Builder builder, const Weights *weights, const Dataset *data,
                     const uint32_t *list, int count, int batch_size, Score *score, Error *error)
{
    int size = count < batch_size ? count : batch_size;
    if (size < 1)
        return error_set(error, data->name, "there is no image to evaluate");
    Net *net = builder.build(builder.context, size);
    const Tensor *x = net_tensor(net, 0), *y = net_output(net);
    LoaderOptions options = { .data = data,
                              .list = list,
                              .count = count,
                              .channels = x->c,
                              .height = x->h,
                              .width = x->w,
                              .batch_size = size };
    Loader *loader = loader_start(&options, error);
    if (!loader) {
        net_free(net);
        return false;
    }
    Engine *engine = engine_for_inference(builder.engine, net, weights);
    *score = score_new(y->c);
    const Batch *batch;
    while (!stop_asked() && loader_next(loader, &batch)) {
        /* The last batch may be a partial one; what lies behind its images is not looked at. */
        memcpy(engine_input(engine), batch->x,
               (size_t)batch->count * (tensor_elements(x) / (size_t)x->n) * sizeof(float));
        engine_forward(engine);
        count_batch(score, engine_output(engine), y->c, batch->a, batch->count);
    }
    score_end(score, count);
    loader_stop(loader);
    engine_free(engine);
    net_free(net);
    return true;
}

Score evaluate_features(const Net *head, EngineKind kind, const Weights *weights, const float *x,
                        const int *labels, int count)
{
    const Tensor *input = net_tensor(head, 0), *y = net_output(head);
    size_t each = tensor_elements(input) / (size_t)input->n;
    Engine *engine = engine_for_inference(kind, head, weights);
    Score score = score_new(y->c);
    for (int at = 0; at < count; at += input->n) {
        int left = count - at, size = left < input->n ? left : input->n;
        memcpy(engine_input(engine), x + (size_t)at * each, (size_t)size * each * sizeof *x);
        engine_forward(engine);
        count_batch(&score, engine_output(engine), y->c, labels + at, size);
    }
    score_end(&score, count);
    engine_free(engine);
    return score;
}
