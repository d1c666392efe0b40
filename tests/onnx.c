#include "onnx.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- the wire format ------------------------------------------------------------------------- */

typedef struct {
    const unsigned char *at, *end;
} Wire;

enum { VARINT, FIXED64, LENGTH, FIXED32 = 5 };

typedef struct {
    int number, kind;
    uint64_t value; /* VARINT, FIXED32 */
    Wire inner;     /* LENGTH */
} Field;

static uint64_t varint(Wire *w)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        cr_assert(w->at < w->end && shift < 64, "a number without end");
        unsigned char byte = *w->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
}

static bool next_field(Wire *w, Field *f)
{
    if (w->at == w->end)
        return false;
    uint64_t tag = varint(w);
    *f = (Field){ .number = (int)(tag >> 3), .kind = (int)(tag & 7) };
    cr_assert(f->number > 0);
    if (f->kind == VARINT)
        f->value = varint(w);
    else if (f->kind == LENGTH) {
        uint64_t size = varint(w);
        cr_assert(size <= (size_t)(w->end - w->at), "a field beyond the end of its message");
        f->inner = (Wire){ w->at, w->at + size };
        w->at += size;
    } else {
        cr_assert(f->kind == FIXED32 && w->end - w->at >= 4, "kind %d", f->kind);
        for (int i = 0; i < 4; i++)
            f->value |= (uint64_t)*w->at++ << (8 * i);
    }
    return true;
}

static _Noreturn void unknown(const char *message, const Field *f)
{
    cr_assert_fail("field %d of kind %d in %s", f->number, f->kind, message);
    abort();
}

/* What a field is, when it is of this number and kind. */
static bool is(const Field *f, int number, int kind)
{
    return f->number == number && f->kind == kind;
}

static char *text(OnnxModel *m, const Field *f)
{
    size_t size = (size_t)(f->inner.end - f->inner.at);
    cr_assert_null(memchr(f->inner.at, 0, size), "a string with a 0 in it");
    m->texts = mem_grow(m->texts, (size_t)m->text_count + 1, sizeof *m->texts);
    return m->texts[m->text_count++] = str_format("%.*s", (int)size, (const char *)f->inner.at);
}

/* --- ONNX's messages ------------------------------------------------------------------------- */

static OnnxAttribute parse_attribute(OnnxModel *m, Wire w)
{
    OnnxAttribute a = { 0 };
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, LENGTH))
            a.name = text(m, &f);
        else if (is(&f, 2, FIXED32))
            memcpy(&a.f, &(uint32_t){ (uint32_t)f.value }, sizeof a.f);
        else if (is(&f, 3, VARINT))
            a.i = (int64_t)f.value;
        else if (is(&f, 8, VARINT) && a.count < ONNX_INTS)
            a.ints[a.count++] = (int64_t)f.value;
        else if (is(&f, 20, VARINT))
            a.kind = (int)f.value;
        else
            unknown("AttributeProto", &f);
    cr_assert(a.name && (a.kind == 1 || a.kind == 2 || (a.kind == 7 && a.count)));
    return a;
}

static void parse_node(OnnxModel *m, Wire w)
{
    OnnxNode n = { 0 };
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, LENGTH) && n.in_count < ONNX_IN)
            n.in[n.in_count++] = text(m, &f);
        else if (is(&f, 2, LENGTH) && !n.out)
            n.out = text(m, &f);
        else if (is(&f, 3, LENGTH) && !n.name)
            n.name = text(m, &f);
        else if (is(&f, 4, LENGTH) && !n.type)
            n.type = text(m, &f);
        else if (is(&f, 5, LENGTH) && n.attribute_count < ONNX_ATTRIBUTES)
            n.attributes[n.attribute_count++] = parse_attribute(m, f.inner);
        else
            unknown("NodeProto", &f);
    cr_assert(n.name && n.type && n.out && n.in_count);
    m->nodes = mem_grow(m->nodes, (size_t)m->node_count + 1, sizeof *m->nodes);
    m->nodes[m->node_count++] = n;
}

