/* The programs' command line: what goes wrong ends with one line that names it, the status that
 * says whose fault it was, and nothing half-written; what goes right prints what it promises. */
#include "base/memory.h"
#include "cli/step.h"
#include "io/safetensors.h"
#include "ops/ops.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The case that the wrong calls are variations of. */
#define STEP "05_large_kernel"
#define CASE "tests/data/steps/" STEP "/"
#define NETWORK "--stem 4 --widths 4,8,16,32 --depths 1,2,2,1 --classes 10"
#define FILES "--weights " CASE "weights.safetensors --batch " CASE "batch.safetensors"

enum { FAILED = 1, USAGE = 2 };

/* Runs a step with these words: it must end with that status and one line on stderr that begins
 * with its name and contains `named`. */
static void fails_in(const char *step, int status, const char *named, const char *words)
{
    Result r = run("%s/%s %s", build_folder(), step, words);
    char *start = str_format("%s: ", step), *end = strchr(r.err, '\n');
    cr_expect_eq(r.status, status, "%s: status %d: %s", words, r.status, r.err);
    cr_expect_eq(strncmp(r.err, start, strlen(start)), 0, "%s: begins otherwise: %s", words, r.err);
    cr_expect(strstr(r.err, named), "%s: '%s' is not named: %s", words, named, r.err);
    cr_expect(end && !end[1], "%s: not one line: %s", words, r.err);
    cr_expect_str_empty(r.out, "%s: prints %s", words, r.out);
    free(start);
    result_free(&r);
}

