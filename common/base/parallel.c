#include "base/parallel.h"

#ifdef _OPENMP
#include <omp.h>

static int threads_set; /* 0: not set */

int thread_count(void)
{
    return threads_set ? threads_set : omp_get_max_threads();
}

void thread_count_set(int threads)
{
    threads_set = threads;
}

void parallel_for(int items, ParallelBody *body, void *context)
{
    int threads = thread_count();
    if (threads == 1 || items <= 1 || omp_in_parallel()) {
        for (int i = 0; i < items; i++)
            body(context, i, omp_in_parallel() ? omp_get_thread_num() : 0);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < items; i++)
        body(context, i, omp_get_thread_num());
}

#else

int thread_count(void)
{
    return 1;
}

void thread_count_set(int threads)
{
    (void)threads;
}

void parallel_for(int items, ParallelBody *body, void *context)
{
    for (int i = 0; i < items; i++)
        body(context, i, 0);
}

#endif