static void parse_tensor(OnnxModel *m, Wire w)
{
    OnnxTensor t = { 0 };
    uint64_t count = 1;
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, VARINT) && t.rank < ONNX_RANK) {
            t.dims[t.rank++] = (int64_t)f.value;
            count *= f.value;
        } else if (is(&f, 2, VARINT))
            t.type = (int)f.value;
        else if (is(&f, 8, LENGTH))
            t.name = text(m, &f);
        else if (is(&f, 9, LENGTH)) {
            t.data = f.inner.at;
            t.bytes = (size_t)(f.inner.end - f.inner.at);
        } else
            unknown("TensorProto", &f);
    cr_assert(t.name && t.data && (t.type == ONNX_FLOAT || t.type == ONNX_INT64));
    cr_assert_eq(t.bytes, count * (t.type == ONNX_FLOAT ? 4 : 8), "%s", t.name);
    cr_assert_null(onnx_tensor(m, t.name), "%s is there twice", t.name);
    m->tensors = mem_grow(m->tensors, (size_t)m->tensor_count + 1, sizeof *m->tensors);
    m->tensors[m->tensor_count++] = t;
}

static void parse_shape(OnnxModel *m, Wire w, OnnxValue *v)
{
    for (Field dim; next_field(&w, &dim); v->rank++) {
        cr_assert(is(&dim, 1, LENGTH) && v->rank < ONNX_RANK);
        Field f;
        cr_assert(next_field(&dim.inner, &f) && dim.inner.at == dim.inner.end);
        v->dims[v->rank] = is(&f, 1, VARINT) ? (int64_t)f.value : -1;
        if (is(&f, 2, LENGTH))
            v->open = text(m, &f);
        else if (!is(&f, 1, VARINT))
            unknown("Dimension", &f);
    }
}

static void parse_type(OnnxModel *m, Wire w, OnnxValue *v)
{
    Field tensor;
    cr_assert(next_field(&w, &tensor) && is(&tensor, 1, LENGTH) && w.at == w.end);
    for (Field f; next_field(&tensor.inner, &f);)
        if (is(&f, 1, VARINT))
            v->type = (int)f.value;
        else if (is(&f, 2, LENGTH))
            parse_shape(m, f.inner, v);
        else
            unknown("TypeProto.Tensor", &f);
}

static void parse_value(OnnxModel *m, Wire w, OnnxValue **values, int *count)
{
    OnnxValue v = { 0 };
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, LENGTH))
            v.name = text(m, &f);
        else if (is(&f, 2, LENGTH))
            parse_type(m, f.inner, &v);
        else
            unknown("ValueInfoProto", &f);
    cr_assert(v.name && v.type == ONNX_FLOAT && v.rank);
    *values = mem_grow(*values, (size_t)*count + 1, sizeof **values);
    (*values)[(*count)++] = v;
}

static void parse_graph(OnnxModel *m, Wire w)
{
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, LENGTH))
            parse_node(m, f.inner);
        else if (is(&f, 2, LENGTH))
            m->name = text(m, &f);
        else if (is(&f, 5, LENGTH))
            parse_tensor(m, f.inner);
        else if (is(&f, 11, LENGTH))
            parse_value(m, f.inner, &m->inputs, &m->input_count);
        else if (is(&f, 12, LENGTH))
            parse_value(m, f.inner, &m->outputs, &m->output_count);
        else if (is(&f, 13, LENGTH))
            parse_value(m, f.inner, &m->values, &m->value_count);
        else
            unknown("GraphProto", &f);
}

static void parse_opset(OnnxModel *m, Wire w)
{
    cr_assert_eq(m->opset, 0, "a second set of operators");
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, LENGTH))
            m->opset_domain = text(m, &f);
        else if (is(&f, 2, VARINT))
            m->opset = (int64_t)f.value;
        else
            unknown("OperatorSetIdProto", &f);
}

static void parse_pair(OnnxModel *m, Wire w)
{
    OnnxPair p = { NULL, NULL };
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, LENGTH) && !p.key)
            p.key = text(m, &f);
        else if (is(&f, 2, LENGTH) && !p.value)
            p.value = text(m, &f);
        else
            unknown("StringStringEntryProto", &f);
    cr_assert(p.key && p.value && !onnx_metadata(m, p.key));
    m->metadata = mem_grow(m->metadata, (size_t)m->metadata_count + 1, sizeof *m->metadata);
    m->metadata[m->metadata_count++] = p;
}

