/* The part of POSIX's <signal.h> that is used here. WebAssembly's system sends no signals: none is
 * ever caught, and raising one ends the program. */
#ifndef WASI_SIGNAL_H
#define WASI_SIGNAL_H

#include <stdlib.h>

typedef int sig_atomic_t;
typedef int sigset_t;

enum { SIGHUP = 1, SIGINT = 2, SIGILL = 4, SIGTERM = 15, SIGCHLD = 17, SIGXFSZ = 25 };
enum { SIG_BLOCK, SIG_SETMASK, SA_RESETHAND = 1, SA_RESTART = 2 };
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)

struct sigaction {
    void (*sa_handler)(int);
    sigset_t sa_mask;
    int sa_flags;
};

static inline int sigemptyset(sigset_t *set)
{
    return *set = 0;
}

static inline int sigfillset(sigset_t *set)
{
    return *set = 0;
}

static inline int sigaddset(sigset_t *set, int signal)
{
    (void)signal;
    return *set = 0;
}

static inline int pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    (void)how, (void)set;
    if (before)
        *before = 0;
    return 0;
}

static inline int sigaction(int signal, const struct sigaction *action, struct sigaction *before)
{
    (void)signal, (void)action;
    if (before)
        *before = (struct sigaction){ .sa_handler = SIG_DFL };
    return 0;
}

static inline void (*signal(int number, void (*handler)(int)))(int)
{
    (void)number, (void)handler;
    return SIG_DFL;
}

static inline int raise(int signal)
{
    _Exit(128 + signal);
}

#endif
