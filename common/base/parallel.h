/* Parallel loops: the only module that uses threads.
 *
 * Results must not depend on the number of threads: every item writes its own results, and the
 * division of work into items depends on sizes alone. */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

/* Returns the number of threads that loops use: as set, else OMP_NUM_THREADS, else the number of
 * processors available to this process. */
int thread_count(void);
void thread_count_set(int threads);

/* The gap in bytes between the scratch memories of two threads. The hardware prefetcher reads ahead
 * of a thread's strides, past the end of its memory, and would take cache lines that the other
 * thread is writing: two threads could be as slow as one. */
enum { THREAD_GAP = 1 << 17 };

/* Calls body(context, item, worker) for item = 0 … items-1, in any order, on several threads.
 * worker: 0 … thread_count()-1, unique among the calls running at any moment: use it to pick
 * scratch memory. A loop inside a loop runs on the calling thread alone. */
typedef void ParallelBody(void *context, int item, int worker);
void parallel_for(int items, ParallelBody *body, void *context);

/* Runs a loop over tasks whose items are shared: for work that needs preparation.
 *
 * The thread that begins a task calls prepare(context, task, step, worker) for step = 0, 1, … It
 * returns the step's number of items, or 0 after the last step. Then body(context, share, item,
 * worker) is called for each of these items, in any order, by this thread, the share's owner, and
 * by threads that find no task to begin; the owner takes items from the front, the others from the
 * back. All items of a step are done before the next step is prepared, so they may read what
 * prepare left in the owner's scratch memory. At most `max_threads` threads take part. */
typedef struct {
    int task, step, owner;
} ParallelShare;

typedef int ParallelPrepare(void *context, int task, int step, int worker);
typedef void ParallelShared(void *context, const ParallelShare *share, int item, int worker);
void parallel_tasks(int tasks, int max_threads, ParallelPrepare *prepare, ParallelShared *body,
                    void *context);

#endif