OnnxModel onnx_parse(const char *bytes, size_t size)
{
    OnnxModel m = { 0 };
    Wire w = { (const unsigned char *)bytes, (const unsigned char *)bytes + size };
    for (Field f; next_field(&w, &f);)
        if (is(&f, 1, VARINT))
            m.ir_version = (int64_t)f.value;
        else if (is(&f, 2, LENGTH))
            m.producer = text(&m, &f);
        else if (is(&f, 6, LENGTH))
            m.doc = text(&m, &f);
        else if (is(&f, 7, LENGTH))
            parse_graph(&m, f.inner);
        else if (is(&f, 8, LENGTH))
            parse_opset(&m, f.inner);
        else if (is(&f, 14, LENGTH))
            parse_pair(&m, f.inner);
        else
            unknown("ModelProto", &f);
    return m;
}

void onnx_model_free(OnnxModel *m)
{
    for (int i = 0; i < m->text_count; i++)
        free(m->texts[i]);
    free(m->texts);
    free(m->nodes);
    free(m->metadata);
    free(m->tensors);
    free(m->values);
    free(m->inputs);
    free(m->outputs);
}

const char *onnx_metadata(const OnnxModel *model, const char *key)
{
    for (int i = 0; i < model->metadata_count; i++)
        if (strcmp(model->metadata[i].key, key) == 0)
            return model->metadata[i].value;
    return NULL;
}

const OnnxTensor *onnx_tensor(const OnnxModel *m, const char *name)
{
    for (int i = 0; i < m->tensor_count; i++)
        if (strcmp(m->tensors[i].name, name) == 0)
            return &m->tensors[i];
    return NULL;
}

const OnnxValue *onnx_value(const OnnxModel *m, const char *name)
{
    for (int i = 0; i < m->value_count; i++)
        if (strcmp(m->values[i].name, name) == 0)
            return &m->values[i];
    return NULL;
}

/* --- arrays ---------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int rank;
    int64_t dims[ONNX_RANK];
    double *data; /* whole numbers too */
} Array;

static int64_t product(const int64_t *dims, int count)
{
    int64_t all = 1;
    for (int i = 0; i < count; i++)
        all *= dims[i];
    return all;
}

static int64_t elements(const Array *a)
{
    return product(a->dims, a->rank);
}

static Array array(const char *name, int rank, const int64_t *dims)
{
    Array a = { .name = name, .rank = rank };
    cr_assert(rank <= ONNX_RANK);
    memcpy(a.dims, dims, (size_t)rank * sizeof *dims);
    cr_assert(elements(&a) > 0, "%s is empty", name);
    a.data = mem_alloc((size_t)elements(&a), sizeof *a.data);
    return a;
}

static Array copy_as(const Array *a, int rank, const int64_t *dims)
{
    Array y = array(a->name, rank, dims);
    cr_assert_eq(elements(a), elements(&y), "%s does not fit its new shape", a->name);
    memcpy(y.data, a->data, (size_t)elements(&y) * sizeof *y.data);
    return y;
}

static Array of_tensor(const OnnxTensor *t)
{
    Array a = array(t->name, t->rank, t->dims);
    for (int64_t i = 0; i < elements(&a); i++)
        if (t->type == ONNX_FLOAT) {
            float value;
            memcpy(&value, t->data + 4 * i, sizeof value);
            a.data[i] = value;
        } else {
            int64_t value;
            memcpy(&value, t->data + 8 * i, sizeof value);
            a.data[i] = (double)value;
        }
    return a;
}

/* --- operators ------------------------------------------------------------------------------- */

/* A node at work: x[i] are its inputs, in_count of them. */
typedef struct {
    const OnnxNode *node;
    const Array *x[ONNX_IN];
} Job;

static const OnnxAttribute *attribute(const Job *j, const char *name)
{
    for (int i = 0; i < j->node->attribute_count; i++)
        if (strcmp(j->node->attributes[i].name, name) == 0)
            return &j->node->attributes[i];
    cr_assert_fail("%s: a %s without %s", j->node->name, j->node->type, name);
    return NULL;
}

static int64_t int_of(const Job *j, const char *name)
{
    cr_assert_eq(attribute(j, name)->kind, 2);
    return attribute(j, name)->i;
}

