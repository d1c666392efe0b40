/* export --onnx: a model that another reader of the format understands, whose weights are the
 * file's, and which computes PyTorch's logits. */
#include "base/memory.h"
#include "export/onnx.h"
#include "engine/engine.h"
#include "graph/op.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "onnx.h"
#include "ops/ops.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASE "tests/data/steps/%s/"

enum { FAILED = 1, USAGE = 2 };

static Safetensors tensors(const char *step, const char *file)
{
    return tensors_in(CASE "%s.safetensors", step, file);
}

/* The model of a step's reference case. *bytes is what it points into. */
static OnnxModel exported(const char *step, const char *folder, char **bytes)
{
    run_well("%s/%s export $(cat " CASE "config.txt) --weights " CASE "weights.safetensors "
             "--onnx '%s/%s.onnx'",
             build_folder(), step, step, step, folder, step);
    char *path = str_format("%s/%s.onnx", folder, step);
    size_t size;
    Error error;
    cr_assert(file_read(path, bytes, &size, &error), "%s", error.text);
    free(path);
    return onnx_parse(*bytes, size);
}

/* --- what is in the file --------------------------------------------------------------------- */

static void check_head(const OnnxModel *m, const char *step)
{
    cr_expect_eq(m->ir_version, 8);
    cr_expect_eq(m->opset, 17);
    cr_expect(!m->opset_domain || !*m->opset_domain, "operators of %s", m->opset_domain);
    cr_expect_str_eq(m->name, step);
    cr_expect_str_eq(m->producer, step);
    cr_expect(m->doc && *m->doc);
    cr_assert(m->input_count == 1 && m->output_count == 1);
    cr_expect_str_eq(m->inputs[0].name, "x");
    cr_expect_str_eq(m->outputs[0].name, "logits");
    cr_expect_eq(memcmp(m->inputs[0].dims, (int64_t[]){ -1, 3, 64, 64 }, 4 * sizeof(int64_t)), 0);
    cr_expect_eq(memcmp(m->outputs[0].dims, (int64_t[]){ -1, 10 }, 2 * sizeof(int64_t)), 0);
}

static void check_open_batch(const OnnxValue *values, int count)
{
    for (int i = 0; i < count; i++) {
        cr_expect(values[i].open && strcmp(values[i].open, "batch") == 0, "%s", values[i].name);
        cr_expect_eq(values[i].dims[0], -1, "%s", values[i].name);
        for (int k = 1; k < values[i].rank; k++)
            cr_expect(values[i].dims[k] > 0, "%s", values[i].name);
    }
}

static bool is_used(const OnnxModel *m, const char *name)
{
    for (int i = 0; i < m->node_count; i++)
        for (int k = 0; k < m->nodes[i].in_count; k++)
            if (strcmp(m->nodes[i].in[k], name) == 0)
                return true;
    return false;
}

/* Nothing is there for nothing, and every declared value is some node's output. */
static void check_uses(const OnnxModel *m)
{
    cr_expect(is_used(m, "x"));
    for (int i = 0; i < m->tensor_count; i++)
        cr_expect(is_used(m, m->tensors[i].name), "%s is unused", m->tensors[i].name);
    for (int i = 0; i < m->node_count; i++) {
        bool last = strcmp(m->nodes[i].out, "logits") == 0;
        cr_expect(last != is_used(m, m->nodes[i].out), "%s", m->nodes[i].name);
        cr_expect_eq(last, i == m->node_count - 1);
    }
    for (int i = 0; i < m->value_count; i++) {
        int makers = 0;
        for (int k = 0; k < m->node_count; k++)
            makers += strcmp(m->nodes[k].out, m->values[i].name) == 0;
        cr_expect_eq(makers, 1, "%s", m->values[i].name);
    }
}

/* Every weight is there by its key, with its shape and its bytes; what else there is are constants.
 */
static void check_weights(const OnnxModel *m, const Safetensors *weights)
{
    int constants = 0;
    for (int i = 0; i < m->tensor_count; i++)
        constants += strncmp(m->tensors[i].name, "constant/", strlen("constant/")) == 0;
    cr_expect_eq((size_t)(m->tensor_count - constants), weights->count);
    for (size_t i = 0; i < weights->count; i++) {
        const Entry *e = &weights->entries[i];
        const OnnxTensor *t = onnx_tensor(m, e->key);
        cr_assert(t, "%s is missing", e->key);
        cr_expect_eq(t->type, ONNX_FLOAT);
        cr_assert_eq(t->rank, e->rank, "%s", e->key);
        for (int k = 0; k < t->rank; k++)
            cr_expect_eq((size_t)t->dims[k], e->shape[k], "%s", e->key);
        cr_assert_eq(t->bytes, e->bytes, "%s", e->key);
        cr_expect_eq(memcmp(t->data, e->data, t->bytes), 0, "%s has other numbers", e->key);
    }
}

