#include "io/file.h"

#include "base/memory.h"
#include "base/path.h"
#include "base/stop.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- reading --------------------------------------------------------------------------------- */

bool file_read(const char *path, char **bytes, size_t *size, Error *error)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    int from = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return error_set(error, name, "cannot open it: %s", strerror(errno));
    bool good = text_read(from, bytes, size);
    if (!good)
        error_set(error, name, "cannot read it: %s",
                  errno == EISDIR ? "it is a folder" : strerror(errno));
    if (!standard)
        close(from);
    return good;
}

/* --- temporaries ----------------------------------------------------------------------------- */

struct FileWriter {
    char *name;      /* as the caller gave it, for messages */
    char *path;      /* with links followed: the file that the temporary replaces */
    char *temporary; /* NULL: written directly */
    FILE *stream;
    int saved_errno; /* errno of the first failure; 0: none yet */
    FileWriter *next;
};

/* The writers that have a temporary. Changed only while the signals that end the program are
 * blocked. */
static FileWriter *unfinished;

static sigset_t block_signals(void)
{
    sigset_t blocked, before;
    sigemptyset(&blocked);
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaddset(&blocked, stop_signals[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    return before;
}

static void remove_unfinished(void)
{
    for (FileWriter *w = unfinished; w; w = w->next)
        unlink(w->temporary);
}

/* Removes the temporaries; then the signal takes its default effect. */
static void handle_signal(int signal)
{
    remove_unfinished();
    raise(signal);
}

void file_clean_at_end(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    struct sigaction now, action = { .sa_handler = handle_signal, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < STOP_SIGNALS; i++)
        if (sigaction(stop_signals[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            sigaction(stop_signals[i], &action, NULL); /* under nohup a signal stays ignored */
    atexit(remove_unfinished);
}

/* Unlists a temporary that was removed or renamed. */
static void unlist_temporary(FileWriter *writer)
{
    sigset_t before = block_signals();
    FileWriter **at = &unfinished;
    while (*at && *at != writer)
        at = &(*at)->next;
    if (*at)
        *at = writer->next;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(writer->temporary);
    writer->temporary = NULL;
}

/* Creates "path.PID.tmp", or the next number that is free: another program with that PID, or a
 * killed one, may have left a file. */
static int create_temporary(FileWriter *writer)
{
    for (long number = getpid();; number++) {
        char *name = str_format("%s.%ld.tmp", writer->path, number);
        int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (to >= 0) {
            writer->temporary = name;
            writer->next = unfinished;
            unfinished = writer;
            return to;
        }
        int saved_errno = errno;
        free(name);
        errno = saved_errno;
        if (saved_errno != EEXIST)
            return -1;
    }
}

static bool open_temporary(FileWriter *writer)
{
    sigset_t before = block_signals();
    int to = create_temporary(writer), saved_errno = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved_errno;
    if (to < 0)
        return false;
    writer->stream = fdopen(to, "wb");
    if (!writer->stream)
        close(to);
    return writer->stream != NULL;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool has_prefix(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* Tests for devices, pipes and open files by name. /dev/stdout is a link to standard output: even
 * if that is a regular file, it must be written, not replaced. */
static bool is_written_directly(const char *path, bool exists, mode_t mode)
{
    return (exists && !S_ISREG(mode)) || has_prefix(path, "/dev/std") ||
           has_prefix(path, "/dev/fd/") || has_prefix(path, "/proc/");
}

/* Returns the file that a link leads to, so that the link stays a link; any other path
 * unchanged. */
static char *resolve_link(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
        return realpath(path, NULL);
    return str_format("%s", path);
}

static bool writer_open(FileWriter *writer)
{
    struct stat status = { 0 };
    bool exists = stat(writer->name, &status) == 0;
    if (is_written_directly(writer->name, exists, status.st_mode)) {
        writer->stream = fopen(writer->name, "wbe");
        return writer->stream != NULL;
    }
    if (exists && access(writer->name, W_OK) != 0)
        return false;
    writer->path = resolve_link(writer->name);
    if (!writer->path)
        return false;
    /* The new file gets the permissions of the one it replaces. */
    return open_temporary(writer) &&
           (!exists || fchmod(fileno(writer->stream), status.st_mode & 07777) == 0);
}

/* Tests for a dangling link. It is not followed: its target could be anywhere. */
static bool is_dangling_link(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && stat(path, &status) != 0;
}

FileWriter *file_create(const char *path, Error *error)
{
    FileWriter *writer = mem_alloc(1, sizeof *writer);
    writer->name = str_format("%s", path);
    if (!writer_open(writer)) {
        int saved_errno = errno;
        error_set(error, path, "cannot create it: %s",
                  is_dangling_link(path)  ? "it is a link to a file that is not there"
                  : saved_errno == ENOENT ? "there is no such folder"
                                          : strerror(saved_errno));
        file_discard(writer);
        return NULL;
    }
    return writer;
}

static bool note_error(FileWriter *writer)
{
    if (!writer->saved_errno)
        writer->saved_errno = errno ? errno : EIO;
    return false;
}

bool file_put(FileWriter *writer, const void *bytes, size_t size)
{
    if (writer->saved_errno)
        return false;
    errno = 0;
    if (size && fwrite(bytes, 1, size, writer->stream) != size)
        return note_error(writer);
    return true;
}

void file_discard(FileWriter *writer)
{
    if (!writer)
        return;
    if (writer->stream)
        fclose(writer->stream);
    if (writer->temporary) {
        unlink(writer->temporary);
        unlist_temporary(writer);
    }
    free(writer->name);
    free(writer->path);
    free(writer);
}

/* Tests whether open_temporary would give this name to a temporary of `of`. */
static bool is_temporary(const char *name, const char *of)
{
    size_t length = strlen(of);
    if (strncmp(name, of, length) != 0 || name[length] != '.')
        return false;
    size_t digits = strspn(name + length + 1, "0123456789");
    return digits && strcmp(name + length + 1 + digits, ".tmp") == 0;
}

void file_sweep(const char *path)
{
    const char *name = path_base(path);
    char *folder = str_format("%.*s.", (int)(name - path), path);
    DIR *dir = opendir(folder);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (is_temporary(e->d_name, name))
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
    free(folder);
}

/* Syncs the directory: only then does a rename survive a power failure. */
static bool sync_directory(const char *path)
{
    char *directory = str_format("%.*s.", (int)(path_base(path) - path), path);
    int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (at < 0)
        return errno == EACCES; /* a directory may be writable but not readable */
    bool good = fsync(at) == 0 || errno == EINVAL; /* EINVAL: not supported by this file system */
    int saved_errno = errno;
    close(at);
    errno = saved_errno;
    return good;
}

/* Writes everything to the disk and closes the stream. */
static bool writer_close(FileWriter *writer)
{
    errno = 0;
    if (fflush(writer->stream) != 0)
        note_error(writer);
    if (writer->temporary && !writer->saved_errno && fsync(fileno(writer->stream)) != 0)
        note_error(writer);
    if (fclose(writer->stream) != 0)
        note_error(writer);
    writer->stream = NULL;
    return !writer->saved_errno;
}

bool file_commit(FileWriter *writer, Error *error)
{
    bool good = writer_close(writer);
    if (good && writer->temporary) {
        good = rename(writer->temporary, writer->path) == 0;
        if (good) {
            unlist_temporary(writer);
            good = sync_directory(writer->path);
        }
        if (!good)
            note_error(writer);
    }
    if (!good)
        error_set(error, writer->name, "cannot write it: %s", strerror(writer->saved_errno));
    file_discard(writer);
    return good;
}

bool file_write(const char *path, const void *bytes, size_t size, Error *error)
{
    FileWriter *writer = file_create(path, error);
    return writer && (file_put(writer, bytes, size), file_commit(writer, error));
}