static const int64_t *ints_of(const Job *j, const char *name, int count)
{
    const OnnxAttribute *a = attribute(j, name);
    cr_assert(a->kind == 7 && a->count == count, "%s: %s", j->node->name, name);
    return a->ints;
}

static double float_of(const Job *j, const char *name)
{
    cr_assert_eq(attribute(j, name)->kind, 1);
    return (double)attribute(j, name)->f;
}

/* Convolution and max pool walk over the same windows. */
typedef struct {
    const int64_t *kernel, *stride, *pad; /* of two, two and four */
    int64_t dims[4];
} Window;

static Window window_of(const Job *j, int64_t channels)
{
    Window w = { ints_of(j, "kernel_shape", 2),
                 ints_of(j, "strides", 2),
                 ints_of(j, "pads", 4),
                 { j->x[0]->dims[0], channels } };
    cr_assert_eq(j->x[0]->rank, 4);
    for (int i = 0; i < 2; i++)
        w.dims[2 + i] =
            (j->x[0]->dims[2 + i] + w.pad[i] + w.pad[2 + i] - w.kernel[i]) / w.stride[i] + 1;
    return w;
}

/* x[n,c,…] under tap k (of kernel[0]·kernel[1]) of the window at o, or NULL outside. */
static const double *tap(const Window *w, const Array *x, int64_t n, int64_t c, int64_t o,
                         int64_t k)
{
    int64_t row = o / w->dims[3] * w->stride[0] - w->pad[0] + k / w->kernel[1];
    int64_t column = o % w->dims[3] * w->stride[1] - w->pad[1] + k % w->kernel[1];
    if (row < 0 || row >= x->dims[2] || column < 0 || column >= x->dims[3])
        return NULL;
    return &x->data[((n * x->dims[1] + c) * x->dims[2] + row) * x->dims[3] + column];
}

static Array conv(const Job *j)
{
    const Array *x = j->x[0], *weight = j->x[1], *bias = j->x[2];
    Window w = window_of(j, weight->dims[0]);
    int64_t groups = int_of(j, "group"), in = weight->dims[1], each = w.dims[1] / groups;
    cr_assert(weight->rank == 4 && in * groups == x->dims[1] && each * groups == w.dims[1]);
    cr_assert(weight->dims[2] == w.kernel[0] && weight->dims[3] == w.kernel[1]);
    Array y = array(j->node->out, 4, w.dims);
    int64_t pixels = w.dims[2] * w.dims[3], taps = w.kernel[0] * w.kernel[1];
    for (int64_t i = 0; i < elements(&y); i++) {
        int64_t n = i / pixels / w.dims[1], out = i / pixels % w.dims[1];
        double sum = bias ? bias->data[out] : 0;
        for (int64_t c = 0; c < in; c++)
            for (int64_t k = 0; k < taps; k++) {
                const double *at = tap(&w, x, n, out / each * in + c, i % pixels, k);
                sum += at ? *at * weight->data[(out * in + c) * taps + k] : 0;
            }
        y.data[i] = sum;
    }
    return y;
}

static Array max_pool(const Job *j)
{
    Window w = window_of(j, j->x[0]->dims[1]);
    Array y = array(j->node->out, 4, w.dims);
    int64_t pixels = w.dims[2] * w.dims[3];
    for (int64_t i = 0; i < elements(&y); i++) {
        y.data[i] = -INFINITY;
        for (int64_t k = 0; k < w.kernel[0] * w.kernel[1]; k++) {
            const double *at =
                tap(&w, j->x[0], i / pixels / w.dims[1], i / pixels % w.dims[1], i % pixels, k);
            y.data[i] = at ? fmax(y.data[i], *at) : y.data[i];
        }
    }
    return y;
}

static Array global_average_pool(const Job *j)
{
    const Array *x = j->x[0];
    int64_t pixels = product(x->dims + 2, x->rank - 2);
    Array y = array(j->node->out, 4, (int64_t[]){ x->dims[0], x->dims[1], 1, 1 });
    for (int64_t i = 0; i < elements(x); i++)
        y.data[i / pixels] += x->data[i] / (double)pixels;
    return y;
}