Test(onnx, models_are_well_formed)
{
    char *folder = folder_new();
    for (size_t i = 0; i < LADDER; i++) {
        char *bytes;
        OnnxModel m = exported(step_name(i), folder, &bytes);
        Safetensors weights = tensors(step_name(i), "weights");
        check_head(&m, step_name(i));
        check_open_batch(m.values, m.value_count);
        check_open_batch(m.inputs, m.input_count);
        check_open_batch(m.outputs, m.output_count);
        check_uses(&m);
        check_weights(&m, &weights);
        safetensors_free(&weights);
        onnx_model_free(&m);
        free(bytes);
    }
    folder_remove(folder);
}

/* Every layer of the report, but the last, is a value of that name and shape. */
Test(onnx, models_have_the_reports_layers)
{
    char *folder = folder_new(), *row[5];
    for (size_t i = 0; i < LADDER; i++) {
        char *bytes, shape[64];
        OnnxModel m = exported(step_name(i), folder, &bytes);
        Result r = run("%s/%s report --format tsv $(cat " CASE "config.txt)", build_folder(),
                       step_name(i), step_name(i));
        char *lines = r.out;
        int layers = 0, rows = 0;
        next_line(&lines);
        for (char *line; (line = next_line(&lines)); rows++) {
            cr_assert_eq(split(line, row, 5), 5);
            const OnnxValue *v = onnx_value(&m, row[0]);
            if (!v)
                continue;
            layers++;
            snprintf(shape, sizeof shape, "1");
            for (int k = 1; k < v->rank; k++)
                snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "x%d",
                         (int)v->dims[k]);
            cr_expect_str_eq(shape, row[2], "%s", row[0]);
        }
        cr_expect_eq(layers, m.value_count, "%s", step_name(i));
        cr_expect_eq(layers, rows - 2, "%s", step_name(i)); /* the last layer, the total */
        result_free(&r);
        onnx_model_free(&m);
        free(bytes);
    }
    folder_remove(folder);
}

/* --- what it computes ------------------------------------------------------------------------ */

/* ‖a - b‖ / ‖b‖, in the 2-norm. */
static double distance(const double *a, const float *b, size_t count)
{
    double off = 0, norm = 0;
    for (size_t i = 0; i < count; i++) {
        off += (a[i] - (double)b[i]) * (a[i] - (double)b[i]);
        norm += (double)b[i] * (double)b[i];
    }
    return sqrt(off / norm);
}

/* For the whole batch, and for its last image alone. */
static void check_logits(const OnnxModel *m, const char *step)
{
    Safetensors batch = tensors(step, "batch"), expected = tensors(step, "expected");
    float *x = floats_in(&batch, "x", NULL), *logits = floats_in(&expected, "eval/logits", NULL);
    int n = (int)safetensors_find(&batch, "x")->shape[0];
    for (int first = 0; first < n; first += n - 1) {
        size_t count;
        double *y = onnx_run(m, x + first * 3 * 64 * 64, n - first, &count);
        cr_assert_eq(count, (size_t)(n - first) * 10);
        double off = distance(y, logits + first * 10, count);
        cr_expect(off < 1e-5, "%s: relative error %.2g", step, off);
        free(y);
    }
    free(x);
    free(logits);
    safetensors_free(&batch);
    safetensors_free(&expected);
}

Test(onnx, models_give_pytorchs_logits)
{
    char *folder = folder_new();
    for (size_t i = 0; i < LADDER; i++) {
        char *bytes;
        OnnxModel m = exported(step_name(i), folder, &bytes);
        check_logits(&m, step_name(i));
        onnx_model_free(&m);
        free(bytes);
    }
    folder_remove(folder);
}

/* The authors' network, whose 1x1 convolutions are linear layers in their files, and whose names
 * are the authors', not the article's. */
