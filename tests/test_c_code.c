/* export --c: a file that any compiler takes without a warning, and which computes the plain
 * engine's logits, bit for bit where both have the same libm. All steps, rows and other compilers:
 * `make portability`. */
#include "base/memory.h"
#include "engine/plain.h"
#include "export/c_code.h"
#include "export/c_layers.h"
#include "graph/op.h"
#include "ops/ops.h"
#include "random_networks.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, USAGE = 2 };

#define CASE "tests/data/steps/09_layer_norm/"

Test(c_code, computes_the_logits)
{
    char *folder = folder_new();
    Result r = run("CC=\"${CC:-cc}\" tests/c_code.sh '%s' '%s' 00_resnet row-15-beside",
                   build_folder(), folder);
    cr_expect_eq(r.status, 0, "%s%s", r.out, r.err);
#ifndef PORTABLE /* which has an erfc of its own */
    cr_expect_str_eq(r.out, "00_resnet: the same bits\nrow-15-beside: the same bits\n");
#endif
    result_free(&r);
    folder_remove(folder);
}

Test(c_code, is_cplusplus_too)
{
    char *folder = folder_new();
    run_well("%s/09_layer_norm export $(cat " CASE "config.txt) --weights " CASE
             "weights.safetensors --c '%s/net.c' && { ! command -v g++ || g++ -x c++ -std=c++17 "
             "-Wall -Wextra -Werror -fsyntax-only '%s/net.c'; }",
             build_folder(), folder, folder);
    folder_remove(folder);
}

/* Tests for a network of the library's ops alone. */
static bool has_c(const Net *net)
{
    for (int i = 1; i < net_tensors(net); i++) {
        const Op *op = net_tensor(net, i)->op;
        if (!c_layer(op) && op != &flatten_op && op != &drop_path_op)
            return false;
    }
    return true;
}

/* Writes one network as C, and its first image, the plain engine's output for that and the two's
 * sizes behind those of the others; false: it has an op of the tests' own. */
static bool write_random(int round, const char *folder, FILE *images, FILE *outputs, FILE *sizes)
{
    Error error;
    char *name = str_format("random_%d", round), *path = str_format("%s/%s.c", folder, name);
    Net *net = random_network((uint64_t)round, round % 4 == 0);
    if (!has_c(net)) {
        net_free(net), free(name), free(path);
        return false;
    }
    Weights *weights = weights_new(net);
    weights_init(weights, (uint64_t)round);
    Random r = { .seed = 5, .stream = (uint64_t)round };
    for (size_t i = 0; i < weights->floats; i++)
        weights->data[i] += (float)random_uniform(r, i) / 4;
    cr_assert(
        c_code_write(net, weights, &(CAbout){ .name = name, .title = "" }, path, NULL, &error),
        "%s", error.text);
    Plain *plain = plain_new(net);
    const Tensor *x = net_tensor(net, 0), *y = net_output(net);
    for (size_t i = 0; i < tensor_elements(x); i++)
        plain_input(plain)[i] = (float)random_normal(r, i);
    plain_forward(plain, weights, false);
    for (int c = 0; c < x->c; c++)
        for (int p = 0; p < x->h * x->w; p++)
            fwrite(plain_input(plain) + p * x->c + c, sizeof(float), 1, images);
    fwrite(plain_output(plain), sizeof(float), (size_t)(y->h * y->w * y->c), outputs);
    fprintf(sizes, "RUN(step_%s, %d, %d)\n", name, x->c * x->h * x->w, y->h * y->w * y->c);
    plain_free(plain);
    weights_free(weights);
    net_free(net);
    free(name);
    free(path);
    return true;
}