static Array flatten(const Job *j)
{
    const Array *x = j->x[0];
    int axis = (int)int_of(j, "axis");
    return copy_as(x, 2,
                   (int64_t[]){ product(x->dims, axis), product(x->dims + axis, x->rank - axis) });
}

static Array reshape(const Job *j)
{
    const Array *x = j->x[0], *shape = j->x[1];
    int rank = (int)elements(shape), rest = -1;
    int64_t dims[ONNX_RANK];
    cr_assert(shape->rank == 1 && rank <= ONNX_RANK);
    for (int i = 0; i < rank; i++) {
        dims[i] = shape->data[i] == 0 ? x->dims[i] : (int64_t)shape->data[i];
        rest = dims[i] == -1 ? i : rest;
    }
    if (rest >= 0)
        dims[rest] = -elements(x) / product(dims, rank);
    return copy_as(x, rank, dims);
}

static Array unsqueeze(const Job *j)
{
    const Array *x = j->x[0], *axes = j->x[1];
    int rank = x->rank + (int)elements(axes);
    int64_t dims[ONNX_RANK] = { 0 };
    cr_assert(rank <= ONNX_RANK);
    for (int i = 0; i < elements(axes); i++)
        dims[(int)axes->data[i]] = 1;
    for (int i = 0, from = 0; i < rank; i++)
        dims[i] = dims[i] ? dims[i] : x->dims[from++];
    return copy_as(x, rank, dims);
}

static Array transpose(const Job *j)
{
    const Array *x = j->x[0];
    int64_t dims[ONNX_RANK], perm[ONNX_RANK], at[ONNX_RANK] = { 0 };
    for (int i = 0; i < x->rank; i++) {
        perm[i] = j->node->attribute_count ? ints_of(j, "perm", x->rank)[i] : x->rank - 1 - i;
        dims[i] = x->dims[perm[i]];
    }
    Array y = array(j->node->out, x->rank, dims);
    for (int64_t i = 0; i < elements(&y); i++) {
        int64_t rest = i, from = 0;
        for (int k = x->rank - 1; k >= 0; rest /= dims[k], k--)
            at[perm[k]] = rest % dims[k];
        for (int k = 0; k < x->rank; k++)
            from = from * x->dims[k] + at[k];
        y.data[i] = x->data[from];
    }
    return y;
}

static Array gemm(const Job *j)
{
    const Array *x = j->x[0], *weight = j->x[1], *bias = j->x[2];
    int64_t in = x->dims[1], out = weight->dims[0];
    cr_assert(int_of(j, "transB") == 1 && x->rank == 2 && weight->rank == 2);
    cr_assert_eq(weight->dims[1], in);
    Array y = array(j->node->out, 2, (int64_t[]){ x->dims[0], out });
    for (int64_t i = 0; i < elements(&y); i++) {
        y.data[i] = bias ? bias->data[i % out] : 0;
        for (int64_t k = 0; k < in; k++)
            y.data[i] += x->data[i / out * in + k] * weight->data[i % out * in + k];
    }
    return y;
}

static Array matmul(const Job *j)
{
    const Array *x = j->x[0], *weight = j->x[1];
    int64_t in = x->dims[x->rank - 1], out = weight->dims[1], dims[ONNX_RANK];
    cr_assert(weight->rank == 2 && weight->dims[0] == in);
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank - 1] = out;
    Array y = array(j->node->out, x->rank, dims);
    for (int64_t i = 0; i < elements(&y); i++)
        for (int64_t k = 0; k < in; k++)
            y.data[i] += x->data[i / out * in + k] * weight->data[k * out + i % out];
    return y;
}

static Array batch_normalization(const Job *j)
{
    const Array *x = j->x[0];
    double eps = float_of(j, "epsilon");
    int64_t pixels = product(x->dims + 2, x->rank - 2);
    Array y = array(j->node->out, x->rank, x->dims);
    for (int64_t i = 0; i < elements(x); i++) {
        int64_t c = i / pixels % x->dims[1];
        y.data[i] =
            (x->data[i] - j->x[3]->data[c]) / sqrt(j->x[4]->data[c] + eps) * j->x[1]->data[c] +
            j->x[2]->data[c];
    }
    return y;
}

