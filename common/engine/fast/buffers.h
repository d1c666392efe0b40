/* One block of memory for many arrays: arrays that are not alive at the same time may overlap. */
#ifndef ENGINE_FAST_BUFFERS_H
#define ENGINE_FAST_BUFFERS_H

#include <stddef.h>

/* An array that is alive from its first to its last time step, both included; time steps may be
 * negative. */
typedef struct {
    size_t floats;
    int first, last;
    size_t offset; /* in floats, once placed */
} Buffer;

typedef struct {
    Buffer *items;
    int count;
    size_t total; /* floats of the block, once placed */
    float *block;
} Buffers;

/* Adds a buffer that is alive at one time step so far; returns its number. */
int buffer_new(Buffers *b, size_t floats, int step);
/* Extends the buffer's lifetime to that time step. */
void buffer_extend(Buffers *b, int buffer, int step);

/* Places all buffers, largest first, each at the lowest offset that is free during its lifetime. */
void buffers_place(Buffers *b);
/* Allocates the block, zeroed. */
void buffers_allocate(Buffers *b);
float *buffer_data(const Buffers *b, int buffer);
void buffers_free(Buffers *b);

#endif
