#include "engine/fast/buffers.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>

enum { ROUND = 16 }; /* floats: a cache line, which aligns any vector */

int buffer_new(Buffers *b, size_t floats, int step)
{
    b->items = mem_grow(b->items, (size_t)b->count + 1, sizeof *b->items);
    size_t rounded = floats > (size_t)-1 - ROUND ? floats : (floats + ROUND - 1) / ROUND * ROUND;
    b->items[b->count] = (Buffer){ .floats = rounded, .first = step, .last = step };
    return b->count++;
}

void buffer_extend(Buffers *b, int buffer, int step)
{
    Buffer *item = &b->items[buffer];
    item->first = step < item->first ? step : item->first;
    item->last = step > item->last ? step : item->last;
}

/* Orders by size, largest first, then by creation. */
static int by_size(const void *a, const void *b)
{
    const Buffer *x = *(Buffer *const *)a, *y = *(Buffer *const *)b;
    if (x->floats != y->floats)
        return x->floats > y->floats ? -1 : 1;
    return (x > y) - (x < y);
}

static bool overlap_in_time(const Buffer *a, const Buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Returns the lowest offset at which `item` overlaps no placed buffer with a common time step: the
 * offset is raised above every conflict until there is none. */
static size_t lowest_offset(const Buffer *item, Buffer *const *placed, int count)
{
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < count; i++) {
            const Buffer *p = placed[i];
            if (overlap_in_time(item, p) && offset < p->offset + p->floats &&
                p->offset < offset + item->floats) {
                offset = p->offset + p->floats;
                moved = true;
            }
        }
    }
    return offset;
}

void buffers_place(Buffers *b)
{
    Buffer **order = mem_alloc((size_t)b->count, sizeof(Buffer *));
    for (int i = 0; i < b->count; i++)
        order[i] = &b->items[i];
    qsort(order, (size_t)b->count, sizeof(Buffer *), by_size);
    b->total = 0;
    for (int i = 0; i < b->count; i++) {
        order[i]->offset = lowest_offset(order[i], order, i);
        size_t end = order[i]->offset + order[i]->floats;
        b->total = end > b->total ? end : b->total;
    }
    free(order);
}

void buffers_allocate(Buffers *b)
{
    b->block = mem_alloc(b->total, sizeof *b->block);
}

float *buffer_data(const Buffers *b, int buffer)
{
    return b->block + b->items[buffer].offset;
}

void buffers_free(Buffers *b)
{
    free(b->items);
    free(b->block);
}