Test(onnx, the_published_network_too)
{
    const char *step = "12_official_convnext", *files = "tests/data/official";
    char *folder = folder_new(), *path = str_format("%s/model", folder), *bytes;
    run_well("%s/%s export --widths 4,8,16,32 --depths 1,1,2,1 --classes 10 --input 3x64x64 "
             "--weights %s/official.safetensors --onnx '%s'",
             build_folder(), step, files, path);
    size_t size, count;
    Error error;
    Safetensors weights, batch;
    cr_assert(file_read(path, &bytes, &size, &error), "%s", error.text);
    cr_assert(safetensors_read("tests/data/official/official.safetensors", &weights, &error));
    cr_assert(safetensors_read("tests/data/official/case.safetensors", &batch, &error));
    OnnxModel m = onnx_parse(bytes, size);
    check_head(&m, step);
    check_open_batch(m.values, m.value_count);
    check_uses(&m);
    check_weights(&m, &weights);
    float *x = floats_in(&batch, "x", NULL), *logits = floats_in(&batch, "logits", NULL);
    double *y = onnx_run(&m, x, 2, &count);
    cr_assert_eq(count, 2 * 10);
    double off = distance(y, logits, count);
    cr_expect(off < 1e-5, "relative error %.2g", off);
    free(x);
    free(logits);
    free(y);
    onnx_model_free(&m);
    safetensors_free(&weights);
    safetensors_free(&batch);
    free(bytes);
    free(path);
    folder_remove(folder);
}

/* --- layers as no step has them -------------------------------------------------------------- */

/* A 1x1 convolution whose weight is kept as [out,in], and a parameter that is called like its
 * layer.
 */
static void rename_params(Net *net)
{
    for (int i = 0; i < net_params(net); i++) {
        Param *p = (Param *)net_param(net, i);
        if (p->rank == 4 && p->shape[2] == 1)
            p->rank = 2;
        if (strcmp(p->key, "body.scale.gamma") == 0)
            p->key[strlen("body.scale")] = 0;
    }
}

/* Norms whose channels come last, and what may follow them; groups; two sums in one scope. */
static Net *unusual(void)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 2, 3, 9, 12);
    SCOPE(net, "body") {
        x = conv2d(x, .out = 8, .kernel = 3, .stride = 2, .pad = 1, .bias = false);
        Tensor *kept = x;
        x = layer_norm(x, .eps = 1e-3f);
        x = gelu(x);
        Tensor *turned = x;
        x = layer_norm(x);
        x = add(x, turned); /* both with channels last */
        SCOPE(net, "scale")
            x = layer_scale(x, 0.5f);
        x = drop_path(x, 0.5f);
        x = add(x, kept); /* one of each */
        x = group_norm(x, 4);
        x = relu(x);
        x = max_pool(x, .kernel = 3, .stride = 2, .pad = 1);
        x = conv2d(x, .out = 4, .kernel = 2, .groups = 2);
        x = layer_norm(x);
        x = conv2d(x, .out = 6, .kernel = 1);
    }
    x = global_avg_pool(x);
    x = flatten(x);
    Tensor *kept = x;
    x = batch_norm(x);
    x = group_norm(x, 2);
    x = gelu(x);
    SCOPE(net, "vector")
        x = layer_scale(x, 2);
    x = add(x, kept);
    linear(x, .out = 5, .bias = false);
    rename_params(net);
    return net;
}

/* Numbers between -1 and 1 in no order; parameters' are moved up so that a variance is none below
 * 0. */
static float number(size_t i, float up)
{
    return (float)((i * 2654435761u + 12345) % 1000) / 500 - 1 + up;
}

static void fill(Weights *weights)
{
    for (int k = 0; k < weights->count; k++)
        for (size_t i = 0; i < weights->params[k].count; i++)
            weights->values[k][i] = number(i + (size_t)k * 77, 1.1f);
}

