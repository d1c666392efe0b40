#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

/* Learning rate of step `step` (from 0) of `total`: a straight line up to `lr` over the first
 * `warmup` steps, then half a cosine down to `min_lr` (Loshchilov and Hutter 2017, without
 * restarts). */
double schedule_lr(long step, long total, long warmup, double lr, double min_lr);

#endif
