/* How a network learns, from the images to the optimiser. Linked with a step's main.c, this
 * step_main stands where the library's stands otherwise: it trains the step's network to see in
 * which direction stripes run.
 *
 *     make build/learn/05_large_kernel && build/learn/05_large_kernel
 *
 * Every step of training draws new images. With an argument, whatever it is, all steps use the same
 * sixteen: the loss falls further, and fewer new images are recognised.
 *
 * Of the library this needs graph/, a network as a list of layers; ops/, what each layer computes
 * and its derivative; and engine/plain.c, which calls these in order, forward and backward. */
#include "base/random.h"
#include "engine/plain.h"
#include "nn.h"

#include <math.h>
#include <stdio.h>

enum { BATCH = 16, SIDE = 64, CLASSES = 4, STEPS = 40 };

/* --- the task -------------------------------------------------------------------------------- */

/* Draws a batch of images and writes down in which of the four directions each one's stripes run.
 * Their width, where they begin and the noise over them are random. */
static void draw(int batch, float images[BATCH][SIDE][SIDE], int labels[BATCH])
{
    static const double pi = 3.14159265358979;
    for (int i = 0; i < BATCH; i++) {
        Random r = { .seed = 1, .stream = (uint64_t)(batch * BATCH + i) };
        labels[i] = i % CLASSES;
        double angle = pi * labels[i] / CLASSES, cosine = cos(angle), sine = sin(angle);
        double width = 4 + 4 * random_uniform(r, 0), begin = 2 * random_uniform(r, 1);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                double stripes = sin(pi * ((x * cosine + y * sine) / width + begin));
                double noise = random_normal(r, 2 + (uint64_t)(y * SIDE + x));
                images[i][y][x] = (float)(stripes + noise / 2);
            }
    }
}

/* --- the network ----------------------------------------------------------------------------- */

/* The step's network, small enough for plain loops. Nothing is computed yet: each call adds a layer
 * to the list, with its shape and its parameters. */
static Net *build(Step step)
{
    Config sizes = step.article;
    sizes.stem = 8;
    sizes.classes = CLASSES;
    for (int i = 0; i < 4; i++) {
        sizes.widths[i] = 8 << i;
        sizes.depths[i] = 1;
    }
    Net *net = net_new();
    Tensor *x = net_input(net, BATCH, 1, SIDE, SIDE);
    SCOPE(net, "encoder")
        x = step.encoder(x, sizes);
    SCOPE(net, "head")
        step.head(x, sizes);
    return net;
}

/* --- the loss -------------------------------------------------------------------------------- */

/* The mean over the batch of -log p[label], where p = softmax(logits) = exp(logits) / Σ exp(logits)
 * are the probabilities that the network gives to the classes. Its derivative is simple: with
 * respect to the logits it is (p - 1) / BATCH for the right class and p / BATCH for the others. */
static double cross_entropy(const float logits[BATCH][CLASSES], const int labels[BATCH],
                            float dlogits[BATCH][CLASSES])
{
    double loss = 0;
    for (int i = 0; i < BATCH; i++) {
        double sum = 0;
        for (int k = 0; k < CLASSES; k++)
            sum += exp((double)logits[i][k]);
        for (int k = 0; k < CLASSES; k++) {
            double p = exp((double)logits[i][k]) / sum;
            dlogits[i][k] = (float)((p - (k == labels[i])) / BATCH);
        }
        loss += (log(sum) - (double)logits[i][labels[i]]) / BATCH;
    }
    return loss;
}

/* --- the optimiser --------------------------------------------------------------------------- */

/* Step t = 1, 2, … of AdamW for one number w whose gradient is g. m and v are running means of g
 * and g² that start at 0; dividing by 1 - β^t makes up for that start. The root of v measures how
 * large g usually is, so w moves by about lr, whatever the size of its gradient. */
static void adamw_number(float *w, float g, float *m, float *v, int t, float lr, float decay)
{
    const float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    *m = beta1 * *m + (1 - beta1) * g;
    *v = beta2 * *v + (1 - beta2) * g * g;
    float mean = *m / (1 - powf(beta1, (float)t)), square = *v / (1 - powf(beta2, (float)t));
    *w = *w * (1 - lr * decay) - lr * mean / (sqrtf(square) + epsilon);
}

/* All that is trained; the running statistics of batch norms are not, forward updates them. Only
 * weights of several dimensions decay: biases and the weights of norms do not. */
static void adamw(Weights *weights, const Weights *gradients, Weights *m, Weights *v, int t)
{
    for (int k = 0; k < weights->count; k++) {
        const Param *p = &weights->params[k];
        for (size_t i = 0; i < p->count && p->trained; i++)
            adamw_number(&weights->values[k][i], gradients->values[k][i], &m->values[k][i],
                         &v->values[k][i], t, 4e-3f, p->rank > 1 ? 0.05f : 0);
    }
}

/* --- learning -------------------------------------------------------------------------------- */

/* Counts the images of the batch whose largest logit is at their label. */
static int recognised(const float logits[BATCH][CLASSES], const int labels[BATCH])
{
    int count = 0;
    for (int i = 0; i < BATCH; i++) {
        int best = 0;
        for (int k = 1; k < CLASSES; k++)
            best = logits[i][k] > logits[i][best] ? k : best;
        count += best == labels[i];
    }
    return count;
}

int step_main(int argc, char **argv, Step step)
{
    (void)argv;
    bool same_batch = argc > 1;
    int labels[BATCH];
    Net *net = build(step);
    Weights *weights = weights_new(net), *gradients = weights_new(net);
    Weights *m = weights_new(net), *v = weights_new(net);
    Plain *engine = plain_new(net);
    void *images = plain_input(engine), *dlogits = plain_output_gradient(engine);
    const void *logits = plain_output(engine);

    weights_init(weights, 1);
    for (int t = 1; t <= STEPS; t++) {
        draw(same_batch ? 0 : t, images, labels);
        plain_forward(engine, weights, true);
        printf("step %2d: loss %.6f\n", t, cross_entropy(logits, labels, dlogits));
        plain_backward(engine, weights, gradients);
        adamw(weights, gradients, m, v, t);
    }
    draw(STEPS + 1, images, labels);
    plain_forward(engine, weights, false);
    printf("%d of %d new images are recognised\n", recognised(logits, labels), BATCH);

    plain_free(engine);
    weights_free(weights);
    weights_free(gradients);
    weights_free(m);
    weights_free(v);
    net_free(net);
    return 0;
}
