#include "cli/report_json.h"

#include "base/memory.h"
#include "base/path.h"
#include "cli/parent.h"
#include "cli/siblings.h"
#include "engine/engine.h"
#include "graph/op.h"
#include "io/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const char *key, const char *text)
{
    printf("\"%s\": ", key);
    if (text)
        json_put_string(stdout, text);
    else
        printf("null");
}

static void print_costs(uint64_t params, uint64_t macs)
{
    printf("\"parameters\": %" PRIu64 ", \"macs\": %" PRIu64 ", ", params, macs);
    if (macs <= UINT64_MAX / 2)
        printf("\"flops\": %" PRIu64, 2 * macs);
    else
        printf("\"flops\": %.17g", 2 * (double)macs);
}

/* --- layers ---------------------------------------------------------------------------------- */

/* Prints the shapes of the parameters of a convolution or linear layer. */
static void print_weight(const Tensor *t)
{
    char shape[SHAPE_TEXT];
    const Param *first = t->params ? net_param(t->net, t->first_param) : NULL;
    if (!first || first->rank < 2)
        return;
    printf(", \"weight\": \"%s\"", param_shape_text(first, shape));
    if (t->params > 1)
        printf(", \"bias\": \"%s\"", param_shape_text(first + 1, shape));
}

static void print_attributes(const Attributes *a)
{
    if (a->kernel)
        printf(", \"kernel\": %d, \"stride\": %d, \"pad\": %d", a->kernel, a->stride, a->pad);
    if (a->groups)
        printf(", \"groups\": %d", a->groups);
    if (a->eps != 0)
        printf(", \"eps\": %g", (double)a->eps);
    if (a->init != 0)
        printf(", \"init\": %g", (double)a->init);
    if (a->p != 0)
        printf(", \"p\": %g", (double)a->p);
    if (a->per_sample)
        printf(", \"per_sample\": true");
}

static void print_site(const Tensor *t)
{
    char *at = str_format("%s:%d", t->at.file, t->at.line);
    printf(", ");
    print_text("at", at);
    printf(", ");
    print_text("function", t->at.function);
    printf(", ");
    print_text("call", t->at.call ? t->at.call : t->op->name);
    printf(", ");
    print_text("arguments", t->at.arguments ? t->at.arguments : "");
    free(at);
}

static void print_layer(const Tensor *t)
{
    char shape[SHAPE_TEXT];
    printf("   {");
    print_text("name", t->name);
    printf(", \"op\": \"%s\", \"inputs\": [", t->op->name);
    for (int i = 0; i < 2 && t->in[i]; i++) {
        printf("%s", i ? ", " : "");
        json_put_string(stdout, t->in[i]->name);
    }
    printf("], \"output\": \"%s\"", tensor_shape_text(t, shape));
    print_weight(t);
    print_attributes(&t->a);
    printf(", ");
    print_costs(tensor_params(t), t->macs);
    print_site(t);
    printf("}");
}

/* --- parts ----------------------------------------------------------------------------------- */

enum { PART_TEXT = 32 };

typedef struct {
    char name[PART_TEXT];
    const Tensor *last;
    uint64_t params, macs;
} PartSums;

/* Names the part of a layer: "stem", "stage3", "head" for "encoder.stem.0",
 * "encoder.stages.2.0.add", "head.3"; also for the authors' names: "downsample_layers.0.1",
 * "downsample_layers.2.0", and their head, which has no scope. */
static void name_part(const char *layer, char name[PART_TEXT])
{
    const char *at = strncmp(layer, "encoder.", 8) == 0 ? layer + 8 : layer;
    int stage = -1;
    if (sscanf(at, "stages.%d", &stage) != 1)
        sscanf(at, "downsample_layers.%d", &stage);
    if (stage > 0 || (stage == 0 && *at == 's'))
        snprintf(name, PART_TEXT, "stage%d", stage + 1);
    else if (stage == 0)
        snprintf(name, PART_TEXT, "stem");
    else if (!strchr(at, '.') && at == layer)
        snprintf(name, PART_TEXT, "head");
    else
        snprintf(name, PART_TEXT, "%.*s", (int)strcspn(at, "."), at);
}

