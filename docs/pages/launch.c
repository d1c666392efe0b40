#include "launch.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a line per run --------------------------------------------------------------------------- */

/* Prints a word, or NAME=VALUE, as the shell reads it back. */
static void put_quoted(const char *name, const char *value)
{
    if (strchr(value, '\n'))
        error_die(EXIT_USAGE, "pages", "'%s' has a newline: it cannot stand in a line", value);
    printf("'%s%s", name, *name ? "=" : "");
    for (; *value; value++)
        if (*value == '\'')
            printf("'\\''");
        else
            putchar(*value);
    printf("' ");
}

void launch_line(char *const *words)
{
    printf("cd ");
    put_quoted("", *words++);
    printf("&& env ");
    for (; *words && strcmp(*words, "--") != 0; words++)
        if (getenv(*words))
            put_quoted(*words, getenv(*words));
    while (*words && *++words)
        put_quoted("", *words);
    printf("< /dev/null\n");
}

/* --- running them ----------------------------------------------------------------------------- */

static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGTSTP };
enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile pid_t group;
static volatile sig_atomic_t ended_by;

static void pass_on(int number)
{
    int before = errno;
    if (number == SIGTSTP) {
        kill(-group, SIGTSTP);
        kill(getpid(), SIGSTOP);
        kill(-group, SIGCONT);
    } else {
        ended_by = number;
        kill(-group, SIGTERM);
    }
    errno = before;
}

/* In the child. A shell's & has SIGINT ignored, which training would keep to. */
static _Noreturn void become(char *const *command, const sigset_t *mask)
{
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    error_note(command[0], "cannot be run");
    _exit(127);
}

/* Passes signals on that are not ignored, from now on. */
static void listen_for_signals(const sigset_t *mask)
{
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction act = { .sa_handler = pass_on }, before;
        sigaction(signals[i], NULL, &before);
        if (before.sa_handler != SIG_IGN)
            sigaction(signals[i], &act, NULL);
    }
    sigprocmask(SIG_SETMASK, mask, NULL);
}

int launch_run(char *const *command)
{
    enum { PATIENCE = 60000 }; /* milliseconds for training to save */
    int ends[2], status;
    sigset_t all, mask;
    sigfillset(&all);
    if (pipe(ends) != 0)
        error_die(EXIT_FAILED, "pages", "cannot make a pipe");
    sigprocmask(SIG_SETMASK, &all, &mask);
    group = fork();
    if (group < 0)
        error_die(EXIT_FAILED, "pages", "cannot start a process");
    if (group == 0)
        become(command, &mask);
    setpgid(group, group);
    close(ends[1]);
    listen_for_signals(&mask);
    while (waitpid(group, &status, 0) < 0)
        ;
    if (!ended_by)
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    /* All that the command started holds the pipe's other end. */
    poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, PATIENCE);
    signal(ended_by, SIG_DFL);
    raise(ended_by);
    return 128 + ended_by;
}
