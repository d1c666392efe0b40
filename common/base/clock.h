#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Returns seconds on a monotonic clock; only differences are meaningful. */
double clock_seconds(void);

#endif
