/* A network as a description: tensors in the order in which they are computed, their parameters and
 * their names. It knows shapes, parameter counts and multiply-accumulates, and holds no data.
 * engine/ runs it; graph/weights.h holds its parameters. */
#ifndef GRAPH_NET_H
#define GRAPH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Net Net;
typedef struct Tensor Tensor;
typedef struct Op Op;

/* The position of a layer's call in a step's source, for error messages. call and arguments: the
 * call as written, "conv2d" and ".out = in, .kernel = 7"; NULL if unknown. */
typedef struct {
    const char *file;
    int line;
    const char *function, *call, *arguments;
} Site;

/* The arguments of a layer's call; each op uses those that concern it. */
typedef struct {
    int kernel, stride, pad, groups;
    float eps;       /* norms */
    float init;      /* layer scale's initial value */
    float p;         /* drop path's probability */
    bool per_sample; /* drop path: one factor per sample instead of one for the batch */
} Attributes;

/* A tensor, and at the same time the layer that computes it. */
struct Tensor {
    Net *net;
    int n, c, h, w; /* printed as NCHW; in memory [n,h,w,c] */
    bool flat;      /* printed as n x c: one vector per sample */

    const Op *op;  /* the op that computes it; NULL for the network's input */
    Tensor *in[2]; /* the inputs; in[1] is NULL for most ops */
    Attributes a;
    int first_param, params; /* the parameters: net_param(net, first_param + i) */
    uint64_t macs;           /* multiply-accumulates for this shape */
    char *name;              /* "encoder.stages.0.0.block.0.0" */
    int index;               /* index in the network; 0 is the input */
    Site at;
};

/* The order of a parameter in memory; files always have PyTorch's order. */
typedef enum {
    LAYOUT_PLAIN, /* as in PyTorch */
    LAYOUT_OHWI,  /* [out,in,ky,kx] as [out,ky,kx,in]: the order of patches, for products */
    LAYOUT_HWIO,  /* [out,in,ky,kx] as [ky,kx,in,out]: channels adjacent, for depthwise */
} Layout;

typedef enum { INIT_CONSTANT, INIT_UNIFORM, INIT_NORMAL } InitKind;

/* The distribution of initial weights: the value; uniform in ±value; normal with that standard
 * deviation. */
typedef struct {
    InitKind kind;
    float value;
} Init;

typedef struct {
    char *key; /* the key in PyTorch's state_dict */
    int rank;
    int shape[4]; /* as in PyTorch */
    size_t count;
    Layout layout;
    Init init;
    bool trained; /* by an optimiser; running statistics are not */
} Param;

/* --- building -------------------------------------------------------------------------------- */

Net *net_new(void);
void net_free(Net *net); /* frees its tensors, too */

/* Adds the input: n images of c channels, h x w pixels. */
Tensor *net_input(Net *net, int n, int c, int h, int w);

/* Names as in nn.Sequential: a layer takes the next index of its scope. */
typedef struct {
    Net *net;
    bool once;
} Scope;

/* Opens a scope, which closes when its body is left in any way: at its end, by break or return (the
 * cleanup attribute). name: an attribute's name; NEXT: the next index of the enclosing
 * Sequential. */
Scope scope_open(Net *net, const char *name);
void scope_close(Scope *scope);
#define NEXT ((const char *)0)
#define SCOPE(net, name)                                                                           \
    for (Scope scope_ __attribute__((cleanup(scope_close))) = scope_open((net), (name));           \
         scope_.once; scope_.once = false)

/* Takes an index without making a layer: nn.Identity. */
void net_skip_index(Net *net);

/* The names of an op's layers: the next index, the scope's name, or the scope's name and the op's,
 * after which the second of a scope is numbered (add_2). */
typedef enum { NAME_INDEX, NAME_SCOPE, NAME_WORD } Naming;

/* Adds a tensor of shape n x c x h x w computed by `op` from `a` (and `b`). Called by ops. */
Tensor *net_layer(const Op *op, Tensor *a, Tensor *b, Site at, Naming naming, Attributes attributes,
                  int c, int h, int w);

/* Adds the next parameter of tensor t, named NAME.suffix. shape: PyTorch's, up to the first 0. */
void net_add_param(Tensor *t, const char *suffix, const int shape[4], Layout layout, Init init,
                   bool trained);

/* Counts `each` multiply-accumulates for every element of t. */
void net_add_macs(Tensor *t, uint64_t each);

/* Builds the layers behind `input` up to `output` as a network of their own with that input: their
 * names, shapes and parameters are the same. NULL where one of them reads what comes before
 * `input`. */
Net *net_part(const Net *net, const Tensor *input, const Tensor *output);

/* Ends the program with exit status 2 and the step's file, line and the error. */
_Noreturn void net_error(Site at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the program if a tensor has too many samples, rows or pixels for loops that count them by
 * int. Every engine checks this before it allocates memory. */
void net_check_runnable(const Net *net);

/* --- inspection ------------------------------------------------------------------------------ */

int net_tensors(const Net *net); /* including the input */
Tensor *net_tensor(const Net *net, int i);
Tensor *net_output(const Net *net); /* the last tensor */
/* The layer that makes logits of features: the last one that has parameters, which are the
 * network's last. NULL where no layer has any. */
const Tensor *net_head(const Net *net);
int net_params(const Net *net);
const Param *net_param(const Net *net, int i);
Param *net_param_to_change(Net *net, int i); /* to change its name, shape or init */

size_t tensor_rows(const Tensor *t);     /* n·h·w */
size_t tensor_elements(const Tensor *t); /* n·h·w·c */
uint64_t tensor_params(const Tensor *t); /* trained parameters of this layer */

/* Tests for a view, which computes nothing (Op): its values are its input's. */
bool tensor_is_view(const Tensor *t, bool training);

uint64_t net_macs(const Net *net);
bool net_has(const Net *net, const Op *op); /* has it a layer of that op? */
uint64_t net_trained(const Net *net);       /* trained parameters */

/* Writes "1x64x112x112" or, for a flat tensor, "1x1000" into text; returns text. */
enum { SHAPE_TEXT = 64 };
const char *tensor_shape_text(const Tensor *t, char text[SHAPE_TEXT]);
const char *param_shape_text(const Param *p, char text[SHAPE_TEXT]);

#endif
