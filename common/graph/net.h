/* A network as a description: tensors in the order they are computed, the parameters they need, and
 * names. It knows shapes, parameter counts and multiply-accumulates; it holds no data. What runs it
 * is in engine/, what holds its parameters graph/weights.h. */
#ifndef GRAPH_NET_H
#define GRAPH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Net Net;
typedef struct Tensor Tensor;
typedef struct Op Op;

/* Where in a step's source a layer was called: what an error names. call and arguments: the call as
 * it is written there, "conv2d" and ".out = in, .kernel = 7"; NULL where nobody says. */
typedef struct {
    const char *file;
    int line;
    const char *function, *call, *arguments;
} Site;

/* What a layer was asked for; each op reads what concerns it. */
typedef struct {
    int kernel, stride, pad, groups;
    float eps;       /* norms */
    float init;      /* layer scale's first value */
    float p;         /* drop path's probability */
    bool per_sample; /* drop path: each sample by itself, not the whole batch */
} Attributes;

/* A tensor is also the layer that computes it. */
struct Tensor {
    Net *net;
    int n, c, h, w; /* NCHW to the reader; in memory [n,h,w,c] */
    bool flat;      /* printed n x c: a vector a sample */

    const Op *op;  /* what computes it; NULL for the network's input */
    Tensor *in[2]; /* its inputs, in[1] NULL for most */
    Attributes a;
    int first_param, params; /* its parameters: net_param(net, first_param + i) */
    uint64_t macs;           /* multiply-accumulates for this shape */
    char *name;              /* "encoder.stages.0.0.block.0.0" */
    int index;               /* its place in the network, from 0: the input */
    Site at;
};

/* How a parameter lies in memory; files always hold PyTorch's order. */
typedef enum {
    LAYOUT_PLAIN, /* as in PyTorch */
    LAYOUT_OHWI,  /* [out,in,ky,kx] as [out,ky,kx,in]: the patches' order, for products */
    LAYOUT_HWIO,  /* [out,in,ky,kx] as [ky,kx,in,out]: channels side by side, for depthwise */
} Layout;

typedef enum { INIT_CONSTANT, INIT_UNIFORM, INIT_NORMAL } InitKind;

/* Distribution of fresh weights: value; uniform in ±value; normal with that standard deviation. */
typedef struct {
    InitKind kind;
    float value;
} Init;

typedef struct {
    char *key; /* PyTorch's state_dict key */
    int rank;
    int shape[4]; /* PyTorch's */
    size_t count;
    Layout layout;
    Init init;
    bool trained; /* an optimiser's; running statistics are not */
} Param;

/* --- building -------------------------------------------------------------------------------- */

Net *net_new(void);
void net_free(Net *net); /* its tensors too */

/* The input: n images of c channels, h x w pixels. */
Tensor *net_input(Net *net, int n, int c, int h, int w);

/* Names follow nn.Sequential: a layer takes the next index of the scope it is in. */
typedef struct {
    Net *net;
    bool once;
} Scope;

/* A scope closes however its body is left: by its end, break or return (the cleanup attribute).
 * name: an attribute's name; NEXT: the next index of the enclosing Sequential. */
Scope scope_open(Net *net, const char *name);
void scope_close(Scope *scope);
#define NEXT ((const char *)0)
#define SCOPE(net, name)                                                                           \
    for (Scope scope_ __attribute__((cleanup(scope_close))) = scope_open((net), (name));           \
         scope_.once; scope_.once = false)

/* Takes an index and makes no layer: nn.Identity. */
void net_skip_index(Net *net);

/* How an op names itself: by the next index, by the scope alone, or by the scope and a word. */
typedef enum { NAME_INDEX, NAME_SCOPE, NAME_WORD } Naming;

/* A new tensor of shape n x c x h x w computed by `op` from `a` (and `b`). Ops call this. */
Tensor *net_layer(const Op *op, Tensor *a, Tensor *b, Site at, Naming naming, Attributes attributes,
                  int c, int h, int w);

/* The next parameter of tensor t, called NAME.suffix. shape: PyTorch's, up to the first 0. */
void net_add_param(Tensor *t, const char *suffix, const int shape[4], Layout layout, Init init,
                   bool trained);

/* Counts `each` multiply-accumulates for every element of t. */
void net_add_macs(Tensor *t, uint64_t each);

/* Ends the program with the step's file and line and what is wrong: exit status 2. */
_Noreturn void net_error(Site at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Loops count samples, rows of pixels and pixels by int: ends the program where those of a tensor
 * are too many. Every plan asks before it takes memory. */
void net_check_runnable(const Net *net);

/* --- asking ---------------------------------------------------------------------------------- */

int net_tensors(const Net *net); /* how many, the input included */
Tensor *net_tensor(const Net *net, int i);
Tensor *net_output(const Net *net); /* the last tensor */
int net_params(const Net *net);
const Param *net_param(const Net *net, int i);
Param *net_param_to_change(Net *net, int i); /* its name, shape or init */

size_t tensor_rows(const Tensor *t);     /* n·h·w */
size_t tensor_elements(const Tensor *t); /* n·h·w·c */
uint64_t tensor_params(const Tensor *t); /* trained parameters of this layer */

uint64_t net_macs(const Net *net);
uint64_t net_trained(const Net *net); /* trained parameters */

/* "1x64x112x112" or, for a flat tensor, "1x1000", into text. */
enum { SHAPE_TEXT = 64 };
const char *tensor_shape_text(const Tensor *t, char text[SHAPE_TEXT]);
const char *param_shape_text(const Param *p, char text[SHAPE_TEXT]);

#endif
