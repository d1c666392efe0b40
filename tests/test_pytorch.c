/* export --pytorch: the code of a network. That it computes what the network does is seen by
 * `make golden`, which runs it. */
#include "export/pytorch.h"

#include "base/memory.h"
#include "graph/op.h"
#include "ops/ops.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, USAGE = 2, ROWS = 16 };

/* Returns the code that the program writes. */
static char *exported(const char *step, const char *options)
{
    char *folder = folder_new();
    run_well("%s/%s export %s --pytorch '%s/net.py'", build_folder(), step, options, folder);
    char *code = contents("%s/net.py", folder);
    folder_remove(folder);
    return code;
}

/* --- its text -------------------------------------------------------------------------------- */

#define STEP "11_drop_path_layer_scale"

/* PyTorch has run these two; what changes them is to be run again. */
Test(pytorch, code_is_the_one_that_was_run)
{
    static const char *const forms[][2] = { { "", "function" }, { "--module", "module" } };
    for (size_t i = 0; i < 2; i++) {
        char *options =
            str_format("--preset small --depths 1,1,0,0 --drop-path 0.1 %s", forms[i][0]);
        char *code = exported(STEP, options);
        char *golden = contents("tests/data/net_%s.py", forms[i][1]);
        cr_expect_str_eq(code, golden, "%s:\n%s", forms[i][1], code);
        free(options);
        free(code);
        free(golden);
    }
}

Test(pytorch, the_same_network_gives_the_same_text)
{
    char *folder = folder_new();
    const char *files = "tests/data/steps/" STEP;
    run_well("%s/" STEP " export $(cat %s/config.txt) --pytorch '%s/a' && %s/" STEP
             " export $(cat %s/config.txt) --weights %s/weights.safetensors --threads 1 --pytorch "
             "'%s/b' && cmp '%s/a' '%s/b'",
             build_folder(), files, folder, build_folder(), files, files, folder, folder, folder);
    run_well("%s/05_large_kernel init --preset small --seed 1 --output '%s/w' && "
             "%s/05_large_kernel export --weights '%s/w' --module --pytorch '%s/a' && "
             "%s/05_large_kernel export --preset small --module --pytorch '%s/b' && "
             "cmp '%s/a' '%s/b'",
             build_folder(), folder, build_folder(), folder, folder, build_folder(), folder, folder,
             folder);
    folder_remove(folder);
}

/* --- every network --------------------------------------------------------------------------- */

/* How many lines of the text hold the word. */
static int lines_with(const char *text, const char *word)
{
    int count = 0;
    for (; (text = strstr(text, word)); text += strcspn(text, "\n"))
        count++;
    return count;
}

/* Each row of the report is a line with its shape, in the same order; each convolution a module. */
static void check_network(const char *step, const char *options)
{
    char *with = str_format("--module %s", options);
    char *code = exported(step, options), *module = exported(step, with);
    Result r = run("%s/%s report --format tsv %s", build_folder(), step, options);
    char *rows = r.out, *row, *at = strstr(code, "\ndef network(");
    int layers = 0, convolutions = 0;
    next_line(&rows);
    while ((row = next_line(&rows)) && strncmp(row, "total\t", 6) != 0) {
        char *fields[5];
        cr_assert_eq(split(row, fields, 5), 5);
        char *shape = str_format("  # %s\n", fields[2]);
        at = strstr(at, "  # ");
        cr_assert(at && strncmp(at, shape, strlen(shape)) == 0, "%s %s: %s is no line: %.40s", step,
                  options, fields[0], at ? at : "");
        at += strlen(shape);
        layers++;
        convolutions += strcmp(fields[1], "conv2d") == 0;
        free(shape);
    }
    cr_expect(layers > 20 && !strstr(at, "  # "), "%s %s has more lines", step, options);
    cr_expect_eq(lines_with(module, "nn.Conv2d(") + lines_with(module, "Pointwise(") -
                     lines_with(module, "class Pointwise("),
                 convolutions, "%s %s", step, options);
    result_free(&r);
    free(code);
    free(module);
    free(with);
}

Test(pytorch, every_step_and_row_is_exported)
{
    for (size_t i = 0; i < RUNGS; i++)
        check_network(step_name(i), "");
    for (int row = 0; row < ROWS; row++) {
        char *options = str_format("--row %d", row);
        check_network("13_paper_roadmap", options);
        free(options);
    }
    check_network("12_official_convnext", "--variant xlarge");
}

/* --- networks as no step has them ------------------------------------------------------------ */

/* Two sums and two dropped paths in a scope, scopes whose names are no names in Python, one with a
 * parameter and a layer of its own, one whose layers are not one after the other. */
