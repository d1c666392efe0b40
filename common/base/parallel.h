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

/* Calls body(context, item, worker) for item = 0 … items-1, in any order, on several threads.
 * worker: 0 … thread_count()-1, the same for no two calls at the same time: use it to pick scratch
 * memory. A loop inside a loop runs on the calling thread alone. */
typedef void ParallelBody(void *context, int item, int worker);
void parallel_for(int items, ParallelBody *body, void *context);

#endif
