/* Requests to stop: SIGINT (Ctrl-C), SIGTERM (kill, timeout, a batch system, a container's end) or
 * SIGHUP (a closed terminal). Each ends a program by default; work that can be resumed later notes
 * the request, saves, and ends by itself. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

enum { STOP_SIGNALS = 3 };
extern const int stop_signals[STOP_SIGNALS];

/* Notes the first of these signals from now on. A second one has its former effect, ending the
 * program at once, unless it comes within half a second: timeout(1), make and batch systems signal
 * both a process and its group. A signal that is ignored stays ignored. */
void stop_catch(void);

/* Returns true if a signal was noted since stop_catch. */
bool stop_asked(void);

/* Restores the signals' handling before stop_catch and forgets a noted one. */
void stop_release(void);

#endif
