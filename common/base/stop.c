#define _POSIX_C_SOURCE 200809L
#include "base/stop.h"

#include "base/clock.h"

#include <signal.h>
#include <stddef.h>

const int stop_signals[STOP_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

static const double together = 0.5; /* seconds within which signals are one */

static volatile sig_atomic_t asked;
static volatile double first; /* clock_seconds(), once asked */
static struct sigaction before[STOP_SIGNALS];

static void restore(void)
{
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], &before[i], NULL);
}

/* Calls only what a handler may call. The three block each other while it runs. */
static void note(int signal)
{
    double now = clock_seconds();
    if (!asked) {
        asked = 1;
        first = now;
    } else if (now - first > together) {
        restore();
        raise(signal);
    }
}

void stop_catch(void)
{
    /* What is being written or read goes on after the signal. */
    struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaddset(&action.sa_mask, stop_signals[i]);
    asked = 0;
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], NULL, &before[i]);
    for (int i = 0; i < STOP_SIGNALS; i++)
        if (before[i].sa_handler != SIG_IGN)
            sigaction(stop_signals[i], &action, NULL);
}

bool stop_asked(void)
{
    return asked;
}

void stop_release(void)
{
    restore();
    asked = 0;
}
