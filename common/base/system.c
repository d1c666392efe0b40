/* Compiled for any processor of the architecture (see the Makefile): the check at program start
 * also runs on processors that lack the instructions that the rest was compiled for. */
#define _GNU_SOURCE /* program_invocation_short_name, sched_getaffinity, madvise */
#include "base/system.h"

#include "base/built_for.h"
#include "base/cgroup.h"
#include "base/ints.h"
#include "base/memory.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <mach-o/dyld.h>
#include <malloc/malloc.h>
#include <sys/sysctl.h>
#else
#include <malloc.h>
#endif
#ifdef __wasi__
#include <wasi/api.h>
#else
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#endif

/* --- the program ----------------------------------------------------------------------------- */

#ifdef __wasi__
/* Returns the last part of argv[0], which wasi-libc does not keep. */
static const char *called_as(void)
{
    static const char *name;
    size_t count, size;
    if (name || __wasi_args_sizes_get(&count, &size) != 0 || count == 0)
        return name ? name : "wasm";
    char *words = mem_alloc(size, 1);
    uint8_t **argv = mem_alloc(count, sizeof *argv);
    bool good = __wasi_args_get(argv, (uint8_t *)words) == 0;
    free(argv);
    name = good ? path_base(words) : "wasm";
    return name;
}
#endif

const char *system_program_name(void)
{
#if defined(__linux__)
    return program_invocation_short_name;
#elif defined(__wasi__)
    return called_as();
#else
    return getprogname();
#endif
}

bool system_own_path(char *path, size_t size)
{
#if defined(__APPLE__)
    uint32_t capacity = (uint32_t)size;
    return _NSGetExecutablePath(path, &capacity) == 0;
#elif defined(__linux__)
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length > 0)
        path[length] = 0;
    return length > 0;
#else
    (void)path, (void)size;
    return false;
#endif
}

/* --- a processor that it was not built for --------------------------------------------------- */

static void write_text(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(1);
}

/* Explains SIGILL, with async-signal-safe calls only. */
static void unknown_instruction(int signal)
{
    (void)signal;
    write_text(system_program_name());
    write_text(": processor: it lacks an instruction that this program was built with");
    write_text(built_for);
    write_text("; run make again on this machine");
    write_text(built_for_any);
    write_text("\n");
    _exit(1);
}

/* Runs before main, which may contain such an instruction itself. */
__attribute__((constructor(101))) static void explain_unknown_instructions(void)
{
    struct sigaction action = { .sa_handler = unknown_instruction }, now;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGILL, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        sigaction(SIGILL, &action, NULL);
}

/* --- processors ------------------------------------------------------------------------------ */

int system_processors(void)
{
    int all = (int)sysconf(_SC_NPROCESSORS_ONLN), quota = INT_MAX;
#ifdef __linux__
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        all = CPU_COUNT(&allowed);
    quota = cgroup_processors("");
#endif
    return int_max(int_min(all, quota), 1);
}

char *system_processor(void)
{
    static const char *const widest[] = { "avx512f", "avx2", "asimd" };
    char name[256] = "", line[8192];
    int vectors = 3;
    FILE *info = fopen("/proc/cpuinfo", "re");
    while (info && fgets(line, sizeof line, info)) {
        if (!*name)
            sscanf(line, "model name : %255[^\n]", name);
        char *rest = NULL;
        for (char *word = strtok_r(line, " \t\n", &rest); word;
             word = strtok_r(NULL, " \t\n", &rest))
            for (int i = 0; i < vectors; i++)
                if (strcmp(word, widest[i]) == 0)
                    vectors = i;
    }
    if (info)
        fclose(info);
#ifdef __APPLE__
    size_t size = sizeof name;
    sysctlbyname("machdep.cpu.brand_string", name, &size, NULL, 0);
#endif
    struct utsname system = { .machine = "unknown" };
    uname(&system);
    return str_format("%s %s", *name ? name : "unknown",
                      vectors < 3 ? widest[vectors] : system.machine);
}

/* --- memory ---------------------------------------------------------------------------------- */

