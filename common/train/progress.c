#include "train/progress.h"

#include "base/clock.h"
#include "base/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 30, LEAST_BAR = 5 };

Progress progress_start(int steps, int first)
{
    return (Progress){ .terminal = terminal_columns(STDOUT_FILENO) > 0,
                       .steps = steps,
                       .first = first,
                       .start = clock_seconds() };
}

/* before, the bar and after in at most `columns` columns: the bar gets what they leave, or is left
 * out where that is too little for one. */
static void print_line(const char *before, double done, const char *after, int columns)
{
    int room = columns - (int)strlen(before) - (int)strlen(after) - (int)strlen("[]");
    int bar = room > BAR ? BAR : room < LEAST_BAR ? 0 : room;
    int filled = (int)(done * bar);
    char line[256];
    if (bar)
        snprintf(line, sizeof line, "%s[%.*s%*s]%s", before, filled,
                 "==============================", bar - filled, "", after);
    else
        snprintf(line, sizeof line, "%s%s", before, after + 1);
    printf("\r%.*s\033[K", columns, line);
    fflush(stdout);
}

void progress_show(Progress *p, int epoch, int epochs, int step, double loss)
{
    double now = clock_seconds();
    if (!p->terminal || (now - p->shown < 0.1 && step < p->steps))
        return;
    p->shown = now;
    double left = (now - p->start) / (step - p->first) * (p->steps - step);
    char before[64], after[128];
    snprintf(before, sizeof before, "epoch %d/%d ", epoch, epochs);
    snprintf(after, sizeof after, " %d/%d loss %.4f ETA %d:%02d", step, p->steps, loss,
             (int)left / 60, (int)left % 60);
    /* The last column stays free: some terminals begin a new line behind it. The width may change
     * while it runs. */
    print_line(before, (double)step / p->steps, after, terminal_columns(STDOUT_FILENO) - 1);
}

void progress_clear(const Progress *p)
{
    if (p->terminal)
        printf("\r\033[K");
}
