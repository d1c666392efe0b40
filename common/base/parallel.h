/* Parallel loops: the one place that knows of threads.
 *
 * What a loop computes must not depend on the number of threads: every item writes its own results,
 * and how the work is cut into items follows from the sizes alone. */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

/* How many threads loops use: what was set, else OMP_NUM_THREADS, else as many as there are
 * processors for this process. */
int thread_count(void);
void thread_count_set(int threads);

/* Bytes to leave between the scratch memories of two threads. A processor fetches ahead of the
 * strides that a thread goes in, past the end of its own memory, and would take what lies there
 * from the other thread's cache while that is writing it: two threads could take as long as one. */
enum { THREAD_GAP = 1 << 17 };

/* Calls body(context, item, worker) for item = 0 … items-1, in any order, on several threads.
 * worker: 0 … thread_count()-1, the same for no two calls at the same time: use it to pick scratch
 * memory. A loop inside a loop runs on the calling thread alone. */
typedef void ParallelBody(void *context, int item, int worker);
void parallel_for(int items, ParallelBody *body, void *context);

/* A loop over tasks whose items are shared: for work that needs something prepared first.
 *
 * The thread that begins a task calls prepare(context, task, step, worker) for step = 0, 1, … It
 * returns how many items the step has, or 0 when there are no more steps. Then
 * body(context, share, item, worker) is called for each of these items, in any order, by this
 * thread, the share's owner, and by threads that find no task to begin; the owner takes items from
 * the first on, the others from the last. A step's items are done before the next one is prepared,
 * so they may read what prepare left in the owner's scratch memory. No more than `most` threads
 * take part. */
typedef struct {
    int task, step, owner;
} ParallelShare;

typedef int ParallelPrepare(void *context, int task, int step, int worker);
typedef void ParallelShared(void *context, const ParallelShare *share, int item, int worker);
void parallel_tasks(int tasks, int most, ParallelPrepare *prepare, ParallelShared *body,
                    void *context);

#endif
