/* A pool of threads that wait for loops.
 *
 * A loop is published by setting `open` to its number. Every thread that sees it open takes items
 * until none is left. So does the caller, which therefore never waits for a thread that is slow to
 * wake up, only for those that are in the middle of an item. Waiting threads poll for some
 * microseconds, since the next loop mostly starts at once, and then sleep, since others may want
 * the processor.
 *
 * In a loop of tasks a thread publishes the items of its current task in the same way, in its own
 * part; a thread without a task is a helper there. */
#include "base/parallel.h"

#include "base/ints.h"
#include "base/system.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_THREADS = 1024, POLLS = 100000 };
#define QUIT UINT_MAX

static int threads_wanted; /* 0: not known yet */

/* A thread's own part of a loop, on separate cache lines. */
typedef struct {
    _Alignas(64) atomic_int next; /* the item or task to be taken next */
    int end;
    /* of the thread's current task: */
    _Alignas(64) atomic_ullong items; /* not yet taken; see range() */
    atomic_int helping;               /* other threads that look at the items or run one */
    ParallelShare share;
} Part;

static struct {
    Part parts[MAX_THREADS];
    /* the loop */
    ParallelBody *body;
    ParallelPrepare *prepare; /* NULL: a loop over items, else over tasks */
    ParallelShared *shared;
    void *context;
    atomic_int unfinished; /* tasks */
    int helpers;           /* threads besides the caller that may take part */
    atomic_uint open;      /* the loop's number; 0: no loop is open */
    atomic_int active;     /* threads besides the caller that look at the loop */
    /* the threads */
    pthread_t threads[MAX_THREADS];
    int started;
    pid_t process; /* the process that started the threads: a forked child has none of them */
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    atomic_int asleep;
    atomic_bool caller_waits;
    pthread_mutex_t caller; /* held by the thread that called the loop */
    unsigned loops;         /* loops so far */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
           .work = PTHREAD_COND_INITIALIZER,
           .done = PTHREAD_COND_INITIALIZER,
           .caller = PTHREAD_MUTEX_INITIALIZER };

/* This thread's number as a worker, and whether it is inside a loop. */
static _Thread_local int own_worker;
static _Thread_local bool in_loop;

/* --- number of threads ----------------------------------------------------------------------- */

/* The number of polls before a waiting thread sleeps: 0 where a running thread needs its
 * processor. */
static atomic_int polls;

void thread_count_set(int threads)
{
    threads_wanted = int_max(1, int_min(threads, MAX_THREADS));
    atomic_store(&polls, threads_wanted <= system_processors() ? POLLS : 0);
}

int thread_count(void)
{
    if (threads_wanted == 0) {
        const char *set = getenv("OMP_NUM_THREADS");
        int threads = set ? atoi(set) : 0;
        thread_count_set(threads < 1 ? system_processors() : threads);
    }
    return threads_wanted;
}

/* --- tasks with shared items ----------------------------------------------------------------- */

enum { NONE = -1 };

/* Pauses between two polls of what other threads are about to finish: one of them may need the
 * processor. */
static void back_off(int *poll)
{
    if (*poll < atomic_load(&polls))
        ++*poll;
    else
        sched_yield();
}

/* Packs items first … end-1 into one number, so that a single atomic operation can take one at
 * either end. */
static unsigned long long range(int first, int end)
{
    return (unsigned long long)end << 32 | (unsigned)first;
}

static int first_of(unsigned long long items)
{
    return (int)(items & UINT_MAX);
}

static int end_of(unsigned long long items)
{
    return (int)(items >> 32);
}

static int take_item(Part *part, bool last)
{
    unsigned long long items = atomic_load(&part->items), rest;
    int first, end;
    do {
        first = first_of(items), end = end_of(items);
        if (first == end)
            return NONE;
        rest = last ? range(first, end - 1) : range(first + 1, end);
    } while (!atomic_compare_exchange_weak(&part->items, &items, rest));
    return last ? end - 1 : first;
}

static bool run_items(Part *part, int worker, bool from_last)
{
    bool any = false;
    for (int i; (i = take_item(part, from_last)) != NONE; any = true)
        pool.shared(pool.context, &part->share, i, worker);
    return any;
}

/* Runs one task. A helper counts itself in before it looks for items, and the owner waits for its
 * helpers after the last item is taken, so none is in an item when the next step is prepared. */
static void run_task(int task, int worker)
{
    Part *own = &pool.parts[worker];
    for (int step = 0, items; (items = pool.prepare(pool.context, task, step, worker)) > 0;
         step++) {
        own->share = (ParallelShare){ task, step, worker };
        atomic_store(&own->items, range(0, items));
        run_items(own, worker, false);
        for (int poll = 0; atomic_load(&own->helping) != 0;)
            back_off(&poll);
    }
    atomic_fetch_sub(&pool.unfinished, 1);
}

static bool help_with_task(Part *part, int worker)
{
    unsigned long long items = atomic_load_explicit(&part->items, memory_order_relaxed);
    if (first_of(items) == end_of(items))
        return false;
    atomic_fetch_add(&part->helping, 1);
    bool any = run_items(part, worker, true);
    atomic_fetch_sub(&part->helping, 1);
    return any;
}

static void help_with_all_tasks(int worker)
{
    for (int poll = 0; atomic_load(&pool.unfinished) > 0; back_off(&poll))
        for (int k = 1; k <= pool.helpers; k++)
            if (help_with_task(&pool.parts[(worker + k) % (pool.helpers + 1)], worker))
                poll = 0;
}

/* --- the threads ----------------------------------------------------------------------------- */