size_t system_memory_free(void)
{
    FILE *info = fopen("/proc/meminfo", "re");
    char line[256];
    size_t kib, available = SIZE_MAX, swap = 0;
    while (info && fgets(line, sizeof line, info))
        if (sscanf(line, "MemAvailable: %zu", &kib) == 1)
            available = size_mul(kib, 1024);
        else if (sscanf(line, "SwapFree: %zu", &kib) == 1)
            swap = size_mul(kib, 1024);
    if (info)
        fclose(info);
    size_t all = available > SIZE_MAX - swap ? SIZE_MAX : available + swap;
    size_t group = cgroup_memory_free("", swap);
    return all < group ? all : group;
}

size_t system_memory_peak(void)
{
#ifdef __wasi__
    return 0;
#else
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
#ifdef __APPLE__
    return (size_t)usage.ru_maxrss;
#else
    return size_mul((size_t)usage.ru_maxrss, 1024);
#endif
#endif
}

void *system_alloc(size_t bytes)
{
    enum { ALIGNMENT = 64, HUGE_PAGE = 1 << 21 };
    bool large = bytes >= HUGE_PAGE;
    void *memory;
    /* Asks the system for new memory: freed memory would keep its small pages. */
#ifdef M_MMAP_THRESHOLD
    if (large)
        mallopt(M_MMAP_THRESHOLD, HUGE_PAGE);
#endif
    if (posix_memalign(&memory, large ? HUGE_PAGE : ALIGNMENT, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (large)
        madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return memory;
}

const char *system_file_folder(void)
{
    const char *named = getenv("TMPDIR");
    return named && *named ? named : "/var/tmp";
}

#ifdef __wasi__
void *system_file_alloc(size_t bytes)
{
    return calloc(bytes, 1);
}

void system_file_free(void *memory)
{
    free(memory);
}
#else
/* All of it at once: a disk that is full later would end the program at any access. */
static int reserve(int file, size_t bytes)
{
#ifdef __APPLE__
    return ftruncate(file, (off_t)bytes) == 0 ? 0 : errno;
#else
    return posix_fallocate(file, 0, (off_t)bytes);
#endif
}

enum { FILE_HEADER = 64 }; /* in front of the memory: how many bytes the file has */

void *system_file_alloc(size_t size)
{
    size_t bytes = size > PTRDIFF_MAX - FILE_HEADER ? SIZE_MAX : size + FILE_HEADER;
    char *path = str_format("%s/convnext-steps-XXXXXX", system_file_folder());
    int file = mkstemp(path), why = errno;
    void *memory = MAP_FAILED;
    if (file >= 0) {
        unlink(path);
        why = bytes > PTRDIFF_MAX ? ENOMEM : reserve(file, bytes);
        if (why == 0) {
            memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
            why = errno;
        }
        close(file);
    }
    free(path);
    errno = why;
    if (memory == MAP_FAILED)
        return NULL;
    memcpy(memory, &bytes, sizeof bytes);
    return (char *)memory + FILE_HEADER;
}

void system_file_free(void *memory)
{
    size_t bytes;
    if (!memory)
        return;
    char *start = (char *)memory - FILE_HEADER;
    memcpy(&bytes, start, sizeof bytes);
    munmap(start, bytes);
}
#endif

int64_t system_file_time(const struct stat *status)
{
#ifdef __APPLE__
    struct timespec time = status->st_mtimespec;
#else
    struct timespec time = status->st_mtim;
#endif
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

size_t system_usable_size(void *memory)
{
#ifdef __APPLE__
    return malloc_size(memory);
#else
    return malloc_usable_size(memory);
#endif
}

/* --- files ----------------------------------------------------------------------------------- */

bool system_lock(int file)
{
#ifdef __wasi__
    (void)file;
#else
    for (int tries = 0; flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; tries++) {
        if (tries == 50)
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    }
#endif
    return true;
}

int system_columns(int file)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(file, TIOCGWINSZ, &size) == 0)
        return size.ws_col;
#else
    (void)file;
#endif
    return 0;
}
