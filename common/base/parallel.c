/* A pool of threads that wait for loops.
 *
 * A loop is published by setting `open` to its number. Whoever sees it open takes items until none
 * is left: the caller too, which therefore never waits for a thread that is slow to wake up, only
 * for those that are in the middle of an item. Waiting threads look for work for some microseconds,
 * since the next loop mostly comes at once, and then sleep, since the processor may be wanted by
 * others.
 *
 * In a loop of tasks a thread publishes the items of the task it is in, likewise, in its own part;
 * a thread without a task is a guest there. */
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

enum { MOST_THREADS = 1024, LOOKS = 100000 };
#define QUIT UINT_MAX

static int threads_wanted; /* 0: not known yet */

/* A thread's own part of a loop, on cache lines of its own. */
typedef struct {
    _Alignas(64) atomic_int next; /* the item or task to be taken next */
    int end;
    /* Of the task that the thread is in: */
    _Alignas(64) atomic_ullong items; /* that nobody has taken; see range() */
    atomic_int guests;                /* other threads that look at them or are in one */
    ParallelShare share;
} Part;

static struct {
    Part parts[MOST_THREADS];
    /* the loop */
    ParallelBody *body;
    ParallelPrepare *prepare; /* NULL: the loop is one of items, else of tasks */
    ParallelShared *shared;
    void *context;
    atomic_int unfinished; /* tasks */
    int helpers;           /* threads besides the caller that may take part */
    atomic_uint open;      /* the loop's number; 0: there is none */
    atomic_int active;     /* threads besides the caller that are looking at the loop */
    /* the threads */
    pthread_t threads[MOST_THREADS];
    int started;
    pid_t process; /* whose threads they are: a forked child has none of them */
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    atomic_int asleep;
    atomic_bool caller_waits;
    pthread_mutex_t caller; /* held by the thread whose loop it is */
    unsigned loops;         /* how many there were */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
           .work = PTHREAD_COND_INITIALIZER,
           .done = PTHREAD_COND_INITIALIZER,
           .caller = PTHREAD_MUTEX_INITIALIZER };

/* This thread's number as a worker, and whether it is inside a loop. */
static _Thread_local int own_worker;
static _Thread_local bool in_loop;

/* --- how many -------------------------------------------------------------------------------- */

/* How often a waiting thread looks before it sleeps: not once where another thread that runs needs
 * its processor. */
static atomic_int looks;