static void run_part(Part *part, int worker)
{
    for (int i; (i = atomic_fetch_add(&part->next, 1)) < part->end;)
        if (pool.prepare)
            run_task(i, worker);
        else
            pool.body(pool.context, i, worker);
}

/* Takes items, first from the thread's own part, then from the others'. The parts are the same in
 * every loop of as many items, so that a thread mostly finds in its cache what it wrote there in
 * the loop before. */
static void run_parts(int worker)
{
    own_worker = worker;
    in_loop = true;
    for (int k = 0; k <= pool.helpers; k++)
        run_part(&pool.parts[(worker + k) % (pool.helpers + 1)], worker);
    if (pool.prepare)
        help_with_all_tasks(worker);
    in_loop = false;
}

/* Joins the open loop. The caller closes a loop before it looks for active threads, and a thread
 * counts as active before it looks whether the loop is open, so none reads a loop that has
 * ended. */
static void join_loop(int worker)
{
    atomic_fetch_add(&pool.active, 1);
    if (atomic_load(&pool.open) && worker <= pool.helpers)
        run_parts(worker);
    if (atomic_fetch_sub(&pool.active, 1) == 1 && atomic_load(&pool.caller_waits)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_signal(&pool.done);
        pthread_mutex_unlock(&pool.lock);
    }
}

/* Tests for a loop that this thread has not joined yet. */
static bool is_new(unsigned loop, unsigned last)
{
    return loop != 0 && loop != last;
}

static unsigned next_loop(unsigned last)
{
    unsigned loop = 0;
    for (int poll = atomic_load(&polls); poll > 0; poll--) {
        loop = atomic_load_explicit(&pool.open, memory_order_relaxed);
        if (is_new(loop, last))
            return loop;
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.asleep, 1);
    while (!is_new(loop = atomic_load(&pool.open), last))
        pthread_cond_wait(&pool.work, &pool.lock);
    atomic_fetch_sub(&pool.asleep, 1);
    pthread_mutex_unlock(&pool.lock);
    return loop;
}

static void *run_thread(void *worker)
{
    for (unsigned last = 0; (last = next_loop(last)) != QUIT;)
        join_loop((int)(intptr_t)worker);
    return NULL;
}

static void wake_threads(void)
{
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

/* Ends the threads at program exit, unless exit() was called inside a thread's item. */
static void end_threads(void)
{
    if (own_worker != 0 || getpid() != pool.process)
        return;
    atomic_store(&pool.open, QUIT);
    wake_threads();
    for (int i = 0; i < pool.started; i++)
        pthread_join(pool.threads[i], NULL);
}

/* Starts threads; where the system grants fewer than asked for, fewer take part. */
static void start_threads(int helpers)
{
    sigset_t all, before;
    if (pool.started >= helpers)
        return;
    if (pool.process == 0) {
        pool.process = getpid();
        atexit(end_threads);
    }
    sigfillset(&all); /* signals go to the main thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.started < helpers && pthread_create(&pool.threads[pool.started], NULL, run_thread,
                                                    (void *)(intptr_t)(pool.started + 1)) == 0)
        pool.started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* --- loops ----------------------------------------------------------------------------------- */

static void publish(int items, int helpers)
{
    pool.helpers = helpers;
    atomic_store(&pool.unfinished, items);
    for (int k = 0; k <= helpers; k++) {
        pool.parts[k].end = (int)((int64_t)items * (k + 1) / (helpers + 1));
        atomic_store(&pool.parts[k].next, (int)((int64_t)items * k / (helpers + 1)));
    }
    pool.loops = pool.loops == QUIT - 1 ? 1 : pool.loops + 1;
    atomic_store(&pool.open, pool.loops);
    if (atomic_load(&pool.asleep))
        wake_threads();
}

static void wait_for_helpers(void)
{
    atomic_store(&pool.open, 0);
    for (int poll = atomic_load(&polls); poll > 0; poll--)
        if (atomic_load(&pool.active) == 0)
            return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_waits, true);
    while (atomic_load(&pool.active) != 0)
        pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.caller_waits, false);
    pthread_mutex_unlock(&pool.lock);
}

/* Tests whether this thread may share its loop, with up to `max_threads` - 1 others. */
static bool acquire_pool(int max_threads, int *helpers)
{
    *helpers = thread_count() < max_threads ? thread_count() - 1 : max_threads - 1;
    return *helpers > 0 && !in_loop && pthread_mutex_trylock(&pool.caller) == 0;
}

static void run_loop(int items, int helpers)
{
    start_threads(helpers);
    publish(items, helpers);
    run_parts(0);
    wait_for_helpers();
    pthread_mutex_unlock(&pool.caller);
}

void parallel_for(int items, ParallelBody *body, void *context)
{
    int helpers;
    if (acquire_pool(items, &helpers)) {
        pool.body = body, pool.prepare = NULL, pool.context = context;
        run_loop(items, helpers);
        return;
    }
    for (int i = 0; i < items; i++)
        body(context, i, own_worker);
}

void parallel_tasks(int tasks, int max_threads, ParallelPrepare *prepare, ParallelShared *body,
                    void *context)
{
    int helpers;
    if (acquire_pool(max_threads, &helpers)) {
        pool.prepare = prepare, pool.shared = body, pool.context = context;
        run_loop(tasks, helpers);
        return;
    }
    for (int task = 0; task < tasks; task++)
        for (int step = 0, items; (items = prepare(context, task, step, own_worker)) > 0; step++)
            for (int i = 0; i < items; i++)
                body(context, &(ParallelShare){ task, step, own_worker }, i, own_worker);
}
