#include "train/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

double schedule_lr(long step, long total, long warmup, double lr, double min_lr)
{
    if (step < warmup)
        return lr * (double)(step + 1) / (double)warmup;
    double done = (double)(step - warmup) / (double)(total > warmup ? total - warmup : 1);
    return min_lr + (lr - min_lr) * (1 + cos(PI * done)) / 2;
}

double schedule_steps_lr(long step, long total, long warmup, double lr)
{
    static const double shares[] = { 1, 0.1, 0.01 };
    if (step < warmup)
        return lr * (double)(step + 1) / (double)warmup;
    return lr * shares[step < total ? 3 * step / total : 2];
}