void thread_count_set(int threads)
{
    threads_wanted = int_max(1, int_min(threads, MOST_THREADS));
    atomic_store(&looks, threads_wanted <= system_processors() ? LOOKS : 0);
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

/* --- tasks that are shared ------------------------------------------------------------------- */

enum { NONE = -1 };

/* Between two looks at what other threads are about to finish: one of them may need the processor.
 */
static void wait_a_little(int *look)
{
    if (*look < atomic_load(&looks))
        ++*look;
    else
        sched_yield();
}

/* Items first … end-1 as one number, so that one can be taken at either end at once. */
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

static bool do_items(Part *part, int worker, bool from_last)
{
    bool any = false;
    for (int i; (i = take_item(part, from_last)) != NONE; any = true)
        pool.shared(pool.context, &part->share, i, worker);
    return any;
}

/* A guest says so before it looks for items, and the owner waits for its guests after the last one
 * is taken: so none is in an item when the next step is prepared. */
static void run_task(int task, int worker)
{
    Part *own = &pool.parts[worker];
    for (int step = 0, items; (items = pool.prepare(pool.context, task, step, worker)) > 0;
         step++) {
        own->share = (ParallelShare){ task, step, worker };
        atomic_store(&own->items, range(0, items));
        do_items(own, worker, false);
        for (int look = 0; atomic_load(&own->guests) != 0;)
            wait_a_little(&look);
    }
    atomic_fetch_sub(&pool.unfinished, 1);
}

static bool be_guest(Part *part, int worker)
{
    unsigned long long items = atomic_load_explicit(&part->items, memory_order_relaxed);
    if (first_of(items) == end_of(items))
        return false;
    atomic_fetch_add(&part->guests, 1);
    bool any = do_items(part, worker, true);
    atomic_fetch_sub(&part->guests, 1);
    return any;
}

static void help_with_tasks(int worker)
{
    for (int look = 0; atomic_load(&pool.unfinished) > 0; wait_a_little(&look))
        for (int k = 1; k <= pool.helpers; k++)
            if (be_guest(&pool.parts[(worker + k) % (pool.helpers + 1)], worker))
                look = 0;
}

/* --- the threads ----------------------------------------------------------------------------- */

static void take_part(Part *part, int worker)
{
    for (int i; (i = atomic_fetch_add(&part->next, 1)) < part->end;)
        if (pool.prepare)
            run_task(i, worker);
        else
            pool.body(pool.context, i, worker);
}

/* First one's own part, then what is left of the others'. The parts are the same in every loop of
 * as many items, so that a thread mostly finds in its cache what it wrote there in the loop before.
 */
static void take_items(int worker)
{
    own_worker = worker;
    in_loop = true;
    for (int k = 0; k <= pool.helpers; k++)
        take_part(&pool.parts[(worker + k) % (pool.helpers + 1)], worker);
    if (pool.prepare)
        help_with_tasks(worker);
    in_loop = false;
}

/* The caller closes a loop before it looks for active threads, and a thread is active before it
 * looks whether the loop is open: so none reads a loop that is no longer there. */
static void help(int worker)
{
    atomic_fetch_add(&pool.active, 1);
    if (atomic_load(&pool.open) && worker <= pool.helpers)
        take_items(worker);
    if (atomic_fetch_sub(&pool.active, 1) == 1 && atomic_load(&pool.caller_waits)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_signal(&pool.done);
        pthread_mutex_unlock(&pool.lock);
    }
}

/* Is there a loop that this thread has not helped with? */
static bool is_new(unsigned loop, unsigned last)
{
    return loop != 0 && loop != last;
}

static unsigned next_loop(unsigned last)
{
    unsigned loop = 0;
    for (int look = atomic_load(&looks); look > 0; look--) {
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

static void *serve(void *worker)
{
    for (unsigned last = 0; (last = next_loop(last)) != QUIT;)
        help((int)(intptr_t)worker);
    return NULL;
}

static void wake_threads(void)
{
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

/* At the program's end, unless that comes from inside a thread's item. */
static void end_threads(void)
{
    if (own_worker != 0 || getpid() != pool.process)
        return;
    atomic_store(&pool.open, QUIT);
    wake_threads();
    for (int i = 0; i < pool.started; i++)
        pthread_join(pool.threads[i], NULL);
}

/* Where the system grants fewer threads than were asked for, fewer take part. */
static void start_threads(int helpers)
{
    sigset_t all, before;
    if (pool.started >= helpers)
        return;
    if (pool.process == 0) {
        pool.process = getpid();
        atexit(end_threads);
    }
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.started < helpers && pthread_create(&pool.threads[pool.started], NULL, serve,
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
    for (int look = atomic_load(&looks); look > 0; look--)
        if (atomic_load(&pool.active) == 0)
            return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_waits, true);
    while (atomic_load(&pool.active) != 0)
        pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.caller_waits, false);
    pthread_mutex_unlock(&pool.lock);
}

/* Whether the loop is this thread's to share with up to `most` - 1 others. */
static bool begin(int most, int *helpers)
{
    *helpers = thread_count() < most ? thread_count() - 1 : most - 1;
    return *helpers > 0 && !in_loop && pthread_mutex_trylock(&pool.caller) == 0;
}

static void share(int items, int helpers)
{
    start_threads(helpers);
    publish(items, helpers);
    take_items(0);
    wait_for_helpers();
    pthread_mutex_unlock(&pool.caller);
}

void parallel_for(int items, ParallelBody *body, void *context)
{
    int helpers;
    if (begin(items, &helpers)) {
        pool.body = body, pool.prepare = NULL, pool.context = context;
        share(items, helpers);
        return;
    }
    for (int i = 0; i < items; i++)
        body(context, i, own_worker);
}

void parallel_tasks(int tasks, int most, ParallelPrepare *prepare, ParallelShared *body,
                    void *context)
{
    int helpers;
    if (begin(most, &helpers)) {
        pool.prepare = prepare, pool.shared = body, pool.context = context;
        share(tasks, helpers);
        return;
    }
    for (int task = 0; task < tasks; task++)
        for (int step = 0, items; (items = prepare(context, task, step, own_worker)) > 0; step++)
            for (int i = 0; i < items; i++)
                body(context, &(ParallelShare){ task, step, own_worker }, i, own_worker);
}