static FILE *open_in(const char *folder, const char *name)
{
    char *path = str_format("%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    free(path);
    return file;
}

/* Shared rooms, views, sums of anything: an array that is overwritten too early would show. */
Test(c_code, computes_random_networks)
{
    enum { ROUNDS = 24 };
    char *folder = folder_new();
    FILE *images = open_in(folder, "images"), *outputs = open_in(folder, "outputs");
    FILE *sizes = open_in(folder, "sizes.h"), *program = open_in(folder, "main.c");
    for (int round = 0, written = 0; written < ROUNDS; round++)
        written += write_random(round, folder, images, outputs, sizes);
    fputs("#include <stdio.h>\nstatic float x[1 << 20], y[1 << 20];\n#define RUN(f, in, out) "
          "void f(const float *, float *);\n#include \"sizes.h\"\n#undef RUN\n#define RUN(f, in, "
          "out) if (fread(x, 4, in, stdin) != in) return 1; f(x, y); fwrite(y, 4, out, stdout);\n"
          "int main(void)\n{\n#include \"sizes.h\"\nreturn 0; }\n",
          program);
    fclose(images), fclose(outputs), fclose(sizes), fclose(program);
    run_well("cd '%s' && ${CC:-cc} -std=c11 -O0 -Wall -Wextra -Werror $EXTRA *.c -lm -o run && "
             "./run < images > ours",
             folder);
    Result r = run("cd '%s' && cmp ours outputs && test -s ours", folder);
#ifndef PORTABLE
    cr_expect_eq(r.status, 0, "%s", r.out);
#endif
    result_free(&r);
    folder_remove(folder);
}

static void nothing(const Tensor *t, const Call *c)
{
    (void)t, (void)c;
}

Test(c_code, names_the_layer_that_it_does_not_know)
{
    static const Op strange = { .name = "strange", .define = nothing };
    Error error;
    Net *net = net_new();
    Tensor *x = relu(net_input(net, 1, 1, 2, 2));
    net_layer(&strange, x, NULL, x->at, NAME_INDEX, (Attributes){ 0 }, 1, 2, 2);
    Weights *weights = weights_new(net);
    cr_expect(!c_code_write(net, weights, &(CAbout){ .name = "x", .title = "" }, "/dev/null/x",
                            NULL, &error));
    cr_expect(strstr(error.text, "1: strange has no counterpart in C"), "%s", error.text);
    weights_free(weights);
    net_free(net);
}

/* What a file says of itself could end its comments and strings, and numbers need not be numbers.
 */
Test(c_code, holds_any_text_and_number)
{
    char *folder = folder_new();
    Metadata metadata[] = {
        { "data", "folder:a */ \\ ?\?/ /* b" },
        { "mean", "0.5,0.25,0.125" },
        { "std", "1,2,4" },
        { "image", "resized to 64x64 (bicubic, antialiased), enlarged 1 times (bilinear), "
                   "black around it to 64x64" },
        { "classes",
          "[\"a\\\"\\\\\",\"?\?=\",\"猫1\",\"*/\",\"\\n9\",\"%d\",\"g\",\"h\",\"i\",\"j\"]" },
    };
    char *weights = str_format("%s/w", folder), *code = str_format("%s/net.c", folder);
    copy_tensors(CASE "weights.safetensors", weights, metadata, sizeof metadata / sizeof *metadata);
    run_well("printf '\\000\\000\\300\\177\\000\\000\\200\\377' | dd of='%s' bs=1 conv=notrunc "
             "seek=$(($(wc -c <'%s') - 8)) 2>/dev/null",
             weights, weights);
    run_well("%s/09_layer_norm export $(cat " CASE "config.txt) --weights '%s' --c '%s'",
             build_folder(), weights, code);
    run_well("cd '%s' && echo '#include <stdio.h>\nextern const char *const "
             "step_09_layer_norm_classes[10];\nint main(void) { for (int i = 0; i < 5; i++) "
             "puts(step_09_layer_norm_classes[i]); return 0; }' > main.c && ${CC:-cc} -std=c11 -O0 "
             "-Wall -Wextra -Werror $EXTRA main.c net.c -lm -o names",
             folder);
    Result r = run("'%s/names'", folder);
    cr_expect_str_eq(r.out, "a\"\\\n?\?=\n猫1\n*/\n\n9\n");
    result_free(&r);
    free(weights);
    free(code);
    folder_remove(folder);
}

Test(c_code, refuses_what_it_cannot_do)
{
    char *folder = folder_new(), *name = str_format("%s/w", folder);
#define EXPORT                                                                                     \
    "%s/09_layer_norm export --weights " CASE "weights.safetensors $(cat " CASE "config.txt) "
    expect_line(run(EXPORT "--c-weights '%s/a'", build_folder(), folder), USAGE,
                "--c-weights|needs --c", "weights without C");
    expect_line(run(EXPORT "--c '%s/a' --c-weights '%s/a'", build_folder(), folder, folder), USAGE,
                "would replace what --c", "one file for both");
    expect_line(run(EXPORT "--c '%s/no/net.c' --c-weights '%s/b'", build_folder(), folder, folder),
                FAILED, "no/net.c", "no such folder");
    expect_line(
        run("small='--preset small --widths 4,8,16,768 --depths 1,1,1,1'; %s/12_official_convnext "
            "init $small --output '%s' && %s/12_official_convnext export $small "
            "--weights '%s' --c '%s/net.c'",
            build_folder(), name, build_folder(), name, folder),
        FAILED, "--c|too many for a file of C|--c-weights", "5 million weights");
    Result left = run("rm '%s' && ls -A '%s'", name, folder);
    cr_expect_str_eq(left.out, "", "left: %s", left.out);
    result_free(&left);
    free(name);
    folder_remove(folder);
}
