#define _POSIX_C_SOURCE 200809L
#include "train/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR = 30 };

Progress progress_start(int steps, int first)
{
    return (Progress){ .terminal = isatty(STDOUT_FILENO) == 1,
                       .steps = steps,
                       .first = first,
                       .start = clock_seconds() };
}

void progress_show(Progress *p, int epoch, int epochs, int step, double loss)
{
    double now = clock_seconds();
    if (!p->terminal || (now - p->shown < 0.1 && step < p->steps))
        return;
    p->shown = now;
    int done = step * BAR / p->steps;
    double left = (now - p->start) / (step - p->first) * (p->steps - step);
    printf("\repoch %d/%d [%.*s%*s] %d/%d loss %.4f ETA %d:%02d \033[K", epoch, epochs, done,
           "==============================", BAR - done, "", step, p->steps, loss, (int)left / 60,
           (int)left % 60);
    fflush(stdout);
}

void progress_clear(const Progress *p)
{
    if (p->terminal)
        printf("\r\033[K");
}
