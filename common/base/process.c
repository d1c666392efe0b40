#include "base/process.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become(char *const argv[], int output, int complaints)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 ||
        (complaints >= 0 && dup2(complaints, 2) < 0))
        _exit(126);
    execvp(argv[0], argv);
    _exit(127); /* the shell's status for "not found" */
}

static bool read_all(int from, char **out, size_t *length)
{
    size_t room = 1 << 16, used = 0;
    char *text = mem_grow(NULL, room, 1);
    ssize_t got;
    while ((got = read(from, text + used, room - used - 1)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(text);
            return false;
        }
        used += (size_t)got;
        if (room - used < 2) {
            room = size_mul(room, 2);
            text = mem_grow(text, room, 1);
        }
    }
    text[used] = 0;
    *out = text;
    *length = used;
    return true;
}

/* The first line that a program printed to its stderr, without its name in front; what does not fit
 * is dropped. */
static void read_complaint(int from, const char *program, char *line, size_t size)
{
    ssize_t got = read(from, line, size - 1);
    line[got > 0 ? got : 0] = 0;
    size_t blank = strspn(line, "\r\n"), name = strlen(program);
    bool named = strncmp(line + blank, program, name) == 0 && line[blank + name] == ':';
    size_t start = blank + (named ? name + 1 + strspn(line + blank + name + 1, " ") : 0);
    memmove(line, line + start, strlen(line + start) + 1);
    line[strcspn(line, "\r\n")] = 0;
}

static bool ended_well(int status, const char *program, int complaints, Error *error)
{
    char line[256] = "";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(error, program, "no such program");
    if (complaints >= 0)
        read_complaint(complaints, program, line, sizeof line);
    return error_set(error, program, "%s", *line ? line : "failed");
}

/* A pipe whose ends never wait: a program that complains more than it holds loses the rest. */
static bool open_complaints(int ends[2])
{
    if (pipe(ends) != 0)
        return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    return true;
}

static void close_pipe(int ends[2])
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

/* Reads what the child prints, then how it ended. */
static bool read_child(pid_t child, const char *program, int output, int complaints, char **out,
                       size_t *length, Error *error)
{
    bool all = read_all(output, out, length);
    int why = errno, status = 0;
    close(output); /* a child that still prints ends now */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!all)
        return error_set(error, program, "cannot read what it prints: %s", strerror(why));
    if (ended_well(status, program, complaints, error))
        return true;
    free(*out);
    *out = NULL;
    return false;
}

bool process_read(char *const argv[], bool quiet, char **out, size_t *length, Error *error)
{
    int ends[2] = { -1, -1 }, complaints[2] = { -1, -1 };
    if (pipe(ends) != 0 || (quiet && !open_complaints(complaints))) {
        int why = errno;
        close_pipe(ends);
        return error_set(error, argv[0], "cannot open a pipe: %s", strerror(why));
    }
    signal(SIGCHLD, SIG_DFL); /* whoever ignores it does not learn how a child ended */
    pid_t child = fork();
    if (child < 0) {
        int why = errno;
        close_pipe(ends);
        close_pipe(complaints);
        return error_set(error, argv[0], "cannot start it: %s", strerror(why));
    }
    if (child == 0) {
        close(ends[0]);
        become(argv, ends[1], complaints[1]);
    }
    close(ends[1]);
    bool good = read_child(child, argv[0], ends[0], complaints[0], out, length, error);
    close_pipe(complaints);
    return good;
}
