#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

/* Learning rate of step `step` (from 0) of `total`: a straight line up to `lr` over the first
 * `warmup` steps, then half a cosine down to `min_lr` (Loshchilov and Hutter 2017, without
 * restarts). */
double schedule_lr(long step, long total, long warmup, double lr, double min_lr);

/* The same line up, but then `lr` until a third of all steps, a tenth of it until two thirds and a
 * hundredth to the end, as the networks of 2015 were trained on ImageNet: 30, 60 and 90 epochs. */
double schedule_steps_lr(long step, long total, long warmup, double lr);

#endif
