#include "base/process.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become(char *const argv[], bool quiet, int output)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || (quiet && dup2(null, 2) < 0))
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

bool process_read(char *const argv[], bool quiet, char **out, size_t *length, Error *error)
{
    int ends[2];
    if (pipe(ends) != 0)
        return error_set(error, argv[0], "cannot open a pipe: %s", strerror(errno));
    signal(SIGCHLD, SIG_DFL); /* whoever ignores it does not learn how a child ended */
    pid_t child = fork();
    if (child < 0) {
        int why = errno;
        close(ends[0]);
        close(ends[1]);
        return error_set(error, argv[0], "cannot start it: %s", strerror(why));
    }
    if (child == 0) {
        close(ends[0]);
        become(argv, quiet, ends[1]);
    }
    close(ends[1]);
    bool all = read_all(ends[0], out, length);
    int why = errno, status = 0;
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!all)
        return error_set(error, argv[0], "cannot read what it prints: %s", strerror(why));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        free(*out);
        *out = NULL;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
            return error_set(error, argv[0], "no such program");
        return error_set(error, argv[0], "failed");
    }
    return true;
}
