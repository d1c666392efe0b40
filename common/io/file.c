#define _GNU_SOURCE /* realpath, O_CLOEXEC, fchmod */
#include "io/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- reading --------------------------------------------------------------------------------- */

/* Room for a first read: a regular file's size and one byte more, which finds its end. */
static size_t first_room(int from)
{
    struct stat status;
    size_t room = 1 << 16;
    if (fstat(from, &status) == 0 && S_ISREG(status.st_mode) && (uintmax_t)status.st_size > room)
        room = (size_t)status.st_size;
    return room + 2;
}

/* /dev/zero and its like have no end. */
static size_t most_of(int from)
{
    enum { DEVICE = 64 << 20 };
    struct stat status;
    return fstat(from, &status) == 0 && S_ISCHR(status.st_mode) ? DEVICE : SIZE_MAX;
}

static bool give_up(char *bytes, int why)
{
    free(bytes);
    errno = why;
    return false;
}

static bool read_all(int from, char **bytes, size_t *size)
{
    size_t most = most_of(from), room = first_room(from), used = 0;
    char *all = mem_grow(NULL, room, 1);
    ssize_t got;
    while ((got = read(from, all + used, room - used - 1)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return give_up(all, errno);
        used += (size_t)got;
        if (used > most)
            return give_up(all, EFBIG);
        if (room - used < 2) {
            room = size_mul(room, 2);
            all = mem_grow(all, room, 1);
        }
    }
    all[used] = 0;
    *bytes = all;
    *size = used;
    return true;
}

bool file_read(const char *path, char **bytes, size_t *size, Error *error)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    int from = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return error_set(error, name, "cannot open it: %s", strerror(errno));
    bool good = read_all(from, bytes, size);
    if (!good)
        error_set(error, name, "cannot read it: %s", strerror(errno));
    if (!standard)
        close(from);
    return good;
}

/* --- writing --------------------------------------------------------------------------------- */

struct FileWriter {
    char *name;      /* as the caller gave it: for messages */
    char *path;      /* with links followed: what the temporary replaces */
    char *temporary; /* NULL: written straight */
    FILE *stream;
    int why; /* errno of the first failure; 0: none yet */
};

static void writer_free(FileWriter *writer)
{
    free(writer->name);
    free(writer->path);
    free(writer->temporary);
    free(writer);
}

/* Devices, pipes and what /dev names. /dev/stdout is a link to whatever standard output is: even
 * where that is a regular file, it has to be written and not replaced. */
static bool goes_straight(const char *path, bool exists, mode_t mode)
{
    return (exists && !S_ISREG(mode)) || strncmp(path, "/dev/", 5) == 0;
}

/* The file that a link leads to, so that the link stays one; another path as it is. */
static char *follow(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
        return realpath(path, NULL);
    return str_format("%s", path);
}

/* A fresh file, with the permissions of the one it is going to replace. A temporary that a killed
 * program left is in nobody's use. */
static FILE *open_temporary(const char *path, bool exists, mode_t mode)
{
    unlink(path);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (to < 0)
        return NULL;
    FILE *stream = (exists && fchmod(to, mode & 07777) != 0) ? NULL : fdopen(to, "wb");
    if (!stream) {
        int why = errno;
        close(to);
        unlink(path);
        errno = why;
    }
    return stream;
}

static bool writer_open(FileWriter *writer)
{
    struct stat status = { 0 };
    bool exists = stat(writer->name, &status) == 0;
    if (goes_straight(writer->name, exists, status.st_mode)) {
        writer->stream = fopen(writer->name, "wbe");
        return writer->stream != NULL;
    }
    if (exists && access(writer->name, W_OK) != 0)
        return false;
    writer->path = follow(writer->name);
    if (!writer->path)
        return false;
    writer->temporary = str_format("%s.tmp", writer->path);
    writer->stream = open_temporary(writer->temporary, exists, status.st_mode);
    return writer->stream != NULL;
}

FileWriter *file_create(const char *path, Error *error)
{
    FileWriter *writer = mem_alloc(1, sizeof *writer);
    writer->name = str_format("%s", path);
    if (!writer_open(writer)) {
        error_set(error, path, "cannot create it: %s", strerror(errno));
        writer_free(writer);
        return NULL;
    }
    return writer;
}

static bool remember(FileWriter *writer)
{
    if (!writer->why)
        writer->why = errno ? errno : EIO;
    return false;
}

bool file_put(FileWriter *writer, const void *bytes, size_t size)
{
    if (writer->why)
        return false;
    errno = 0;
    if (size && fwrite(bytes, 1, size, writer->stream) != size)
        return remember(writer);
    return true;
}

void file_discard(FileWriter *writer)
{
    if (!writer)
        return;
    if (writer->stream)
        fclose(writer->stream);
    if (writer->temporary)
        unlink(writer->temporary);
    writer_free(writer);
}

/* A rename lasts through a power cut once its directory is on the disk. */
static bool sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = str_format("%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (at < 0)
        return errno == EACCES; /* one may write into a directory that one may not list */
    bool good = fsync(at) == 0 || errno == EINVAL; /* EINVAL: this file system has no such thing */
    int why = errno;
    close(at);
    errno = why;
    return good;
}

/* Everything to the disk and the stream closed. */
static bool writer_close(FileWriter *writer)
{
    errno = 0;
    if (fflush(writer->stream) != 0)
        remember(writer);
    if (writer->temporary && !writer->why && fsync(fileno(writer->stream)) != 0)
        remember(writer);
    if (fclose(writer->stream) != 0)
        remember(writer);
    writer->stream = NULL;
    return !writer->why;
}

bool file_commit(FileWriter *writer, Error *error)
{
    bool good = writer_close(writer);
    if (good && writer->temporary) {
        good = rename(writer->temporary, writer->path) == 0;
        if (good) {
            free(writer->temporary);
            writer->temporary = NULL;
            good = sync_directory(writer->path);
        }
        if (!good)
            remember(writer);
    }
    if (!good)
        error_set(error, writer->name, "cannot write it: %s", strerror(writer->why));
    file_discard(writer);
    return good;
}