/* Returns the parts in the order of their first layers; to be freed. */
static PartSums *parts_of(const Net *net, int *count)
{
    PartSums *parts = mem_alloc((size_t)net_tensors(net), sizeof *parts);
    *count = 0;
    for (int i = 1; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        char name[PART_TEXT];
        int p = 0;
        name_part(t->name, name);
        while (p < *count && strcmp(parts[p].name, name) != 0)
            p++;
        *count += p == *count;
        memcpy(parts[p].name, name, sizeof name);
        parts[p].last = t;
        parts[p].params += tensor_params(t);
        parts[p].macs += t->macs;
    }
    return parts;
}

static void print_parts(const Net *net)
{
    char shape[SHAPE_TEXT];
    int count;
    PartSums *parts = parts_of(net, &count);
    printf(" \"parts\": [");
    for (int i = 0; i < count; i++) {
        printf("%s   {", i ? ",\n" : "\n");
        print_text("part", parts[i].name);
        printf(", \"output\": \"%s\", ", tensor_shape_text(parts[i].last, shape));
        print_costs(parts[i].params, parts[i].macs);
        printf("}");
    }
    printf("],\n");
    free(parts);
}

/* --- the report ------------------------------------------------------------------------------ */

static void print_four(const char *key, const int values[4])
{
    printf(" \"%s\": [%d, %d, %d, %d],\n", key, values[0], values[1], values[2], values[3]);
}

static void print_config(const Config *c)
{
    printf(" \"stem\": %d,\n", c->stem);
    print_four("widths", c->widths);
    print_four("depths", c->depths);
    printf(" \"drop_path\": %g,\n \"layer_scale\": %g,\n", (double)c->drop_p,
           (double)c->layer_scale);
}

static void print_rows(const Step *step, int row)
{
    printf(" \"row\": %d,\n \"rows\": [", row);
    for (int i = 0; i < step->row_count; i++) {
        const Row *r = &step->rows[i];
        printf("%s   {\"row\": %d, ", i ? ",\n" : "\n", i);
        print_text("change", r->change);
        printf(", \"accuracy\": %.2f, \"spread\": %.2f, \"gflops\": %.2f}", r->accuracy, r->spread,
               r->gflops);
    }
    printf("],\n");
}

static void print_step(const Run *run)
{
    char *from = parent_of(run);
    printf("{\n ");
    print_text("step", run->name);
    printf(",\n ");
    print_text("title", run->step->title);
    printf(",\n ");
    print_text("from", from ? path_base(from) : NULL);
    printf(",\n \"published\": %s,\n", run->step->published ? "true" : "false");
    free(from);
}

void report_json(const Run *run, const Shape *s, const Net *net)
{
    char shape[SHAPE_TEXT];
    print_step(run);
    printf(" \"input\": \"%s\",\n", tensor_shape_text(net_tensor(net, 0), shape));
    print_config(&s->config);
    if (run->step->rows)
        print_rows(run->step, s->config.row);
    printf(" \"layers\": [");
    for (int i = 1; i < net_tensors(net); i++) {
        printf("%s\n", i > 1 ? "," : "");
        print_layer(net_tensor(net, i));
    }
    printf("],\n");
    print_parts(net);
    printf(" \"output\": \"%s\",\n ", tensor_shape_text(net_output(net), shape));
    print_costs(net_trained(net), net_macs(net));
    printf(",\n \"inference_bytes\": %zu,\n \"training_bytes\": %zu\n}\n",
           engine_needs(engine_kind(NULL), net, false), engine_needs(engine_kind(NULL), net, true));
}
