/* A network as PyTorch code, one file of Python that needs torch and safetensors: a function of a
 * batch and a state_dict, with a line per layer, or nested modules whose state_dict has the keys of
 * `keys` in the same order (and num_batches_tracked). Run on weights and a batch it prints what
 * `forward` and `gradient` compute, and compares that with what they wrote. */
#ifndef EXPORT_PYTORCH_H
#define EXPORT_PYTORCH_H

#include "base/error.h"
#include "graph/net.h"

typedef struct {
    const char *name;    /* the program's, "05_large_kernel" */
    const char *title;   /* the step's */
    const char *options; /* those that build the network */
    bool module;         /* nested modules instead of a function */
} PytorchForm;

/* Returns the code, the same text for the same network; the caller frees it. NULL, with *error set,
 * where a layer or a scope has no counterpart in PyTorch. */
char *pytorch_code(const Net *net, const PytorchForm *form, Error *error);

#endif