/* Sets of `size` numbers side by side to mean 0 and variance 1. */
static Array normalized(const Job *j, int64_t size)
{
    const Array *x = j->x[0];
    Array y = array(j->node->out, x->rank, x->dims);
    for (int64_t set = 0; set < elements(x); set += size) {
        double mean = 0, var = float_of(j, "epsilon");
        for (int64_t i = set; i < set + size; i++)
            mean += x->data[i] / (double)size;
        for (int64_t i = set; i < set + size; i++)
            var += (x->data[i] - mean) * (x->data[i] - mean) / (double)size;
        for (int64_t i = set; i < set + size; i++)
            y.data[i] = (x->data[i] - mean) / sqrt(var);
    }
    return y;
}

static Array instance_normalization(const Job *j)
{
    const Array *x = j->x[0];
    int64_t size = product(x->dims + 2, x->rank - 2);
    cr_assert(x->rank > 2 && elements(j->x[1]) == x->dims[1] && elements(j->x[2]) == x->dims[1]);
    Array y = normalized(j, size);
    for (int64_t i = 0; i < elements(&y); i++) {
        int64_t c = i / size % x->dims[1];
        y.data[i] = y.data[i] * j->x[1]->data[c] + j->x[2]->data[c];
    }
    return y;
}

static Array layer_normalization(const Job *j)
{
    int64_t size = j->x[0]->dims[j->x[0]->rank - 1];
    cr_assert(int_of(j, "axis") == -1 && elements(j->x[1]) == size && elements(j->x[2]) == size);
    Array y = normalized(j, size);
    for (int64_t i = 0; i < elements(&y); i++)
        y.data[i] = y.data[i] * j->x[1]->data[i % size] + j->x[2]->data[i % size];
    return y;
}

/* The place in `a` of element i of a larger array, to whose last axes a's belong. */
static int64_t broadcast(const Array *a, const Array *y, int64_t i)
{
    int64_t place = 0, step = 1;
    for (int k = y->rank - 1, own = a->rank - 1; own >= 0; k--, own--) {
        place += a->dims[own] == 1 ? 0 : i % y->dims[k] * step;
        i /= y->dims[k];
        step *= a->dims[own];
    }
    return place;
}

static Array binary(const Job *j, double (*f)(double, double))
{
    const Array *a = j->x[0], *b = j->x[1], *larger = b->rank > a->rank ? b : a;
    int64_t dims[ONNX_RANK];
    for (int k = 0; k < larger->rank; k++) {
        int own = k + a->rank - larger->rank, other = k + b->rank - larger->rank;
        int64_t d = own < 0 ? 1 : a->dims[own], e = other < 0 ? 1 : b->dims[other];
        cr_assert(d == e || d == 1 || e == 1, "%s: shapes differ", j->node->name);
        dims[k] = d > e ? d : e;
    }
    Array y = array(j->node->out, larger->rank, dims);
    for (int64_t i = 0; i < elements(&y); i++)
        y.data[i] = f(a->data[broadcast(a, &y, i)], b->data[broadcast(b, &y, i)]);
    return y;
}

static double plus(double a, double b)
{
    return a + b;
}

static double times(double a, double b)
{
    return a * b;
}

static double by(double a, double b)
{
    return a / b;
}

static Array add(const Job *j)
{
    return binary(j, plus);
}

static Array mul(const Job *j)
{
    return binary(j, times);
}

static Array divide(const Job *j)
{
    return binary(j, by);
}

static Array unary(const Job *j, double (*f)(double))
{
    Array y = array(j->node->out, j->x[0]->rank, j->x[0]->dims);
    for (int64_t i = 0; i < elements(&y); i++)
        y.data[i] = f(j->x[0]->data[i]);
    return y;
}

static double ramp(double x)
{
    return fmax(x, 0);
}

static double same(double x)
{
    return x;
}

static Array relu(const Job *j)
{
    return unary(j, ramp);
}

static Array erf_of(const Job *j)
{
    return unary(j, erf);
}

static Array identity(const Job *j)
{
    return unary(j, same);
}

