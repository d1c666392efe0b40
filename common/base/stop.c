#define _POSIX_C_SOURCE 200809L
#include "base/stop.h"

#include "base/clock.h"

#include <signal.h>
#include <stddef.h>

const int stop_signals[STOP_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

static const double window = 0.5; /* seconds within which signals count as one */

static volatile sig_atomic_t requested;
static volatile double first_signal; /* clock_seconds() at the first signal */
static struct sigaction old_actions[STOP_SIGNALS];

static void restore(void)
{
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], &old_actions[i], NULL);
}

/* Notes a signal, with async-signal-safe calls only. The three signals block each other
 * meanwhile. */
static void handle_signal(int signal)
{
    double now = clock_seconds();
    if (!requested) {
        requested = 1;
        first_signal = now;
    } else if (now - first_signal > window) {
        restore();
        raise(signal);
    }
}

void stop_catch(void)
{
    /* Reading and writing go on after the signal. */
    struct sigaction action = { .sa_handler = handle_signal, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaddset(&action.sa_mask, stop_signals[i]);
    requested = 0;
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], NULL, &old_actions[i]);
    for (int i = 0; i < STOP_SIGNALS; i++)
        if (old_actions[i].sa_handler != SIG_IGN)
            sigaction(stop_signals[i], &action, NULL);
}

bool stop_asked(void)
{
    return requested;
}

void stop_release(void)
{
    restore();
    requested = 0;
}
