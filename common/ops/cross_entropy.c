/* Cross-entropy of logits z against a distribution q over the classes, and its gradient:
 *   loss = mean over samples of Σ q·(log Σ exp z - z)      dz = (softmax(z) - q) / samples
 * Not a layer: the network ends with the logits, and training calls this function. */
#include "ops/ops.h"

#include <math.h>

static double log_sum_exp(const float *logits, int classes)
{
    double largest = logits[0], sum = 0;
    for (int i = 1; i < classes; i++)
        largest = logits[i] > largest ? logits[i] : largest;
    for (int i = 0; i < classes; i++)
        sum += exp(logits[i] - largest);
    return largest + log(sum);
}

static double target(Targets t, int sample, int class, int classes, double smoothing)
{
    double lambda = t.lambda ? t.lambda[sample] : 1;
    double q = lambda * (t.a[sample] == class);
    if (t.b)
        q += (1 - lambda) * (t.b[sample] == class);
    return (1 - smoothing) * q + smoothing / classes;
}

double cross_entropy_loss(const float *logits, int n, int classes, Targets targets,
                          double smoothing, float *dlogits)
{
    double loss = 0;
    for (int sample = 0; sample < n; sample++) {
        const float *row = logits + (size_t)sample * classes;
        double log_sum = log_sum_exp(row, classes);
        for (int i = 0; i < classes; i++) {
            double q = target(targets, sample, i, classes, smoothing), log_p = row[i] - log_sum;
            if (q != 0) /* 0·log 0 is 0 */
                loss -= q * log_p / n;
            if (dlogits)
                dlogits[(size_t)sample * classes + i] = (float)((exp(log_p) - q) / n);
        }
    }
    return loss;
}
