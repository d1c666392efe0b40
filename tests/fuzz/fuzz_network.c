/* Any words are options that make a network, which is then reported, or an error with status 1 or
 * 2. Linked with --wrap=exit: an error leaves the program under test and not the fuzzer. */
#define main step_program
#include "../../steps/04_inverted_bottleneck/main.c"
#undef main

#include <sanitizer/allocator_interface.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);

enum { WORDS = 64, LINE = 1024, MOST_EVENTS = 1 << 22 };

static jmp_buf left;
static int left_with;
static bool inside;

_Noreturn void __wrap_exit(int status)
{
    if (!inside)
        __real_exit(status);
    left_with = status;
    longjmp(left, 1);
}

/* --- memory: a program that ends with an error frees nothing --------------------------------- */

typedef struct {
    uintptr_t address;
    int change; /* 1: allocated, -1: freed */
} Event;

static Event events[MOST_EVENTS];
static size_t event_count;

static void note(const volatile void *memory, int change)
{
    if (!inside || !memory)
        return;
    if (event_count == MOST_EVENTS)
        abort();
    events[event_count++] = (Event){ (uintptr_t)memory, change };
}

static void allocated(const volatile void *memory, size_t size)
{
    (void)size;
    note(memory, 1);
}

static void freed(const volatile void *memory)
{
    note(memory, -1);
}

static int by_address(const void *a, const void *b)
{
    const Event *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static void free_the_rest(void)
{
    qsort(events, event_count, sizeof *events, by_address);
    for (size_t i = 0, next; i < event_count; i = next) {
        int alive = 0;
        for (next = i; next < event_count && events[next].address == events[i].address; next++)
            alive += events[next].change;
        if (alive > 0)
            free((void *)events[i].address);
    }
}

/* --- the program ----------------------------------------------------------------------------- */

static int run(int argc, char **argv)
{
    event_count = 0;
    inside = true;
    int status = setjmp(left) == 0 ? step_program(argc, argv) : -1;
    inside = false;
    if (status >= 0)
        return status;
    free_the_rest();
    return left_with;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char buffer[BUFSIZ];
    (void)argc, (void)argv;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    return __sanitizer_install_malloc_and_free_hooks(allocated, freed) ? 0 : 1;
}

/* The first byte chooses between the commands that neither read nor write a file. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char line[LINE + 1];
    if (size < 1 || size > LINE)
        return 0;
    memcpy(line, bytes + 1, size - 1);
    line[size - 1] = 0;
    char *argv[WORDS + 3] = { "/nowhere/04_inverted_bottleneck",
                              bytes[0] == 'k' ? "keys" : "report" };
    int argc = 2;
    for (char *word = strtok(line, " \n"); word && argc < WORDS; word = strtok(NULL, " \n"))
        argv[argc++] = word;
    int status = run(argc, argv);
    if (status < 0 || status > 2)
        abort();
    return 0;
}
