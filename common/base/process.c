#include "base/process.h"

#include "base/path.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn void process_become(char *const argv[])
{
    if (strchr(argv[0], '/'))
        execv(argv[0], argv);
    else
        execvp(argv[0], argv);
    _exit(errno == ENOENT ? 127 : 126);
}

static _Noreturn void exec_child(char *const argv[], int output, int errors)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 ||
        (errors >= 0 && dup2(errors, 2) < 0))
        _exit(126);
    process_become(argv);
}

/* Reads the first line that a program printed to its stderr, without the last part of the program's
 * path in front, where that is what it calls itself; the rest is dropped. */
static void read_error_line(int from, const char *program, char *line, size_t size)
{
    program = path_base(program);
    ssize_t count = read(from, line, size - 1);
    line[count > 0 ? count : 0] = 0;
    size_t blank = strspn(line, "\r\n"), name = strlen(program);
    bool named = strncmp(line + blank, program, name) == 0 && line[blank + name] == ':';
    size_t start = blank + (named ? name + 1 + strspn(line + blank + name + 1, " ") : 0);
    memmove(line, line + start, strlen(line + start) + 1);
    line[strcspn(line, "\r\n")] = 0;
}

/* Sets the error in any case: a program may say why it prints nothing, and end with status 0. */
static bool exited_well(int status, const char *program, int errors, Error *error)
{
    char line[256] = "";
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(error, program, "no such program");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 126)
        return error_set(error, program, "cannot be run here");
    if (errors >= 0)
        read_error_line(errors, program, line, sizeof line);
    error_set(error, program, "%s", *line ? line : good ? "prints nothing" : "failed");
    return good;
}

/* Opens a pipe that programs started at the same time do not get, and so cannot keep open. */
static bool open_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

/* Opens a pipe whose ends never block: a program that prints more than the pipe holds loses the
 * rest. */
static bool open_error_pipe(int ends[2])
{
    if (!open_pipe(ends))
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

/* Reads the child's output, then its exit status. */
static bool read_child(pid_t child, const char *program, int output, int errors, char **out,
                       size_t *length, Error *error)
{
    bool all = text_read(output, out, length);
    int saved_errno = errno, status = 0;
    close(output); /* a child that still prints ends now */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!all)
        return error_set(error, program, "cannot read what it prints: %s", strerror(saved_errno));
    if (exited_well(status, program, errors, error))
        return true;
    free(*out);
    *out = NULL;
    return false;
}

bool process_read(char *const argv[], bool quiet, char **out, size_t *length, Error *error)
{
    int ends[2] = { -1, -1 }, errors[2] = { -1, -1 };
    if (!open_pipe(ends) || (quiet && !open_error_pipe(errors))) {
        int saved_errno = errno;
        close_pipe(ends);
        return error_set(error, argv[0], "cannot open a pipe: %s", strerror(saved_errno));
    }
    signal(SIGCHLD, SIG_DFL); /* were it ignored, waitpid would not report the status */
    pid_t child = fork();
    if (child < 0) {
        int saved_errno = errno;
        close_pipe(ends);
        close_pipe(errors);
        return error_set(error, argv[0], "cannot start it: %s", strerror(saved_errno));
    }
    if (child == 0) {
        close(ends[0]);
        exec_child(argv, ends[1], errors[1]);
    }
    close(ends[1]);
    bool good = read_child(child, argv[0], ends[0], errors[0], out, length, error);
    close_pipe(errors);
    return good;
}