static void fails(int status, const char *named, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fails(int status, const char *named, const char *format, ...)
{
    char words[4096];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(words, sizeof words, format, args);
    va_end(args);
    cr_assert(length >= 0 && (size_t)length < sizeof words);
    fails_in(STEP, status, named, words);
}

/* --- wrong calls ----------------------------------------------------------------------------- */

Test(cli, unknown_words)
{
    fails(USAGE, "--weights", "report --weights x");
    fails(USAGE, "surplus", "report surplus");
    fails(USAGE, "--nonsense", "--nonsense");
    fails(USAGE, "-x", "-x");
}

Test(cli, bad_values)
{
    fails(USAGE, "--widths", "--widths 1,2,3");
    fails(USAGE, "--widths", "--widths 1,2,3,4,5");
    fails(USAGE, "--widths", "--widths 1,2,,4");
    fails(USAGE, "--widths", "--widths 1,2,3,99999999999999999999");
    fails(USAGE, "--depths", "--depths 1,-2,3,4");
    fails(USAGE, "--threads", "--threads 0");
    fails(USAGE, "--threads", "--threads two");
    fails(USAGE, "--stem", "--stem 1e3");
    fails(USAGE, "--classes", "--classes 0");
    fails(USAGE, "--input", "--input 3x224");
    fails(USAGE, "--input", "--input 3x0x224");
    fails(USAGE, "--input", "--input 3x224x224x1");
    fails(USAGE, "--batch-size", "--batch-size 0");
    fails(USAGE, "--drop-path", "--drop-path 1.5");
    fails(USAGE, "--layer-scale", "--layer-scale nan");
    fails(USAGE, "--preset", "--preset large");
    fails(USAGE, "--format", "report --format xml");
    fails(USAGE, "--format", "report --format 'text|tsv'");
    fails(USAGE, "from 1 to 1048576", "--stem 1048577");
    fails(USAGE, "--part", "report --part stem");
    fails(USAGE, "--seed", "init --seed -1 --output /dev/null");
}

Test(cli, missing_values)
{
    fails(USAGE, "--widths", "report --widths");
    fails(USAGE, "--format", "--format");
    fails(USAGE, "--output", "init --seed 1");
    fails(USAGE, "--weights", "forward --batch x --output y");
    fails(USAGE, "--batch", "forward --weights x --output y");
    fails(USAGE, "--output", "forward %s", FILES);
}

Test(cli, commands_have_modes_and_formats_of_their_own)
{
    fails(USAGE, "--mode", "bench --mode eval");
    fails(USAGE, "--mode", "forward --mode infer %s --output /dev/null", FILES);
    fails(USAGE, "--format", "bench --format json");
    fails(USAGE, "'eval' is not one of infer|train", "bench --mode eval");
    Result r = run("%s/" STEP " help bench", build_folder());
    cr_expect(strstr(r.out, " infer|train ") && strstr(r.out, " text|tsv "), "%s", r.out);
    result_free(&r);
}

Test(cli, options_that_say_nothing_here)
{
    fails(USAGE, "--skip-bad: is about a folder's images", "data shapes --skip-bad");
    fails(USAGE, "--skip-bad: is about a folder's images",
          "train --data shapes --skip-bad --out /dev/null/x");
    fails(FAILED, "folder: needs a path", "data folder:");
    fails(USAGE, "two stages have one width (--widths)", "report --widths 8,8,8,8");
    fails(USAGE, "'all' is every layer",
          "forward --keep all,x $(cat " CASE "config.txt) " FILES " --output /dev/null");
}

Test(cli, bounds_are_whole_numbers)
{
    fails(USAGE, "N, a number from 1 to 1048576", "--stem 2000000");
    fails(USAGE, "V, a number from -1000000 to 1000000", "--layer-scale 1e7");
}

/* --- steps that leave something out ---------------------------------------------------------- */

static Tensor *small_encoder(Tensor *x, Config c)
{
    return conv_norm_act(x, .out = c.stem, .kernel = 1);
}

static Tensor *small_head(Tensor *x, Config c)
{
    return linear(flatten(global_avg_pool(x)), .out = c.classes);
}

/* The status of a step's report; *error: what it says on stderr. */
static int step_status(Step step, char **error)
{
    static char *argv[] = { "14_mine", "report", "--stem", "8", NULL };
    char *folder = folder_new(), *path = str_format("%s/error", folder);
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen(path, "w", stderr))
            _exit(126);
        exit(step_main(4, argv, step));
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    *error = contents("%s", path);
    free(path);
    folder_remove(folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static Step small_step(void)
{
    return (Step){
        .title = "mine", .encoder = small_encoder, .head = small_head, .article = { .stem = 8 }
    };
}

/* What such a step says, with status 2. */
static void refused(Step step, const char *says)
{
    char *error;
    cr_expect_eq(step_status(step, &error), USAGE);
    cr_expect(strstr(error, says), "not '%s': %s", says, error);
    free(error);
}

/* The network is what a step must have; block and stage are for the article's checks. */
Test(cli, steps_that_leave_something_out)
{
    Step step = small_step();
    char *error;
    int status = step_status(step, &error);
    cr_expect_eq(status, 0, "%s", error);
    free(error);
    step.rows = (const Row[]){ { .change = "none" } };
    step.row_count = 1;
    refused(step, ".config: missing in Step: ");
    step = small_step();
    step.head = NULL;
    refused(step, ".head: missing in Step: ");
    step.encoder = NULL;
    refused(step, ".encoder: missing in Step: ");
    step.title = NULL;
    refused(step, ".title: missing in Step: ");
}

/* A title with a tab would be two fields of a table. */
Test(cli, titles_are_lines_of_utf8)
{
    static const char *const titles[][2] = {
        { "My\tstep", ".title: 'My?step': no tab" },
        { "My\nstep", ".title: 'My?step': no tab" },
        { "\xb2\xbd\xd6\xe8", "': not UTF-8, which main.c has to be saved as" },
    };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        Step step = small_step();
        step.title = titles[i][0];
        refused(step, titles[i][1]);
    }
}

/* --- steps with a mistake: the line, and the cure ------------------------------------------------
 */

static int *mistake; /* the line of it, which a child tells as well */
#define WRONG(layer) (*mistake = __LINE__, (layer))

static Tensor *pad_forgotten(Tensor *x, Config c)
{
    x = conv2d(x, .out = c.stem, .kernel = 4, .stride = 4);
    Tensor *res = x;
    x = WRONG(conv2d(x, .out = c.stem, .kernel = 9, .pad = 3, .groups = c.stem));
    x = conv2d(x, .out = c.stem, .kernel = 1);
    return add(x, res);
}

static Tensor *stride_on_one_side(Tensor *x, Config c)
{
    Tensor *res = conv2d(x, .out = c.stem, .kernel = 1);
    x = WRONG(conv2d(x, .out = c.stem, .kernel = 3, .stride = 2, .pad = 1));
    return add(x, res);
}

static Tensor *other_channels(Tensor *x, Config c)
{
    x = conv2d(x, .out = c.stem, .kernel = 1);
    Tensor *res = x;
    x = WRONG(conv2d(x, .out = 4 * c.stem, .kernel = 1));
    return add(res, gelu(x));
}

static Tensor *other_groups(Tensor *x, Config c)
{
    x = conv2d(x, .out = c.stem, .kernel = 1);
    return WRONG(conv2d(x, .out = c.stem, .kernel = 1, .groups = 3));
}

static Tensor *kernel_missing(Tensor *x, Config c)
{
    return WRONG(conv2d(x, .out = c.stem));
}

static Tensor *pool_kernel_missing(Tensor *x, Config c)
{
    (void)c;
    return WRONG(max_pool(x, .stride = 2));
}

static Tensor *linear_on_images(Tensor *x, Config c)
{
    return WRONG(linear(x, .out = c.stem));
}

static Tensor *linear_on_pixels(Tensor *x, Config c)
{
    x = global_avg_pool(x);
    return WRONG(linear(x, .out = c.stem));
}

static Tensor *kernel_larger_than_the_image(Tensor *x, Config c)
{
    x = conv2d(x, .out = c.stem, .kernel = 56, .stride = 56);
    return WRONG(conv2d(x, .out = c.stem, .kernel = 7));
}

/* Both would be the scope's gamma. */
static Tensor *scaled_twice_in_a_scope(Tensor *x, Config c)
{
    (void)c;
    x = layer_scale(x, 0.5f);
    return WRONG(layer_scale(x, 0.25f));
}

static Tensor *nothing_returned(Tensor *x, Config c)
{
    (void)x, (void)c;
    return NULL;
}

Test(cli, mistakes_in_a_step)
{
    static const struct {
        Tensor *(*encoder)(Tensor *x, Config c);
        bool here; /* the error is where the mistake is; else the message names its line */
        const char *says;
    } cases[] = {
        { pad_forgotten, false, ", .pad = 4 would make 56x56 of 56x56" },
        { stride_on_one_side, false, " has a stride of 2" },
        { other_channels, false, " makes 32 channels of 8" },
        { other_groups, true, "3 groups do not divide 8 channels in and 8 out; .groups = x->c" },
        { kernel_missing, true, "conv2d: .kernel is missing" },
        { pool_kernel_missing, true, "max_pool: .kernel is missing" },
        { linear_on_images, true, "not 3x224x224; global_avg_pool and flatten make one" },
        { linear_on_pixels, true, "not 3x1x1; flatten makes one" },
        { kernel_larger_than_the_image, true, "with pad 0; .pad = 3 would keep 4x4" },
        { scaled_twice_in_a_scope, true, "gamma' already; give it a SCOPE of its own" },
    };
    mistake =
        mmap(NULL, sizeof *mistake, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(mistake, MAP_FAILED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *error, *line;
        Step step = small_step();
        step.encoder = cases[i].encoder;
        cr_expect_eq(step_status(step, &error), USAGE);
        line = str_format(cases[i].here ? "test_cli.c:%d: " : "line %d", *mistake);
        cr_expect(strstr(error, line) && strstr(error, cases[i].says), "%s, %s: %s", line,
                  cases[i].says, error);
        free(line);
        free(error);
    }
}

static Tensor *ten_classes(Tensor *x, Config c)
{
    (void)c;
    return linear(flatten(global_avg_pool(x)), .out = 10);
}

static Tensor *one_pixel_of_classes(Tensor *x, Config c)
{
    return conv2d(global_avg_pool(x), .out = c.classes, .kernel = 1);
}

/* What a step's functions return is what the programs count on. */
Test(cli, steps_that_return_something_else)
{
    Step step = small_step();
    step.head = nothing_returned;
    refused(step, ".head: it returns no tensor");
    step.head = ten_classes;
    refused(step, ".head: it returns 1x10, not 1000 logits per image, as linear(");
    step.head = one_pixel_of_classes;
    refused(step, ".head: it returns 1x1000x1x1, not 1000 logits per image");
    step.encoder = nothing_returned;
    refused(step, ".encoder: it returns no tensor");
}

/* Whatever a name holds, the message is one line that ends with what is wrong. */
Test(cli, names_that_would_break_a_line)
{
    fails(USAGE, "a?[31m: no such command", "\"$(printf 'a\\033[31m')\"");
    fails(USAGE, "'1?2' is not", "--stem '1\n2'");
    fails(USAGE, "'': no such command", "''");
    fails(USAGE, "is not one of article", "--preset $(printf %%05000d 0)");
    fails(USAGE, "...: no such command", "$(printf %%05000d 0)");
    fails(
        FAILED, "...: cannot open it: File" /* name too long, as the libc words it */,
        "forward %s --batch %sbatch.safetensors --output /dev/null --weights $(printf %%05000d 0)",
        NETWORK, CASE);
}

/* --- networks that cannot be ----------------------------------------------------------------- */

/* Such a call stands in the step's own file, and its line is named. */
Test(cli, groups_that_do_not_divide)
{
    fails_in("04_inverted_bottleneck", USAGE,
             "04_inverted_bottleneck/main.c:", "--stem 5 --widths 4,8,16,32");
    fails_in("04_inverted_bottleneck", USAGE, "groups", "--stem 5 --widths 4,8,16,32");
}

/* The article's shortcut has a convolution only where the width changes. */
Test(cli, a_stride_that_the_shortcut_lacks)
{
    fails(USAGE, "main.c:", "--widths 8,8,16,32");
    fails(USAGE, "shapes differ", "--widths 8,8,16,32");
}

Test(cli, inputs_too_small)
{
    const char *last = step_name(LADDER - 1);
    fails_in(last, USAGE, "main.c:", "--input 3x32x32");
    fails_in(last, USAGE, "main.c:", "keys --input 3x1x64");
    fails_in(step_name(2), USAGE, "main.c:", "--input 3x3x3");
    fails_in(last, USAGE, "main.c:", "init --input 3x32x32 --output /dev/null");
}

Test(cli, batches_that_do_not_fit)
{
    fails(USAGE, "--input", "forward %s --input 3x32x32 %s --output /dev/null", NETWORK, FILES);
    fails(USAGE, "--batch-size", "forward %s --batch-size 3 %s --output /dev/null", NETWORK, FILES);
}

/* --- files ----------------------------------------------------------------------------------- */

static void forward_fails(const char *named, const char *weights, const char *batch,
                          const char *output)
{
    fails(FAILED, named, "forward %s --weights '%s' --batch '%s' --output '%s'", NETWORK, weights,
          batch, output);
}

Test(cli, weights_that_are_no_file)
{
    char *folder = folder_new(), *none = str_format("%s/none", folder);
    char *corrupt = str_format("%s/corrupt", folder), *out = str_format("%s/out", folder);
    forward_fails(none, none, CASE "batch.safetensors", out);
    forward_fails(none, CASE "weights.safetensors", none, out);
    forward_fails(folder, folder, CASE "batch.safetensors", out);
    run_well("head -c 1000 " CASE "weights.safetensors > '%s'", corrupt);
    forward_fails(corrupt, corrupt, CASE "batch.safetensors", out);
    forward_fails(corrupt, CASE "weights.safetensors", corrupt, out);
    run_well("head -c 100000 /dev/zero > '%s'", corrupt);
    forward_fails(corrupt, corrupt, CASE "batch.safetensors", out);
    run_well(": > '%s'", corrupt);
    forward_fails(corrupt, corrupt, CASE "batch.safetensors", out);
    run_well("test \"$(ls -A '%s')\" = corrupt", folder);
    free(none);
    free(corrupt);
    free(out);
    folder_remove(folder);
}

/* The case's weights with one thing wrong, in a file of that name. */
typedef enum { KEY_MISSING, KEY_EXTRA, SHAPE_WRONG, DTYPE_WRONG, ONE_KEY } Wrong;

static void write_wrong(const char *path, Wrong wrong)
{
    Safetensors file;
    Error error;
    cr_assert(safetensors_read(CASE "weights.safetensors", &file, &error), "%s", error.text);
    Entry *entries = mem_alloc(file.count + 1, sizeof *entries);
    size_t count = file.count;
    memcpy(entries, file.entries, count * sizeof *entries);
    float one = 1;
    Entry extra = { .key = "stranger", .dtype = "F32", .data = &one, .bytes = sizeof one };
    if (wrong == KEY_MISSING)
        count--;
    if (wrong == KEY_EXTRA)
        entries[count++] = extra;
    if (wrong == SHAPE_WRONG)
        entries[0].shape[entries[0].rank++] = 1;
    if (wrong == DTYPE_WRONG)
        entries[0].dtype = "I32";
    if (wrong == ONE_KEY)
        count = 1;
    cr_assert(safetensors_write(path, entries, count, NULL, 0, &error), "%s", error.text);
    free(entries);
    safetensors_free(&file);
}

Test(cli, weights_of_another_network)
{
    char *folder = folder_new(), *wrong = str_format("%s/wrong", folder);
    char *out = str_format("%s/out", folder);
    Safetensors file;
    Error error;
    cr_assert(safetensors_read(CASE "weights.safetensors", &file, &error), "%s", error.text);
    const char *first = file.entries[0].key, *last = file.entries[file.count - 1].key;
    const char *named[] = {
        [KEY_MISSING] = last,  [KEY_EXTRA] = "stranger", [SHAPE_WRONG] = first,
        [DTYPE_WRONG] = first, [ONE_KEY] = "missing",
    };
    for (Wrong w = KEY_MISSING; w <= ONE_KEY; w++) {
        write_wrong(wrong, w);
        forward_fails(named[w], wrong, CASE "batch.safetensors", out);
        forward_fails(wrong, wrong, CASE "batch.safetensors", out);
    }
    run_well("test \"$(ls -A '%s')\" = wrong", folder);
    safetensors_free(&file);
    free(wrong);
    free(out);
    folder_remove(folder);
}

/* A file's keys may have anything in them: the error stays one line without a terminal's commands,
 * and a long key leaves room for others. */
Test(cli, strange_keys)
{
    char *folder = folder_new(), *path = str_format("%s/strange", folder), *command, key[2000];
    Error error;
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = 0;
    Entry entries[] = { { .key = "a\nb\x1b[31m\tc", .dtype = "F32", .rank = 0, .data = "1234" },
                        { .key = key, .dtype = "F32", .rank = 0, .data = "1234" } };
    entries[0].bytes = entries[1].bytes = 4;
    cr_assert(safetensors_write(path, entries, 2, NULL, 0, &error), "%s", error.text);
    command = str_format("export --weights '%s' --output '%s/out'", path, folder);
    fails_in("12_official_convnext", FAILED, "begins with 'a?b?[31m?c'", command);
    free(command);
    Safetensors file = tensors_in(CASE "weights.safetensors");
    file.entries = mem_grow(file.entries, file.count + 2, sizeof *file.entries);
    memcpy(file.entries + file.count, entries, sizeof entries);
    cr_assert(safetensors_write(path, file.entries, file.count + 2, NULL, 0, &error));
    forward_fails("unexpected a?b?[31m?c", path, CASE "batch.safetensors", "/dev/null");
    forward_fails("unexpected kkkkkk", path, CASE "batch.safetensors", "/dev/null");
    safetensors_free(&file);
    free(path);
    folder_remove(folder);
}

Test(cli, at_most_ten_keys_are_listed)
{
    char *folder = folder_new(), *wrong = str_format("%s/wrong", folder);
    write_wrong(wrong, ONE_KEY);
    Result r = run("%s/%s forward %s --weights '%s' --batch %sbatch.safetensors --output '%s/out'",
                   build_folder(), STEP, NETWORK, wrong, CASE, folder);
    int listed = 0;
    for (const char *at = r.err; (at = strstr(at, "encoder.")); at++)
        listed++;
    cr_expect_eq(listed, 10, "%d keys: %s", listed, r.err);
    cr_expect(strstr(r.err, "more"), "%s", r.err);
    result_free(&r);
    free(wrong);
    folder_remove(folder);
}

Test(cli, outputs_that_cannot_be)
{
    char *folder = folder_new();
    const char *weights = CASE "weights.safetensors", *batch = CASE "batch.safetensors";
    char *lost = str_format("%s/none/out", folder);
    forward_fails(lost, weights, batch, lost);
    forward_fails(CASE "config.txt/out", weights, batch, CASE "config.txt/out");
    forward_fails(folder, weights, batch, folder);
    forward_fails("/proc/out", weights, batch, "/proc/out");
    forward_fails("/dev/full", weights, batch, "/dev/full");
    fails(FAILED, lost, "init --preset small --output '%s'", lost);
    run_well("test -z \"$(ls -A '%s')\"", folder);
    free(lost);
    folder_remove(folder);
}

Test(cli, an_old_output_survives_a_failure)
{
    char *folder = folder_new(), *out = str_format("%s/out", folder);
    run_well("echo old > '%s'", out);
    forward_fails("none", "none", CASE "batch.safetensors", out);
    run_well("test \"$(cat '%s')\" = old && test \"$(ls -A '%s')\" = out", out, folder);
    free(out);
    folder_remove(folder);
}

Test(cli, what_is_printed_must_arrive)
{
    Result r = run("%s/%s report > /dev/full", build_folder(), STEP);
    cr_expect_eq(r.status, FAILED);
    cr_expect(strstr(r.err, STEP ": "), "%s", r.err);
    result_free(&r);
}

/* What is opened then must not take the place of standard output. */
Test(cli, standard_files_that_are_closed)
{
    char *folder = folder_new(), *out = str_format("%s/out", folder);
    run_well("%s/%s init --preset small --output '%s'", build_folder(), STEP, out);
    run_well("%s/%s init --preset small --output '%s.2' <&- >&- 2>&- && cmp '%s' '%s.2'",
             build_folder(), STEP, out, out, out);
    Result r =
        run("%s/%s train --data shapes --limit 40 --epochs 1 --batch-size 8 --stem 4 --widths "
            "4,8,8,8 --depths 1,0,0,0 --out '%s/run' >&-",
            build_folder(), STEP, folder);
    cr_expect_eq(r.status, FAILED, "status %d", r.status);
    cr_expect(strstr(r.err, "standard output: cannot write"), "%s", r.err);
    run_well("! grep -r 'epoch 1/1' '%s'", folder);
    result_free(&r);
    free(out);
    folder_remove(folder);
}

Test(cli, too_little_memory)
{
    if (sanitized())
        return;
    char *folder = folder_new();
    Result r = run("ulimit -v 400000; %s/%s init --threads 1 --output '%s/out'", build_folder(),
                   step_name(LADDER - 1), folder);
    cr_expect_eq(r.status, FAILED, "status %d: %s", r.status, r.err);
    cr_expect(strstr(r.err, "memory"), "%s", r.err);
    run_well("test -z \"$(ls -A '%s')\"", folder);
    result_free(&r);
    folder_remove(folder);
}

/* --- right calls ----------------------------------------------------------------------------- */

Test(cli, report_is_the_default)
{
    for (size_t i = 0; i < LADDER; i++) {
        Result bare = run_step(step_name(i), ""), named = run_step(step_name(i), "report");
        cr_expect_str_eq(bare.out, named.out);
        cr_expect(strstr(bare.out, step_name(i)), "%s does not name itself", step_name(i));
        cr_expect_null(strstr(bare.out, "DIFFERS"), "%s is not the article's", step_name(i));
        result_free(&bare);
        result_free(&named);
    }
}

/* --- help ------------------------------------------------------------------------------------ */

/* Runs the step with all of these words, a NULL behind them: all print the same. */
static void print_the_same(const char *const *words)
{
    Result first = run_step(STEP, words[0]);
    cr_expect_neq(first.out[0], 0);
    for (int i = 1; words[i]; i++) {
        Result r = run_step(STEP, words[i]);
        cr_expect_str_eq(r.out, first.out, "%s and %s", words[0], words[i]);
        result_free(&r);
    }
    result_free(&first);
}

Test(cli, help_is_asked_for_as_elsewhere)
{
    print_the_same((const char *[]){ "help", "--help", "-h", "--preset small -h", NULL });
    print_the_same((const char *[]){ "help train", "train --help", "train -h", "--help train",
                                     "train --data shapes --help", "train --epoch 3 --help",
                                     NULL });
    print_the_same((const char *[]){ "--version", "report --version", NULL });
    Result r = run_step(STEP, "--version");
    cr_expect_eq(strstr(r.out, STEP " (convnext-steps) "), r.out, "%s", r.out);
    result_free(&r);
    fails(USAGE, "trian: no such command; did you mean train?", "help trian");
    fails(USAGE, "report: help is about one command", "help train report");
    /* Behind -- and as an option's value they are words like others. */
    fails(USAGE, "--help: report takes no operand", "report -- --help");
    fails(FAILED, "--help: cannot open it", "export --weights --help --onnx /dev/null");
}

static const char *const command_names[] = { "report",  "keys",   "init",     "forward", "gradient",
                                             "fit",     "train",  "evaluate", "bench",   "classify",
                                             "compare", "export", "field",    "show",    "help" };
enum { COMMANDS = sizeof command_names / sizeof *command_names };

Test(cli, help_is_short_and_of_a_command_all)
{
    Result r = run_step(STEP, "help");
    int lines = 0;
    for (const char *at = r.out; (at = strchr(at, '\n')); at++)
        lines++;
    cr_expect(lines < 30, "%d lines", lines);
    for (int i = 0; i < COMMANDS; i++) {
        char *words = str_format("help %s", command_names[i]);
        char *line = str_format("\n  %-9s ", command_names[i]);
        Result own = run_step(STEP, words);
        cr_expect(strstr(r.out, line), "help is silent on %s", command_names[i]);
        cr_expect(strstr(own.out, "usage: " STEP " ") && strstr(own.out, "\nexample:\n") &&
                      strstr(own.out, "\n  --widths A,B,C,D "),
                  "%s", own.out);
        result_free(&own);
        free(line);
        free(words);
    }
    result_free(&r);
}

/* A batch of two for --preset small, in the folder. */
static void put_batch(const char *folder)
{
    enum { PIXELS = 64 * 64 };
    static float x[2 * PIXELS];
    int64_t labels[2] = { 3, 7 };
    char *path = str_format("%s/b.safetensors", folder);
    Entry entries[] = {
        { .key = "labels", .dtype = "I64", .rank = 1, .shape = { 2 }, .data = labels },
        { .key = "x", .dtype = "F32", .rank = 4, .shape = { 2, 1, 64, 64 }, .data = x },
    };
    Error error;
    entries[0].bytes = sizeof labels;
    entries[1].bytes = sizeof x;
    for (int i = 0; i < 2 * PIXELS; i++)
        x[i] = (float)(i % 97) / 97;
    cr_assert(safetensors_write(path, entries, 2, NULL, 0, &error), "%s", error.text);
    free(path);
}

/* Runs the example in a command's help, in that folder. */
static void run_example(const char *command, const char *folder)
{
    Result help = run("%s/" STEP " help %s", build_folder(), command);
    char *example = strstr(help.out, "\nexample:\n  ");
    cr_assert(example, "%s: %s", command, help.out);
    example += strlen("\nexample:\n  ");
    example[strcspn(example, "\n")] = 0;
    char *words = strchr(example, ' ');
    cr_assert(words && strncmp(words + 1, command, strlen(command)) == 0, "%s", example);
    run_well("program=$(cd %s && pwd)/" STEP " && cd '%s' && \"$program\"%s", build_folder(),
             folder, words);
    result_free(&help);
}

/* Those that neither train nor need what was trained. */
Test(cli, examples_in_help_run)
{
    static const char *const commands[] = { "report",   "keys", "init",  "forward",
                                            "gradient", "fit",  "bench", "compare",
                                            "export",   "show", "help" };
    char *folder = folder_new();
    put_batch(folder);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (i == 9) /* what training would have left */
            run_well(
                "cd '%s' && mkdir -p runs/shapes && cp w.safetensors runs/shapes/best.safetensors",
                folder);
        if (!plain_only() || strcmp(commands[i], "bench") != 0)
            run_example(commands[i], folder);
    }
    run_well(
        "cd '%s' && test -s y.safetensors && test -s g.safetensors && test -s f.safetensors && "
        "test -s model.onnx && test -s filters.pgm",
        folder);
    folder_remove(folder);
}

/* The options that a step's network has nothing for are not in its help. */
Test(cli, help_is_the_steps)
{
    static const struct {
        const char *step, *option;
        bool there;
    } cases[] = { { "10_separate_downsampling", "--layer-scale", false },
                  { "11_drop_path_layer_scale", "--layer-scale V  ", true },
                  { "11_drop_path_layer_scale", "--variant", false },
                  { "12_official_convnext", "--variant tiny|small|base|large|xlarge", true },
                  { "12_official_convnext", "(tiny)", true },
                  { "12_official_convnext", "--row", false },
                  { "11_drop_path_layer_scale", "--scheme", false },
                  { "12_official_convnext", "--scheme official|timm", true },
                  { "13_paper_roadmap", "--scheme official|timm", true },
                  { "13_paper_roadmap", "--row N  ", true },
                  { "13_paper_roadmap", "--variant", false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Result r = run_step(cases[i].step, "help export");
        cr_expect_eq(strstr(r.out, cases[i].option) != NULL, cases[i].there, "%s, %s:\n%s",
                     cases[i].step, cases[i].option, r.out);
        result_free(&r);
    }
}

/* The value in brackets behind an option in a command's help; NULL: there is none. Cuts the help.
 */
static char *told(char *help, const char *option)
{
    char *start = str_format("\n  %s ", option), *at = strstr(help, start), *end, *value = NULL;
    if (at && (end = strstr(at, ")\n"))) {
        while (end > at && *--end != '(')
            ;
        value = str_format("%.*s", (int)strcspn(end + 1, ")"), end + 1);
    }
    free(start);
    return value;
}

/* A line of options as the help of a command tells them. */
static char *all_told(const char *command, const char *const *options)
{
    char *words = str_format("help %s", command), *line = str_format("%s", "");
    Result help = run_step(STEP, words);
    for (; *options; options++) {
        char *value = told(help.out, *options);
        cr_assert(value, "%s has no %s", words, *options);
        char *more = str_format("%s %s %s", line, *options, value);
        free(line);
        free(value);
        line = more;
    }
    result_free(&help);
    free(words);
    return line;
}

/* What the help says holds without an option is what the same option with that value does. */
Test(cli, what_help_tells_is_what_is_done)
{
    char *line = all_told("report", (const char *[]){ "--preset", "--stem", "--widths", "--depths",
                                                      "--classes", "--input", "--batch-size",
                                                      "--part", "--format", NULL });
    char *report = str_format("report%s", line);
    print_the_same((const char *[]){ "report", report, NULL });
    free(report);
    free(line);

    char *folder = folder_new();
    line = all_told("train", (const char *[]){ "--lr", "--weight-decay", "--min-lr", "--smoothing",
                                               "--seed", "--batch-size", NULL });
    cr_expect_str_eq(line, " --lr 4e-3 --weight-decay 0.05 --min-lr 1e-6 --smoothing 0.1 --seed 0 "
                           "--batch-size 64");
    const char *call = "train --data shapes --limit 160 --epochs 1 --stem 4 --widths 4,8,8,8 "
                       "--depths 1,0,0,0";
    run_well("%s/" STEP " %s --out '%s/a'", build_folder(), call, folder);
    run_well("%s/" STEP " %s --warmup 0.1 %s --out '%s/b'", build_folder(), call, line, folder);
    run_well("cmp '%s/a/last.safetensors' '%s/b/last.safetensors'", folder, folder);
    free(line);
    folder_remove(folder);
}

/* --- words ----------------------------------------------------------------------------------- */

Test(cli, words_in_any_order)
{
    print_the_same((const char *[]){
        "report --preset small --format tsv", "--preset small report --format tsv",
        "--preset small --format tsv report", "report --preset=small --format=tsv",
        "--preset=small --format=tsv --", "--preset small --format tsv",
        "--preset small --format tsv -- report", NULL });
    print_the_same((const char *[]){ "compare 04", "compare -- 04", "-- compare 04", NULL });
    fails(USAGE, "--layers takes no value", "bench --layers=1");
    fails(USAGE, "--widths: '' is not", "--widths=");
    fails(USAGE, "its value is missing", "init --output --seed 1");
    fails(FAILED, "--seed/x: cannot create it", "init --preset small --output=--seed/x");
}

Test(cli, near_misses)
{
    static const char *const misses[][2] = {
        { "raport", "did you mean report?" },
        { "trian", "did you mean train?" },
        { "evalute", "did you mean evaluate?" },
        { "train --epoch 3", "did you mean --epochs?" },
        { "report --formt tsv", "did you mean --format?" },
        { "report --format=tvs", "did you mean tsv?" },
        { "--preset artcle", "did you mean article?" },
        { "--preset=paper --width 3",
          "--width: report has no such option; did you mean --widths?" },
        { "--width 3 keys", "did you mean --widths?" },
        { "-help", "did you mean --help?" },
        { "train --dataset shapes", "--dataset: train has no such option; did you mean --data?" },
        { "eval", "did you mean evaluate?" },
        { "re", "no such command; see 'help'" },
        { "evaluate w", "w: evaluate takes no operand; did you mean --weights w?" },
        { "evaluate w --weights v", "w: evaluate takes no operand\n" },
        { "train shapes", "shapes: train takes no operand; did you mean --data shapes?" },
        { "train --data shapes --mixup 0.2", "0.2: --mixup takes no value" },
        { "init --output ''", "--output: its value is empty: FILE, the file to write" },
        { "evaluate --weights=", "--weights: its value is empty" },
        { "--input 224x224x3", "4x4 at least; --input is channels x height x width: 3x224x224" },
        { "report --preste=small", "did you mean --preset?" },
        { "xyzzy", "no such command; see 'help'" },
        { "report --colour red", "report has no such option; see 'report --help'" },
        { "--preset nonsense", "is not one of article|paper|small\n" },
    };
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++)
        fails(USAGE, misses[i][1], "%s", misses[i][0]);
}

/* --- options without effect ------------------------------------------------------------------ */

Test(cli, options_that_mean_nothing_here)
{
    fails(USAGE, "--drop-path: this network has no drop path", "--drop-path 0.1");
    fails(USAGE, "--layer-scale: this network has no layer scale",
          "train --data shapes --layer-scale 0.1 --out /dev/null/x");
    fails(USAGE, "--classes: the encoder has none", "--part encoder --classes 7");
    fails(USAGE, "--preset: data has no such option", "data shapes --preset small");
    fails(USAGE, "--input: is for folders", "data shapes --input 1x64x64");
    fails_in("11_drop_path_layer_scale", USAGE, "--layer-scale: this network has no layer scale",
             "report --depths 0,0,0,0 --layer-scale 1");
    fails_in("13_paper_roadmap", USAGE, "--layer-scale: this network has no layer scale",
             "report --row 0 --layer-scale 1");
    Result r = run_step("13_paper_roadmap", "report --row 15 --layer-scale 1 --drop-path 0.1");
    cr_expect(strstr(r.out, "Against row 14: "), "row 14 has no layer scale: %s", r.out);
    result_free(&r);
    r = run_step("11_drop_path_layer_scale", "compare 10 --layer-scale 0.1 --drop-path 0.2");
    cr_expect(strstr(r.out, "layer_scale"), "the other step was asked for them: %s", r.out);
    result_free(&r);
    r = run_step("11_drop_path_layer_scale", "report --layer-scale 0.1");
    cr_expect(strstr(r.out, "Against 10_separate_downsampling: parameters"), "%s", r.out);
    result_free(&r);
}

Test(cli, options_that_contradict_each_other)
{
    fails(USAGE, "--warmup: 3 epochs of warm-up, but 2 in all",
          "train --data shapes --epochs 2 --warmup 3 --out /dev/null/x");
    fails(USAGE, "--min-lr: the learning rate would rise",
          "train --data shapes --lr 1e-3 --min-lr 1e-2 --out /dev/null/x");
    fails(USAGE, "--lr: the learning rate would rise",
          "train --data shapes --lr 1e-7 --out /dev/null/x");
    fails(USAGE, "--ema", "train --data shapes --ema 1 --out /dev/null/x");
    static const char *const outputs[] = { "init --output -", "export --weights x --onnx -",
                                           "export --weights x --c -", "export --pytorch -",
                                           "train --data shapes --out -" };
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        fails(USAGE, "'-' is no file", "%s", outputs[i]);
}

/* How often a piece of text occurs. */
static int occurrences(const char *text, const char *piece)
{
    int count = 0;
    for (; (text = strstr(text, piece)); text += strlen(piece))
        count++;
    return count;
}

Test(cli, report_as_json_and_tsv_have_the_same_layers)
{
    Result json = run_step(STEP, "report --format json --preset small");
    Result tsv = run_step(STEP, "report --format tsv --preset small");
    cr_expect_eq(strstr(tsv.out, "name\top\toutput\tparameters\tmacs\n"), tsv.out);
    cr_expect_eq(json.out[0], '{');
    cr_expect_eq(strcmp(json.out + strlen(json.out) - 2, "}\n"), 0);
    cr_expect_eq(occurrences(json.out, "{"), occurrences(json.out, "}"));
    cr_expect_eq(occurrences(json.out, "\"") % 2, 0);
    cr_expect(strstr(json.out, "\"title\": \""), "%s", json.out);
    cr_expect_eq(occurrences(json.out, "\"name\": "), occurrences(tsv.out, "\n") - 2);
    result_free(&json);
    result_free(&tsv);
}

Test(cli, options_override_the_preset)
{
    Result r = run_step(STEP, "report --format tsv --preset small --widths 8,9,10,12 "
                              "--input 3x64x96 --batch-size 2 --part encoder");
    cr_expect(strstr(r.out, "\ntotal\t-\t2x12x2x3\t"), "%s", r.out);
    result_free(&r);
    r = run_step(STEP, "report --format tsv --preset small --classes 7");
    cr_expect(strstr(r.out, "\ntotal\t-\t1x7\t"), "%s", r.out);
    result_free(&r);
}

Test(cli, init_gives_the_same_weights_for_the_same_seed)
{
    char *folder = folder_new();
    const char *build = build_folder();
    for (int i = 0; i < 3; i++)
        run_well("%s/%s init %s --input 3x64x64 --seed %d --output '%s/%d'", build, STEP, NETWORK,
                 i / 2, folder, i);
    run_well("cd '%s' && cmp -s 0 1 && ! cmp -s 1 2", folder);
    run_well("%s/%s forward %s --weights '%s/2' --batch %sbatch.safetensors --output '%s/out'",
             build, STEP, NETWORK, folder, CASE, folder);
    folder_remove(folder);
}

Test(cli, threads_do_not_change_a_bit)
{
    char *folder = folder_new();
    for (int threads = 1; threads <= 3; threads++)
        run_well("%s/%s forward %s %s --threads %d --output '%s/%d'", build_folder(), STEP, NETWORK,
                 FILES, threads, folder, threads);
    run_well("cd '%s' && cmp 1 2 && cmp 1 3", folder);
    folder_remove(folder);
}

Test(cli, bench_measures)
{
    const char *header = "network\tmode\tbatch\tthreads\tmedian_ms\tmin_ms\tmax_ms\tgflops\t"
                         "images_per_s\tpeak_mb";
    const char *modes[] = { "infer", "train" };
    for (int i = 0; i < 2; i++) {
        char *words = str_format("bench --preset small --batch-size 2 --runs 1 --threads 1 "
                                 "--format tsv --mode %s",
                                 modes[i]);
        Result r = run_step(STEP, words);
        char *text = r.out, *row, *fields[10];
        cr_expect_str_eq(next_line(&text), header);
        cr_assert(row = next_line(&text));
        cr_assert_eq(split(row, fields, 10), 10);
        cr_expect_str_eq(fields[0], STEP);
        cr_expect_str_eq(fields[1], modes[i]);
        cr_expect_str_eq(fields[2], "2");
        cr_expect(atof(fields[4]) > 0 && atof(fields[8]) > 0 && atof(fields[9]) > 0, "%s", row);
        cr_expect_null(next_line(&text));
        result_free(&r);
        free(words);
    }
}

Test(cli, bench_measures_layers)
{
    static const char *const modes[] = { "infer", "train" };
    for (int i = 0; i < 2 && !plain_only(); i++) {
        char *words = str_format("bench --preset small --runs 1 --threads 1 --format tsv --layers "
                                 "--mode %s",
                                 modes[i]);
        Result r = run_step(STEP, words);
        char *text = r.out, *fields[7];
        double percent = 0;
        int backward = 0;
        cr_expect_str_eq(next_line(&text),
                         "layer\tops\tpass\tms\ttime_percent\tgflops\tpeak_percent");
        for (char *line; (line = next_line(&text));) {
            cr_assert_eq(split(line, fields, 7), 7, "%s", line);
            cr_expect(strncmp(fields[0], "encoder.", 8) == 0 || strncmp(fields[0], "head.", 5) == 0,
                      "%s", fields[0]);
            percent += atof(fields[4]);
            backward += strcmp(fields[2], "backward") == 0;
            cr_expect_eq(strcmp(fields[1], "batch_norm") == 0 ? fields[5][0] : '-', '-');
        }
        cr_expect(percent > 0 && percent < 101, "%g %%", percent);
        cr_expect_eq(backward > 0, i == 1);
        result_free(&r);
        free(words);
    }
}