static Net *unusual(void)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 2, 3, 8, 8), *kept[3] = { x, x, x };
    SCOPE(net, "in")
        x = kept[0] = conv2d(x, .out = 4, .kernel = 3, .stride = 2, .pad = 1, .bias = false);
    SCOPE(net, "a \"b\"") {
        kept[1] = x = drop_path(relu(x), 0.5f, .per_sample = true);
        x = drop_path(add(x, kept[0]), 0.25f);
        x = add(layer_norm(x, .eps = 1e-3f), kept[1]);
    }
    SCOPE(net, "scale") {
        x = kept[2] = layer_scale(x, 0.5f);
        x = gelu(x);
    }
    SCOPE(net, "in") {
        net_skip_index(net);
        x = batch_norm(add(x, kept[2]));
    }
    x = flatten(global_avg_pool(x));
    linear(x, .out = 5, .bias = false);
    return net;
}

static void expect_in(const char *code, const char *text)
{
    cr_expect(strstr(code, text), "not there: %s", text);
}

Test(pytorch, layers_in_other_places)
{
    Net *net = unusual();
    Error error = { "" };
    PytorchForm form = { "14_mine", "A \"title\"", "14_mine --classes 5", false };
    char *code = pytorch_code(net, &form, &error);
    cr_assert(code, "%s", error.text);
    cr_expect_eq(strncmp(code, "\"\"\"A 'title'. ", 13), 0, "%.40s", code);
    expect_in(code, "y = F.relu(x)");
    expect_in(code, "y = drop_path(y, 0.5, per_sample=True, training=training and drop)");
    expect_in(code, "x = y + x");
    expect_in(code, "x = layer_norm(x, p, \"a \\\"b\\\".1\", eps=0.001)");
    expect_in(code, "x = x * p[\"scale.gamma\"][:, None, None]");
    expect_in(code, "x = linear(x, p, \"2\", bias=False)");
    free(code);
    form.module = true;
    code = pytorch_code(net, &form, &error);
    cr_assert(code, "%s", error.text);
    expect_in(code, "        x = getattr(getattr(self, \"in\"), \"0\")(x)\n");
    expect_in(code, "        x = getattr(self, \"a \\\"b\\\"\")(x)\n");
    expect_in(code, "        y = self.drop_path(y)\n        x = y + x\n"
                    "        x = self.drop_path_2(x)\n");
    expect_in(code, "        x = x * self.scale.gamma[:, None, None]\n");
    expect_in(code, "nn.Parameter(torch.full((4,), 0.5)),");
    free(code);
    net_free(net);
}

Test(pytorch, layers_without_counterpart_are_named)
{
    static const Op own = { .name = "sharpen" };
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 3, 8, 8);
    SCOPE(net, "stem")
        net_layer(&own, x, NULL, HERE_, NAME_INDEX, (Attributes){ 0 }, 3, 8, 8);
    for (int module = 0; module < 2; module++) {
        Error error = { "" };
        cr_expect_null(pytorch_code(net, &(PytorchForm){ "", "", "", module }, &error));
        cr_expect(strstr(error.text, "stem.0") && strstr(error.text, "sharpen"), "%s", error.text);
    }
    net_free(net);
}

/* --- errors ---------------------------------------------------------------------------------- */

static void fails(int status, const char *words, const char *options)
{
    expect_line(run("%s/" STEP " export --preset small %s", build_folder(), options), status, words,
                options);
}

Test(pytorch, export_fails_with_nothing_left)
{
    const char *files = "tests/data/steps/" STEP;
    char *folder = folder_new(), *options;
    fails(USAGE, "--pytorch|--onnx|--output", "");
    fails(USAGE, "--module|--pytorch", "--module --weights w --output o");
    fails(USAGE, "--weights|given", "--onnx o");
    fails(USAGE, "--weights|given", "--pytorch p --output o");
    fails(USAGE, "--as-is|--weights", "--pytorch p --as-is");
    fails(USAGE, "--scheme|--output", "--pytorch p --scheme timm");
    fails(USAGE, "--pytorch|--onnx", "--pytorch ./o --onnx o --weights w");
    fails(USAGE, "--pytorch|weights", "--pytorch w --weights ./w");
    fails(FAILED, "nowhere", "--pytorch p --weights nowhere");
    fails(FAILED, "/dev/full", "--pytorch /dev/full");
    options = str_format("--pytorch '%s/none/net.py'", folder);
    fails(FAILED, "none/net.py", options);
    free(options);
    /* The weights do not fit: no code is written either. */
    options = str_format("--pytorch '%s/net.py' --weights %s/weights.safetensors", folder, files);
    Result r = run("%s/" STEP " export --preset small %s", build_folder(), options);
    cr_expect(r.status == FAILED && strstr(r.err, "weights.safetensors"), "%s", r.err);
    result_free(&r);
    run_well("test -z \"$(ls -A '%s')\"", folder);
    free(options);
    folder_remove(folder);
}

Test(pytorch, old_code_survives_a_failure)
{
    char *folder = folder_new();
    run_well("echo old >'%s/net.py'", folder);
    char *options = str_format("--pytorch '%s/net.py' --weights nowhere", folder);
    fails(FAILED, "nowhere", options);
    run_well("test \"$(cat '%s/net.py')\" = old && test \"$(ls -A '%s')\" = net.py", folder,
             folder);
    free(options);
    folder_remove(folder);
}
