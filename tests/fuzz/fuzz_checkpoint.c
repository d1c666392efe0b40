/* Any bytes are a checkpoint of a small network or an error; what was read is a possible state, and
 * can be written. */
#define _GNU_SOURCE /* memfd_create */
#include "base/memory.h"
#include "header.h"
#include "ops/ops.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static State new_state(void)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 1, 2, 2);
    x = batch_norm(conv2d(x, .out = 2, .kernel = 1));
    linear(flatten(global_avg_pool(x)), .out = 2);
    State state = { .weights = weights_new(net), .recipe = "recipe --epochs 9", .longer = true };
    state.optimizer = adamw_new(net);
    net_free(net);
    return state;
}

/* A file in memory with these bytes, and the path by which it can be opened. */
static int in_memory(const uint8_t *bytes, size_t size, char path[64])
{
    int file = memfd_create("checkpoint", 0);
    if (file < 0 || (size && write(file, bytes, size) != (ssize_t)size))
        abort();
    snprintf(path, 64, "/dev/fd/%d", file);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    State state = new_state();
    Error error = { "" };
    char path[64];
    int file = in_memory(bytes, size, path);
    if (checkpoint_load(path, &state, &error)) {
        if (state.epoch < 0 || state.batch < 0 || state.best_epoch < 0 ||
            state.best_epoch > state.epoch || !(state.best_top1 >= 0 && state.best_top1 <= 1) ||
            isnan(state.best_loss))
            abort();
        if (!checkpoint_save("/dev/null", &state, &error))
            abort();
    } else if (!error.text[0])
        abort();
    close(file);
    free(state.before);
    weights_free(state.weights);
    adamw_free(&state.optimizer);
    return 0;
}
