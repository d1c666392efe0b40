/* A library to be loaded before libc (LD_PRELOAD), under which one call fails that otherwise would
 * succeed: FAULT="write 3" makes the third one of the class write fail. At the program's end the
 * number of its calls of that class is put into the file that FAULT_COUNT names.
 *
 * Classes: memory, open, read, write, close, sync, rename, folder, thread, process. Calls that libc
 * makes for itself are only seen where they can be replaced: its allocations are, its writes are
 * not, hence fwrite and fflush stand for write. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char failing[16], count_file[1024];
static long failing_call;
static atomic_long calls;

/* Not before: what runs before main is not the program's. */
__attribute__((constructor)) static void arm(void)
{
    const char *fault = getenv("FAULT"), *file = getenv("FAULT_COUNT");
    if (!fault || !file)
        return;
    snprintf(count_file, sizeof count_file, "%s", file);
    /* The programs that this one starts are not the ones under test. */
    unsetenv("LD_PRELOAD");
    sscanf(fault, "%15s %ld", failing, &failing_call);
    atomic_store(&calls, 0);
}

__attribute__((destructor)) static void tell(void)
{
    long count = atomic_load(&calls);
    failing[0] = 0;
    FILE *out = *count_file ? fopen(count_file, "w") : NULL;
    if (!out)
        return;
    fprintf(out, "%ld\n", count);
    fclose(out);
}

static bool fails(const char *class, int why)
{
    if (strcmp(failing, class) != 0 || atomic_fetch_add(&calls, 1) + 1 != failing_call)
        return false;
    errno = why;
    return true;
}

/* libc's own function of that name. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* --- memory: by glibc's other names, since its dlsym allocates ------------------------------- */

#ifdef __GLIBC__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
#else
#define __libc_malloc REAL(malloc)
#define __libc_calloc REAL(calloc)
#define __libc_realloc REAL(realloc)
#define __libc_memalign REAL(aligned_alloc)
#endif

void *malloc(size_t size)
{
    return fails("memory", ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails("memory", ENOMEM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails("memory", ENOMEM) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails("memory", ENOMEM) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = aligned_alloc(alignment, size);
    return *memory ? 0 : ENOMEM;
}

/* --- files ----------------------------------------------------------------------------------- */

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails("open", EMFILE) ? -1 : REAL(open)(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    return fails("open", EMFILE) ? NULL : REAL(fopen)(path, mode);
}

#ifdef __GLIBC__ /* their names where _FILE_OFFSET_BITS is 64 */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));
#endif

FILE *fdopen(int file, const char *mode)
{
    return fails("open", EMFILE) ? NULL : REAL(fdopen)(file, mode);
}

ssize_t read(int from, void *to, size_t size)
{
    return fails("read", EIO) ? -1 : REAL(read)(from, to, size);
}

size_t fwrite(const void *from, size_t size, size_t count, FILE *stream)
{
    bool memory = fileno(stream) < 0; /* open_memstream's: no call of the system's */
    return !memory && fails("write", ENOSPC) ? 0 : REAL(fwrite)(from, size, count, stream);
}

int fflush(FILE *stream)
{
    return fails("write", ENOSPC) ? EOF : REAL(fflush)(stream);
}

/* As a file system has it that writes late: closed it is, and what it was given is gone. */
int fclose(FILE *stream)
{
    bool bad = fails("close", EDQUOT), lost = bad && ftruncate(fileno(stream), 0) == 0;
    int status = REAL(fclose)(stream);
    errno = lost ? EDQUOT : errno;
    return lost ? EOF : status;
}

int fsync(int file)
{
    return fails("sync", EIO) ? -1 : REAL(fsync)(file);
}

int rename(const char *from, const char *to)
{
    return fails("rename", EACCES) ? -1 : REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    return fails("folder", ENOSPC) ? -1 : REAL(mkdir)(path, mode);
}

/* --- threads and processes ------------------------------------------------------------------- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *context)
{
    return fails("thread", EAGAIN) ? EAGAIN
                                   : REAL(pthread_create)(thread, attributes, body, context);
}

int pipe(int ends[2])
{
    return fails("process", EMFILE) ? -1 : REAL(pipe)(ends);
}

pid_t fork(void)
{
    return fails("process", EAGAIN) ? -1 : REAL(fork)();
}

/* In the child: its parent's count does not hear of it. */
int execvp(const char *program, char *const words[])
{
    return fails("process", ENOENT) ? -1 : REAL(execvp)(program, words);
}

int execv(const char *program, char *const words[])
{
    return fails("process", ENOENT) ? -1 : REAL(execv)(program, words);
}

pid_t waitpid(pid_t child, int *status, int options)
{
    return fails("process", EINTR) ? -1 : REAL(waitpid)(child, status, options);
}
