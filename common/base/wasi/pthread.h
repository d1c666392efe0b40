/* The part of POSIX's <pthread.h> that is used here, for a single thread: no other can be
 * started. */
#ifndef WASI_PTHREAD_H
#define WASI_PTHREAD_H

#include <errno.h>
#include <signal.h>

typedef int pthread_t, pthread_mutex_t, pthread_cond_t, pthread_attr_t;
#define PTHREAD_MUTEX_INITIALIZER 0
#define PTHREAD_COND_INITIALIZER 0

static inline int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*body)(void *), void *context)
{
    (void)thread, (void)attributes, (void)body, (void)context;
    return ENOTSUP;
}

static inline int pthread_join(pthread_t thread, void **result)
{
    (void)thread, (void)result;
    return 0;
}

#define pthread_mutex_init(mutex, attributes) (*(mutex) = 0)
#define pthread_mutex_destroy(mutex) (*(mutex) = 0)
#define pthread_mutex_lock(mutex) (*(mutex) = 1)
#define pthread_mutex_unlock(mutex) (*(mutex) = 0)
#define pthread_mutex_trylock(mutex) (*(mutex) ? EBUSY : (*(mutex) = 1, 0))
#define pthread_cond_init(condition, attributes) (*(condition) = 0)
#define pthread_cond_destroy(condition) (*(condition) = 0)
#define pthread_cond_signal(condition) (*(condition) = 0)
#define pthread_cond_broadcast(condition) (*(condition) = 0)
#define pthread_cond_wait(condition, mutex) (*(condition) = *(mutex))

#endif
