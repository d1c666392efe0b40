/* Random numbers, memory, loops, and running other programs. */
#include "base/ints.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/process.h"
#include "base/random.h"
#include "base/system.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The known answers that the generator's authors publish with it. */
Test(random, philox_gives_the_published_answers)
{
    static const uint32_t cases[3][10] = {
        { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
        { -1u, -1u, -1u, -1u, -1u, -1u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd },
        { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
          0x94fdcceb, 0x5001e420, 0x24126ea1 },
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        random_philox(cases[i], cases[i] + 4, out);
        cr_expect_arr_eq(out, cases[i] + 6, sizeof out, "case %d", i);
    }
}

Test(random, normal_numbers_have_the_moments_of_a_normal_distribution)
{
    enum { MANY = 200000 };
    double moment[5] = { 0 };
    Random r = { .seed = 5, .stream = random_stream("a name") };
    for (uint64_t i = 0; i < MANY; i++)
        for (int k = 1; k < 5; k++)
            moment[k] += pow(random_normal(r, i), k) / MANY;
    cr_expect_float_eq(moment[1], 0, 0.01);
    cr_expect_float_eq(moment[2], 1, 0.02);
    cr_expect_float_eq(moment[3], 0, 0.04);
    cr_expect_float_eq(moment[4], 3, 0.1);
}

Test(random, a_permutation_has_every_number_once)
{
    uint32_t order[1000], seen[1000] = { 0 }, fixed = 0;
    random_permutation((Random){ 1, 2 }, order, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert(order[i] < 1000);
        seen[order[i]]++;
        fixed += order[i] == i;
    }
    for (uint32_t i = 0; i < 1000; i++)
        cr_expect_eq(seen[i], 1);
    cr_expect(fixed < 10, "%u of 1000 stayed where they were", fixed);
}

Test(memory, sizes_that_overflow_are_no_sizes)
{
    cr_expect_eq(size_mul(SIZE_MAX / 2, 3), SIZE_MAX);
    cr_expect_eq(size_mul(SIZE_MAX, 0), 0u);
    cr_expect_eq(size_mul(6, 7), 42u);
}

Test(memory, more_than_there_is_ends_the_program, .exit_code = 1)
{
    mem_alloc(SIZE_MAX / 8, 8);
}

Test(memory, is_zero_and_aligned)
{
    for (size_t n = 0; n < 200; n += 7) {
        unsigned char *memory = mem_alloc(n, 1);
        cr_expect_eq((uintptr_t)memory % 64, 0u);
        for (size_t i = 0; i < n; i++)
            cr_expect_eq(memory[i], 0);
        free(memory);
    }
}

typedef struct {
    int done[1000], busy[64];
} Seen;

static void mark(void *context, int item, int worker)
{
    Seen *seen = context;
    cr_assert(worker >= 0 && worker < 3);
    cr_expect_eq(__atomic_add_fetch(&seen->busy[worker], 1, __ATOMIC_SEQ_CST), 1);
    __atomic_add_fetch(&seen->done[item], 1, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&seen->busy[worker], 1, __ATOMIC_SEQ_CST);
}

Test(parallel, every_item_is_done_once_by_a_worker_of_its_own)
{
    static Seen seen;
    thread_count_set(3);
    parallel_for(1000, mark, &seen);
    for (int i = 0; i < 1000; i++)
        cr_expect_eq(seen.done[i], 1);
}

enum { TASKS = 60, STEPS = 4, ITEMS = 40 };

typedef struct {
    int scratch[3]; /* what a worker prepared last */
    int done[TASKS][STEPS][ITEMS], guests;
} Shares;

static int steps_of(int task)
{
    return task % (STEPS + 1);
}

static int items_of(int task, int step)
{
    return (task * 7 + step * 3) % ITEMS + 1;
}

/* Every item of the step before is done. */
static int prepare(void *context, int task, int step, int worker)
{
    Shares *s = context;
    for (int i = 0; step > 0 && i < items_of(task, step - 1); i++)
        cr_expect_eq(__atomic_load_n(&s->done[task][step - 1][i], __ATOMIC_SEQ_CST), 1);
    if (step == steps_of(task))
        return 0;
    s->scratch[worker] = task * STEPS + step;
    return items_of(task, step);
}

static void check_share(void *context, const ParallelShare *share, int item, int worker)
{
    Shares *s = context;
    int expected = share->task * STEPS + share->step;
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(((volatile int *)s->scratch)[share->owner], expected);
    __atomic_add_fetch(&s->done[share->task][share->step][item], 1, __ATOMIC_SEQ_CST);
    if (worker != share->owner)
        __atomic_add_fetch(&s->guests, 1, __ATOMIC_SEQ_CST);
}

static void expect_all_done(const Shares *s)
{
    for (int task = 0; task < TASKS; task++)
        for (int step = 0; step < STEPS; step++)
            for (int i = 0; i < ITEMS; i++)
                cr_expect_eq(s->done[task][step][i],
                             step < steps_of(task) && i < items_of(task, step));
}

Test(parallel, a_task_is_shared_and_its_steps_follow_each_other)
{
    static Shares shares[2];
    thread_count_set(3);
    parallel_tasks(TASKS, 3, prepare, check_share, &shares[0]);
    expect_all_done(&shares[0]);
    parallel_tasks(TASKS, 1, prepare, check_share, &shares[1]);
    expect_all_done(&shares[1]);
    cr_expect_eq(shares[1].guests, 0);
}

static double processor_seconds(void)
{
    struct rusage used;
    cr_assert_eq(getrusage(RUSAGE_SELF, &used), 0);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void sleep_in_the_last(void *context, int item, int worker)
{
    (void)worker;
    usleep(item == *(int *)context - 1 ? 100000 : 1);
}

/* For a slow thread, and then for the next loop. Whoever looked all the time would need a processor
 * for 100 ms, twice; others' load takes nothing from that but time. */
Test(parallel, waiting_threads_sleep)
{
    for (int more = 0; more < 3; more += 2) {
        int threads = int_min(4, system_processors()) + more;
        thread_count_set(threads);
        parallel_for(threads, sleep_in_the_last, &threads); /* by now they are there */
        double before = processor_seconds();
        parallel_for(threads, sleep_in_the_last, &threads);
        usleep(100000);
        double used = processor_seconds() - before;
        cr_expect_lt(used, 0.05, "%d threads: %g s of 0.2", threads, used);
    }
}

/* Two threads in the same task: one waits in its item until the other has begun one as well. */
static int prepare_two(void *context, int task, int step, int worker)
{
    (void)context, (void)task, (void)worker;
    return step == 0 ? 2 : 0;
}

static void wait_for_both(void *context, const ParallelShare *share, int item, int worker)
{
    (void)share, (void)item, (void)worker;
    int *begun = context;
    __atomic_add_fetch(begun, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(begun, __ATOMIC_SEQ_CST) < 2)
        sched_yield();
}

Test(parallel, a_single_task_is_done_by_two_threads, .timeout = 60)
{
    int begun = 0;
    thread_count_set(2);
    parallel_tasks(1, 2, prepare_two, wait_for_both, &begun);
    cr_expect_eq(begun, 2);
}

Test(process, gives_what_a_program_prints)
{
    char *out = NULL;
    size_t length = 0;
    Error error = { "" };
    cr_assert(process_read((char *[]){ "printf", "%s-%s", "a b", "$HOME", NULL }, false, &out,
                           &length, &error),
              "%s", error.text);
    cr_expect_str_eq(out, "a b-$HOME");
    cr_expect_eq(length, 9u);
    free(out);
}

Test(process, says_why_a_program_gave_nothing)
{
    char *out = NULL;
    size_t length = 0;
    Error error = { "" };
    cr_expect_not(
        process_read((char *[]){ "no-such-program-here", NULL }, true, &out, &length, &error));
    cr_expect_str_eq(error.text, "no-such-program-here: no such program");
    cr_expect_not(process_read((char *[]){ "false", NULL }, true, &out, &length, &error));
    cr_expect_str_eq(error.text, "false: failed");
    char *const says[] = { "sh", "-c", "printf '\\nsh: that is why\\nand more\\n' >&2; exit 3",
                           NULL };
    cr_expect_not(process_read(says, true, &out, &length, &error));
    cr_expect_str_eq(error.text, "sh: that is why");
    /* Another machine's program has bytes that are commands to a shell. */
    char *folder = folder_new(), *foreign = str_format("%s/05_x", folder);
    run_well("printf '\\177ELF\\n>%s/made\\n' > '%s' && chmod +x '%s'", folder, foreign, foreign);
    cr_expect_not(process_read((char *[]){ foreign, NULL }, true, &out, &length, &error));
    cr_expect(strstr(error.text, "/05_x: cannot be run here"), "%s", error.text);
    run_well("test ! -e '%s/made'", folder);
    free(foreign);
    folder_remove(folder);
    /* More than a pipe holds: nobody waits for anybody. */
    char *const floods[] = { "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1",
                             NULL };
    cr_expect_not(process_read(floods, true, &out, &length, &error));
    cr_expect(strncmp(error.text, "sh: xxxx", 8) == 0, "%.20s", error.text);
}
