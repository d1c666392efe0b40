#define _GNU_SOURCE
#include "sandbox.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/stop.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 64, PRINTED = 4 << 20, SLICE = 20 /* milliseconds between two looks */ };
static const uint64_t memory_limit = (uint64_t)4 << 30, file_limit = 256 << 20,
                      folder_limit = 512 << 20;

/* --- the folder ------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status, (void)kind, (void)ftw;
    return remove(path), 0;
}

/* Of folders without permissions, as a program may leave them, too. */
static int open_entry(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status, (void)ftw;
    return kind == FTW_DNR ? chmod(path, 0700) : 0;
}

static char *made;

static void remove_made(void)
{
    nftw(made, open_entry, 16, FTW_PHYS);
    nftw(made, remove_entry, 16, FTW_PHYS | FTW_DEPTH);
}

const char *sandbox_new(void)
{
    const char *base = getenv("TMPDIR");
    char *folder = str_format("%s/grade-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder) || !(made = realpath(folder, NULL)))
        error_die(EXIT_FAILED, folder, "cannot make such a folder: %s", strerror(errno));
    atexit(remove_made);
    free(folder);
    return made;
}

static uint64_t folder_bytes;

static int count_entry(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)path, (void)ftw;
    if (kind == FTW_F)
        folder_bytes += (uint64_t)status->st_blocks * 512;
    return 0;
}

static bool is_full(const char *folder)
{
    folder_bytes = 0;
    nftw(folder, count_entry, 16, FTW_PHYS);
    return folder_bytes > folder_limit;
}

/* --- the limits ------------------------------------------------------------------------------- */

/* The user's processes and threads, which the system counts together; 0 where /proc has none. */
static rlim_t running(void)
{
    rlim_t count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *e = proc ? readdir(proc) : NULL; e; e = readdir(proc)) {
        char path[300];
        struct stat tasks;
        snprintf(path, sizeof path, "/proc/%s/task", e->d_name);
        if (isdigit((unsigned char)*e->d_name) && stat(path, &tasks) == 0 &&
            tasks.st_uid == getuid())
            count += tasks.st_nlink - 2;
    }
    if (proc)
        closedir(proc);
    return count;
}

static void limit(int resource, uint64_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0 || (now.rlim_max != RLIM_INFINITY && now.rlim_max < most))
        return;
    now = (struct rlimit){ .rlim_cur = most, .rlim_max = most };
    setrlimit(resource, &now);
}

static void set_limits(int seconds)
{
    rlim_t others = running();
    /* At the soft limit SIGXCPU comes, which says why; at the hard one SIGKILL. */
    struct rlimit cpu = { (rlim_t)seconds, (rlim_t)seconds + 2 };
    setrlimit(RLIMIT_CPU, &cpu);
    limit(RLIMIT_FSIZE, file_limit);
    limit(RLIMIT_CORE, 0);
    if (others)
        limit(RLIMIT_NPROC, others + PROCESSES);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* which reserve terabytes */
    limit(RLIMIT_AS, memory_limit);
#endif
}

static _Noreturn void become(const char *folder, const char *where, const char *const *argv,
                             const int out[2], const int err[2], int seconds)
{
    int null = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    setenv("TMPDIR", folder, 1);
    setenv("HOME", folder, 1);
    setenv("LC_ALL", "C", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    if (null < 0 || chdir(where) != 0 || dup2(null, 0) < 0 || dup2(out[1], 1) < 0 ||
        dup2(err[1], 2) < 0)
        _exit(126);
    set_limits(seconds);
    process_become((char *const *)argv);
}

/* --- running ---------------------------------------------------------------------------------- */

/* Reads what is there; what is past the limit is dropped and counts. Returns false at the end. */
static bool read_some(int from, char **text, size_t *size, size_t *printed)
{
    char bytes[1 << 16];
    ssize_t count = read(from, bytes, sizeof bytes);
    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    *printed += (size_t)count;
    size_t kept = (size_t)count < PRINTED - *size ? (size_t)count : PRINTED - *size;
    *text = mem_grow(*text, *size + kept + 1, 1);
    memcpy(*text + *size, bytes, kept);
    *size += kept;
    (*text)[*size] = 0;
    return true;
}

typedef struct {
    int from[2]; /* its output and its errors; -1 at the end */
    char *text[2];
    size_t size[2], printed;
} Pipes;

/* Waits for a slice's time at most. */
static void listen(Pipes *p)
{
    struct pollfd polled[2];
    for (int i = 0; i < 2; i++)
        polled[i] = (struct pollfd){ .fd = p->from[i], .events = POLLIN };
    bool both = p->from[0] < 0 && p->from[1] < 0;
    if (poll(polled, 2, both ? 1 : SLICE) <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (polled[i].revents && !read_some(p->from[i], &p->text[i], &p->size[i], &p->printed)) {
            close(p->from[i]);
            p->from[i] = -1;
        }
}

/* Waits for its end, or ends it and says why. */
static const char *watch(pid_t child, Pipes *p, const char *folder, int seconds, int *status)
{
    double start = clock_seconds(), looked = start;
    const char *over = NULL;
    while (waitpid(child, status, WNOHANG) == 0) {
        listen(p);
        double now = clock_seconds();
        if (p->printed > PRINTED)
            over = "it prints more than 4 MiB";
        else if (now - start > 3 * seconds)
            over = "it does not end";
        else if (now - looked > 0.1) {
            looked = now;
            over = is_full(folder) ? "it writes more than 512 MiB" : NULL;
        }
        if (over || stop_asked()) {
            kill(-child, SIGKILL);
            waitpid(child, status, 0);
            break;
        }
    }
    if (!over && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGXCPU)
        over = "it does not end";
    if (!over && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGXFSZ)
        over = "it writes a file of more than 256 MiB";
    /* SIGKILL is what follows SIGXCPU where that is caught. */
    if (!over && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL)
        over = "the system ended it: too long, or too much memory";
    return over;
}

static bool open_pipe(int ends[2])
{
    return pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

Outcome sandbox_run(const char *folder, const char *where, const char *const *argv, int seconds)
{
    int out[2], err[2], status = 0;
    if (!open_pipe(out) || !open_pipe(err))
        error_die(EXIT_FAILED, argv[0], "cannot open a pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0)
        error_die(EXIT_FAILED, argv[0], "cannot start a process: %s", strerror(errno));
    if (child == 0)
        become(folder, where, argv, out, err, seconds);
    setpgid(child, child);
    close(out[1]);
    close(err[1]);
    Pipes p = { .from = { out[0], err[0] } };
    for (int i = 0; i < 2; i++) {
        p.text[i] = mem_grow(NULL, 1, 1);
        *p.text[i] = 0;
    }
    Outcome o = { .over = watch(child, &p, folder, seconds, &status) };
    kill(-child, SIGKILL);        /* what it left running */
    for (int i = 0; i < 2; i++) { /* what it printed last */
        struct pollfd more = { .fd = p.from[i], .events = POLLIN };
        while (more.fd >= 0 && p.printed <= PRINTED && poll(&more, 1, 0) > 0 &&
               read_some(more.fd, &p.text[i], &p.size[i], &p.printed))
            ;
        if (p.from[i] >= 0)
            close(p.from[i]);
    }
    if (stop_asked())
        error_die(EXIT_FAILED, argv[0], "ended by a signal");
    o.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    o.out = p.text[0];
    o.err = p.text[1];
    o.out_size = p.size[0];
    return o;
}

void outcome_free(Outcome *outcome)
{
    free(outcome->out);
    free(outcome->err);
}
