#include "train/schedule.h"

#include <math.h>

static double warm_up(long step, long warmup, double lr)
{
    return lr * (double)(step + 1) / (double)warmup;
}

double schedule_lr(long step, long total, long warmup, double lr, double min_lr)
{
    if (step < warmup)
        return warm_up(step, warmup, lr);
    double done = (double)(step - warmup) / (double)(total > warmup ? total - warmup : 1);
    return min_lr + (lr - min_lr) * (1 + cos(M_PI * done)) / 2;
}

double schedule_steps_lr(long step, long total, long warmup, double lr)
{
    static const double shares[] = { 1, 0.1, 0.01 };
    if (step < warmup)
        return warm_up(step, warmup, lr);
    return lr * shares[step < total ? 3 * step / total : 2];
}