/* The engine's logits, and the model's of the same images. */
Test(onnx, layers_in_other_places)
{
    enum { N = 2, C = 3, H = 9, W = 12, CLASSES = 5 };
    Net *net = unusual();
    Weights *weights = weights_new(net);
    fill(weights);
    Engine *engine = engine_for_inference(engine_kind(NULL), net, weights);
    float x[N * C * H * W], *nhwc = engine_input(engine);
    for (size_t i = 0; i < N * C * H * W; i++) {
        x[i] = number(i, 0);
        nhwc[(i / (C * H * W) * H * W + i % (H * W)) * C + i / (H * W) % C] = x[i];
    }
    engine_forward(engine);

    char *folder = folder_new(), *path = str_format("%s/model", folder), *bytes;
    Error error;
    Onnx *onnx = onnx_new(net, "unusual", "", NULL, 0, &error);
    cr_assert(onnx && onnx_write(onnx, weights, path, &error), "%s", error.text);
    size_t size, count;
    cr_assert(file_read(path, &bytes, &size, &error), "%s", error.text);
    OnnxModel m = onnx_parse(bytes, size);
    double *y = onnx_run(&m, x, N, &count);
    cr_assert_eq(count, N * CLASSES);
    double off = distance(y, engine_output(engine), count);
    cr_expect(off < 1e-5, "relative error %.2g", off);
    cr_expect(onnx_tensor(&m, "body.scale") && onnx_tensor(&m, "body.9.weight")->rank == 2);
    check_uses(&m);

    free(y);
    onnx_model_free(&m);
    free(bytes);
    onnx_free(onnx);
    engine_free(engine);
    weights_free(weights);
    net_free(net);
    free(path);
    folder_remove(folder);
}

static void no_model(const Net *net, const char *named)
{
    Error error = { .text = "" };
    cr_expect_null(onnx_new(net, "none", "", NULL, 0, &error));
    cr_expect(strstr(error.text, named), "%s: %s", named, error.text);
}

Test(onnx, layers_without_counterpart_are_named)
{
    static const Op own = { .name = "sharpen" };
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 3, 8, 8);
    SCOPE(net, "odd")
        net_layer(&own, x, NULL, HERE_, NAME_INDEX, (Attributes){ 0 }, 3, 8, 8);
    no_model(net, "odd.0: sharpen");
    net_free(net);
    net = net_new();
    x = flatten(global_avg_pool(net_input(net, 1, 3, 8, 8)));
    SCOPE(net, "vectors")
        conv2d(x, .out = 4, .kernel = 1);
    no_model(net, "vectors.0: conv2d");
    net_free(net);
}

/* --- files ----------------------------------------------------------------------------------- */

#define STEP "11_drop_path_layer_scale"
#define FILES "tests/data/steps/" STEP "/"

Test(onnx, the_same_weights_give_the_same_bytes)
{
    char *folder = folder_new();
    for (int threads = 1; threads <= 2; threads++)
        run_well("%s/" STEP " export $(cat " FILES "config.txt) --weights " FILES
                 "weights.safetensors --threads %d --batch-size %d --onnx '%s/%d'",
                 build_folder(), threads, threads, folder, threads);
    run_well("cmp '%s/1' '%s/2'", folder, folder);
    folder_remove(folder);
}

static void fails(int status, const char *named, const char *weights, const char *onnx)
{
    Result r =
        run("%s/" STEP " export $(cat " FILES "config.txt) %s %s", build_folder(), weights, onnx);
    cr_expect_eq(r.status, status, "%s %s: status %d: %s", weights, onnx, r.status, r.err);
    cr_expect(strstr(r.err, named), "%s %s: '%s' is not named: %s", weights, onnx, named, r.err);
    cr_expect_eq(strncmp(r.err, STEP ": ", strlen(STEP ": ")), 0, "%s", r.err);
    cr_expect_str_empty(r.out);
    result_free(&r);
}

Test(onnx, export_fails_with_nothing_left)
{
    const char *weights = "--weights " FILES "weights.safetensors";
    char *folder = folder_new(), *model = str_format("--onnx '%s/model'", folder);
    char *lost = str_format("--onnx '%s/none/model'", folder);
    fails(USAGE, "--weights", "", model);
    fails(USAGE, "--onnx", weights, "");
    fails(FAILED, "nowhere", "--weights nowhere", model);
    fails(FAILED, "batch.safetensors", "--weights " FILES "batch.safetensors", model);
    fails(FAILED, "none/model", weights, lost);
    fails(FAILED, "/dev/full", weights, "--onnx /dev/full");
    fails(FAILED, "GiB", "--widths 4096,8192,16384,32768 --weights " FILES "weights.safetensors",
          model);
    run_well("test -z \"$(ls -A '%s')\"", folder);
    free(model);
    free(lost);
    folder_remove(folder);
}

Test(onnx, an_old_model_survives_a_failure)
{
    char *folder = folder_new(), *model = str_format("--onnx '%s/model'", folder);
    run_well("echo old > '%s/model'", folder);
    fails(FAILED, "batch.safetensors", "--weights " FILES "batch.safetensors", model);
    run_well("test \"$(cat '%s/model')\" = old && test \"$(ls -A '%s')\" = model", folder, folder);
    free(model);
    folder_remove(folder);
}
