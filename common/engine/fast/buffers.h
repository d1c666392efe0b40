/* One block of memory for many arrays: who is not alive at the same time may lie at the same place.
 */
#ifndef ENGINE_FAST_BUFFERS_H
#define ENGINE_FAST_BUFFERS_H

#include <stddef.h>

/* An array alive from its first to its last moment, both included; moments are any integers. */
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

/* A new buffer, alive at one moment for now; returns its number. */
int buffer_new(Buffers *b, size_t floats, int moment);
/* Alive at that moment too. */
void buffer_extend(Buffers *b, int buffer, int moment);

/* Finds a place for all, largest first, each at the lowest offset that is free in its time. */
void buffers_place(Buffers *b);
/* Allocates the block; zeros. */
void buffers_allocate(Buffers *b);
float *buffer_data(const Buffers *b, int buffer);
void buffers_free(Buffers *b);

#endif