/* How many inputs an operator takes, and how many attributes at most. */
static const struct {
    const char *type;
    int least, most, attributes;
    Array (*run)(const Job *j);
} operators[] = {
    { "Add", 2, 2, 0, add },
    { "BatchNormalization", 5, 5, 1, batch_normalization },
    { "Conv", 2, 3, 4, conv },
    { "Div", 2, 2, 0, divide },
    { "Erf", 1, 1, 0, erf_of },
    { "Flatten", 1, 1, 1, flatten },
    { "Gemm", 2, 3, 1, gemm },
    { "GlobalAveragePool", 1, 1, 0, global_average_pool },
    { "Identity", 1, 1, 0, identity },
    { "InstanceNormalization", 3, 3, 1, instance_normalization },
    { "LayerNormalization", 3, 3, 2, layer_normalization },
    { "MatMul", 2, 2, 0, matmul },
    { "MaxPool", 1, 1, 3, max_pool },
    { "Mul", 2, 2, 0, mul },
    { "Relu", 1, 1, 0, relu },
    { "Reshape", 2, 2, 0, reshape },
    { "Transpose", 1, 1, 1, transpose },
    { "Unsqueeze", 2, 2, 0, unsqueeze },
};

static Array run_node(const Job *j)
{
    const OnnxNode *n = j->node;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].type, n->type) != 0)
            continue;
        cr_assert(n->in_count >= operators[i].least && n->in_count <= operators[i].most,
                  "%s: a %s of %d inputs", n->name, n->type, n->in_count);
        cr_assert(n->attribute_count <= operators[i].attributes, "%s", n->name);
        Array y = operators[i].run(j);
        y.name = n->out;
        return y;
    }
    cr_assert_fail("%s: there is no %s", n->name, n->type);
    abort();
}

/* --- graphs ---------------------------------------------------------------------------------- */

static const Array *find(const Array *arrays, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(arrays[i].name, name) == 0)
            return &arrays[i];
    return NULL;
}

/* Has it the shape that is declared? A dimension left open is the batch, of n. */
static void check_shape(const OnnxValue *v, const Array *a, int n)
{
    cr_assert_eq(v->rank, a->rank, "%s", a->name);
    for (int i = 0; i < a->rank; i++)
        cr_assert_eq(v->dims[i] == -1 ? n : v->dims[i], a->dims[i], "%s, axis %d", a->name, i);
}

static Array input_array(const OnnxModel *m, const float *x, int n)
{
    const OnnxValue *v = &m->inputs[0];
    int64_t dims[ONNX_RANK];
    for (int i = 0; i < v->rank; i++)
        dims[i] = v->dims[i] == -1 ? n : v->dims[i];
    Array a = array(v->name, v->rank, dims);
    for (int64_t i = 0; i < elements(&a); i++)
        a.data[i] = (double)x[i];
    return a;
}

static Job job_of(const OnnxNode *node, const Array *arrays, int count)
{
    Job j = { .node = node };
    for (int i = 0; i < node->in_count; i++) {
        j.x[i] = find(arrays, count, node->in[i]);
        cr_assert(j.x[i], "%s: %s is not there yet", node->name, node->in[i]);
    }
    return j;
}

double *onnx_run(const OnnxModel *m, const float *x, int n, size_t *count)
{
    Array *arrays = mem_alloc((size_t)m->tensor_count + (size_t)m->node_count + 1, sizeof *arrays);
    int used = 0;
    for (int i = 0; i < m->tensor_count; i++)
        arrays[used++] = of_tensor(&m->tensors[i]);
    arrays[used++] = input_array(m, x, n);
    for (int i = 0; i < m->node_count; i++) {
        Job j = job_of(&m->nodes[i], arrays, used);
        cr_assert_null(find(arrays, used, m->nodes[i].out), "%s twice", m->nodes[i].out);
        arrays[used] = run_node(&j);
        const OnnxValue *declared = onnx_value(m, m->nodes[i].out);
        if (declared)
            check_shape(declared, &arrays[used], n);
        used++;
    }
    const Array *y = find(arrays, used, m->outputs[0].name);
    cr_assert(y, "nothing gives %s", m->outputs[0].name);
    check_shape(&m->outputs[0], y, n);
    *count = (size_t)elements(y);
    double *out = mem_alloc(*count, sizeof *out);
    memcpy(out, y->data, *count * sizeof *out);
    for (int i = 0; i < used; i++)
        free(arrays[i].data);
    free(arrays);
    return out;
}
