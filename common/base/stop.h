/* Being asked to stop: by SIGINT (Ctrl-C), SIGTERM (kill, timeout, a batch system, a container's
 * end) or SIGHUP (a terminal that was closed). Each ends a program that does nothing about it; work
 * that can go on later notes it, saves, and ends by itself. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

enum { STOP_SIGNALS = 3 };
extern const int stop_signals[STOP_SIGNALS];

/* From now on the first of these signals is noted. Another one does what it did before, ending the
 * program at once, unless it comes within half a second: timeout(1), make and batch systems send
 * theirs to a process and to its group. A signal that is ignored stays ignored. */
void stop_catch(void);

/* Was one noted since stop_catch? */
bool stop_asked(void);

/* All signals do again what they did before stop_catch; what was noted is forgotten. */
void stop_release(void);

#endif
