#define _GNU_SOURCE /* realpath */
/* What if a call of the system fails? tests/faults/preload.c makes the n-th one fail. Then a
 * command ends with status 1 and a line that says why, or does without and gives what it gives
 * otherwise; its output's place holds the old file or the whole new one, and no temporary file is
 * left.
 *
 * FAULTS in the environment says for how many n of each kind of call, or all (`make faults`). */
#include "base/memory.h"
#include "io/file.h"
#include "run.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP "11_drop_path_layer_scale"
#define CASE "tests/data/steps/" STEP "/"
#define NETWORK "--stem 4 --widths 4,8,16,32 --depths 1,2,2,1 --classes 10 "
#define SMALL "--preset small --stem 4 --widths 4,8,8,8 --depths 1,0,0,0 "

/* A command, and what its output "out" is: a file that is replaced at once, a training run's
 * folder, or what it prints, which may stop anywhere; what it prints of another step's program, or
 * of time, may be something else each time. */
typedef struct {
    const char *words;
    enum { A_FILE, A_RUN, PRINTED, PRINTED_ANYHOW } out;
    bool plain;   /* from files that are not packed: no other program has to run */
    bool resumes; /* a run that lacks its last step */
} Command;

/* How many calls of a class are made to fail, of those there are. */
static long tried(long few, long calls)
{
    const char *faults = getenv("FAULTS");
    long wanted = !faults ? few : strcmp(faults, "all") == 0 ? calls : atol(faults);
    return wanted < calls ? wanted : calls;
}

/* --- a small data set, packed, so that gzip is run ------------------------------------------- */

static void write_idx(const char *folder, const char *name, const unsigned char *header,
                      size_t header_size, size_t size)
{
    Error error;
    char *path = str_format("%s/%s", folder, name);
    FileWriter *file = file_create(path, &error);
    cr_assert(file, "%s", error.text);
    file_put(file, header, header_size);
    for (size_t i = 0; i < size; i++)
        file_put(file, &(unsigned char){ (unsigned char)(i * 7 % 10) }, 1);
    cr_assert(file_commit(file, &error), "%s", error.text);
    free(path);
}

/* 40 images, the same for training and test. */
static void write_data(const char *folder)
{
    static const unsigned char images[] = { 0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 28, 0, 0, 0, 28 };
    static const unsigned char labels[] = { 0, 0, 8, 1, 0, 0, 0, 40 };
    write_idx(folder, "train-images-idx3-ubyte", images, sizeof images, 40 * 28 * 28);
    write_idx(folder, "train-labels-idx1-ubyte", labels, sizeof labels, 40);
    run_well("cd %s && for f in images-idx3 labels-idx1; do cp train-$f-ubyte t10k-$f-ubyte; done "
             "&& mkdir plain && cp *-ubyte plain && gzip *-ubyte",
             folder);
}

/* A network for them, and one of the images. */
static void write_trained(const char *folder)
{
    run_well("%s/" STEP " init " SMALL "--output %s/trained", build_folder(), folder);
    run_well("{ printf 'P5 28 28 255\n'; tail -c 784 %s/plain/t10k-images-idx3-ubyte; } > "
             "%s/image.pgm",
             folder, folder);
}

/* --- one run --------------------------------------------------------------------------------- */

/* With the n-th call of a class failing; 0: none does. Gives how many calls there were. */
static Result run_with_fault(const Command *c, const char *folder, const char *class, long n,
                             long *calls)
{
    char *build = realpath(build_folder(), NULL), *file = str_format("%s/count", folder);
    unlink(file);
    Result r = run("cd %s && export FASHION_MNIST=%s FAULT='%s %ld' "
                   "FAULT_COUNT=count && LD_PRELOAD=./faults.so exec '%s/" STEP "' %s",
                   folder, c->plain ? "plain" : ".", class, n, build, c->words);
    free(build);
    free(file);
    cr_assert(r.status < 126, "%s, %s %ld: status %d: %s", c->words, class, n, r.status, r.err);
    char *count = contents("%s/count", folder);
    *calls = atol(count);
    free(count);
    return r;
}

/* Have two files of the folder the same bytes, up to a text where there is one? */
static bool same_until(const char *folder, const char *a, const char *b, const char *text)
{
    char *paths[2] = { str_format("%s/%s", folder, a), str_format("%s/%s", folder, b) };
    char *bytes[2] = { NULL, NULL };
    size_t sizes[2];
    bool equal = file_read(paths[0], &bytes[0], &sizes[0], NULL) &&
                 file_read(paths[1], &bytes[1], &sizes[1], NULL);
    for (int i = 0; equal && i < 2; i++) {
        const char *end = text ? strstr(bytes[i], text) : NULL;
        sizes[i] = end ? (size_t)(end - bytes[i]) : sizes[i];
    }
    equal = equal && sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0;
    for (int i = 0; i < 2; i++) {
        free(paths[i]);
        free(bytes[i]);
    }
    return equal;
}

static bool same(const char *folder, const char *a, const char *b)
{
    return same_until(folder, a, b, NULL);
}

/* Is the output what a run without a fault gives? */
static bool is_whole(const Command *c, const char *folder)
{
    if (c->out != A_RUN)
        return same(folder, "out", "whole");
    return same(folder, "out/best.safetensors", "whole/best.safetensors") &&
           same(folder, "out/last.safetensors", "whole/last.safetensors") &&
           same_until(folder, "out/result.tsv", "whole/result.tsv", "\t" STEP "\t");
}

static void expect_no_temporary(const char *folder, const char *what)
{
    for (int i = 0; i < 2; i++) {
        char pattern[1024];
        glob_t found;
        snprintf(pattern, sizeof pattern, i ? "%s/out/*.tmp" : "%s/*.tmp", folder);
        cr_expect_eq(glob(pattern, 0, NULL, &found), GLOB_NOMATCH, "%s: %s is left", what, pattern);
        globfree(&found);
    }
}

/* What is said behind the note that a new run begins. */
static const char *behind_note(const char *said)
{
    const char *end = strchr(said, '\n'), *note = strstr(said, "nothing to resume");
    return end && note && note < end ? end + 1 : said;
}

static void expect_clean_failure(const Command *c, const char *folder, const Result *r,
                                 const char *what)
{
    const char *start = STEP ": ", *error = behind_note(r->err), *end = strchr(error, '\n');
    cr_expect_eq(r->status, 1, "%s: status %d: %s", what, r->status, r->err);
    cr_expect(strncmp(error, start, strlen(start)) == 0 && end && !end[1],
              "%s: not one line of the program's: %s", what, r->err);
    if (c->out != A_FILE)
        return;
    cr_expect(same(folder, "out", "old") || is_whole(c, folder),
              "%s: neither the old file nor the new one", what);
}

/* A run that failed goes on, and ends as if nothing had been. */
static void expect_resumed(const Command *c, const char *folder, const char *what)
{
    long calls;
    Result r = run_with_fault(c, folder, "none", 0, &calls);
    cr_expect_eq(r.status, 0, "%s, resumed: %s", what, r.err);
    cr_expect(is_whole(c, folder), "%s, resumed: other bytes", what);
    result_free(&r);
}

/* What is in the output's place before; without another program, which would take longest. */
static void prepare(const Command *c, const char *folder)
{
    char *path = str_format("%s/out", folder);
    if (c->out == A_RUN) {
        run_well("rm -rf %s", path);
        if (c->resumes)
            run_well("cp -r %s/whole %s && rm %s/result.tsv", folder, path, path);
    } else {
        FILE *old = fopen(path, "w");
        cr_assert(old && fputs("old\n", old) >= 0 && fclose(old) == 0);
    }
    free(path);
}

static void check_fault(const Command *c, const char *folder, const char *class, long n)
{
    long calls;
    char *what = str_format("%.30s, %s %ld", c->words, class, n);
    prepare(c, folder);
    Result r = run_with_fault(c, folder, class, n, &calls);
    if (r.status != 0)
        expect_clean_failure(c, folder, &r, what);
    else if (c->out != PRINTED_ANYHOW)
        cr_expect(is_whole(c, folder), "%s: status 0, but other bytes", what);
    result_free(&r);
    expect_no_temporary(folder, what);
    if (c->out == A_RUN)
        expect_resumed(c, folder, what);
    free(what);
}

/* `few` of the class's calls, evenly, or every one. */
static void check_class(const Command *c, const char *folder, const char *class, long few)
{
    long calls;
    prepare(c, folder);
    Result r = run_with_fault(c, folder, class, 0, &calls);
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect(calls > 0, "%.30s calls nothing of the class %s", c->words, class);
    result_free(&r);
    few = tried(few, calls);
    for (long i = 0; i < few; i++)
        check_fault(c, folder, class, 1 + (few > 1 ? i * (calls - 1) / (few - 1) : 0));
}

/* classes: each followed by a space. */
static void check(const Command *c, const char *classes, long few)
{
#ifdef __APPLE__
    return; /* its loader takes no other library's word for libc's */
#endif
    if (sanitized())
        return; /* its allocator stands where the one that is to fail would be */
    char *folder = folder_new(), class[16];
    long calls;
    int length;
    write_data(folder);
    write_trained(folder);
    run_well("cp " CASE "*.safetensors %s && echo old > %s/old", folder, folder);
    /* LD_PRELOAD takes no path with spaces. */
    char *build = realpath(build_folder(), NULL);
    run_well("ln -s '%s/faults.so' %s/faults.so", build, folder);
    free(build);
    Result r = run_with_fault(c, folder, "none", 0, &calls);
    cr_assert_eq(r.status, 0, "%s", r.err);
    run_well("mv %s/out %s/whole", folder, folder);
    result_free(&r);
    for (; sscanf(classes, "%15s %n", class, &length) == 1; classes += length)
        if (!plain_only() || strcmp(class, "thread") != 0)
            check_class(c, folder, class, few);
    folder_remove(folder);
}

/* --- commands -------------------------------------------------------------------------------- */

#define FILES "--weights weights.safetensors --batch batch.safetensors --output out"

#define TRAIN                                                                                      \
    "train --data fashion-mnist --limit 40 --batch-size 12 --threads 2 --ema 0.5 --stem 4 "        \
    "--widths 4,8,8,8 --depths 1,0,0,0 --resume --out out "

static const Command training = { TRAIN "--epochs 2", .out = A_RUN };

/* One epoch: a second one asks for memory where the first did. */
Test(faults, memory_while_training)
{
    Command c = { TRAIN "--epochs 1", .out = A_RUN, .plain = true };
    check(&c, "memory ", 5);
}

Test(faults, memory_while_resuming)
{
    Command c = { TRAIN "--epochs 1", .out = A_RUN, .plain = true, .resumes = true };
    check(&c, "memory open read ", 2);
}

Test(faults, files_while_training)
{
    check(&training, "open read write close ", 3);
}

Test(faults, the_system_while_training)
{
    check(&training, "sync rename folder thread process ", 2);
}

Test(faults, forward)
{
    Command c = { "forward --threads 2 " NETWORK FILES, .out = A_FILE };
    check(&c, "memory open read write close sync rename thread ", 4);
}

Test(faults, gradient)
{
    Command c = { "gradient " NETWORK FILES, .out = A_FILE };
    check(&c, "memory write close ", 2);
}

Test(faults, init)
{
    Command c = { "init " SMALL "--output out", .out = A_FILE };
    check(&c, "memory open write close sync rename ", 2);
}

Test(faults, fit)
{
    Command c = { "fit --steps 2 --lr 1e-3 --weight-decay 0.1 " NETWORK FILES, .out = A_FILE };
    check(&c, "memory open read write close sync rename ", 2);
}

Test(faults, export)
{
    Command weights = { "export " SMALL "--weights trained --output out", .out = A_FILE };
    Command halves = { "export " SMALL "--weights trained --dtype F16 --output out",
                       .out = A_FILE };
    Command onnx = { "export " SMALL "--weights trained --onnx out", .out = A_FILE };
    Command code = { "export " SMALL "--weights trained --c out", .out = A_FILE };
    check(&weights, "memory open read write close sync rename ", 2);
    check(&halves, "memory ", 2);
    check(&onnx, "open read write close sync rename ", 2);
    check(&onnx, "memory ", 30);
    Command pytorch = { "export " SMALL "--pytorch out", .out = A_FILE };
    check(&pytorch, "memory open write close sync rename ", 2);
    check(&code, "memory open read write close sync rename ", 2);
}

Test(faults, evaluate)
{
    Command c = { "evaluate --threads 2 " SMALL "--data fashion-mnist --weights trained > out",
                  .out = PRINTED };
    check(&c, "memory open read write thread process ", 2);
}

Test(faults, evaluate_altered_and_data)
{
    Command evaluate = { "evaluate --threads 2 " SMALL "--data fashion-mnist --weights trained "
                         "--alter blur:3 > out",
                         .out = PRINTED };
    Command data = { "data fashion-mnist --alter noise:16 --threads 2 --output out",
                     .out = A_FILE };
    check(&evaluate, "memory thread ", 2);
    check(&data, "memory open read write close sync rename thread process ", 2);
}

Test(faults, classify)
{
    Command c = { "classify " SMALL "--data fashion-mnist --weights trained image.pgm > out",
                  .out = PRINTED };
    check(&c, "memory open read write process ", 2);
}

Test(faults, field_and_show)
{
    Command field = { "field " SMALL "--data fashion-mnist --limit 2 --weights trained "
                      "--output out",
                      .out = A_FILE };
    Command filters = { "show " SMALL "--weights trained --output out", .out = A_FILE };
    check(&field, "memory write close ", 2);
    check(&filters, "memory write close ", 2);
}

Test(faults, report)
{
    Command c = { "report --preset small > out", .out = PRINTED_ANYHOW };
    check(&c, "memory write process ", 3);
}

Test(faults, compare)
{
    Command c = { "compare --preset small > out", .out = PRINTED_ANYHOW };
    check(&c, "memory read write process ", 2);
}

Test(faults, keys_and_bench)
{
    Command keys = { "keys --preset small > out", .out = PRINTED };
    Command bench = { "bench " SMALL "--runs 1 > out", .out = PRINTED_ANYHOW };
    check(&keys, "memory write ", 2);
    check(&bench, "memory write ", 2);
}

/* gzip fails at the very end, behind all of the data: known even where children are ignored. */
Test(faults, a_packed_file_cut_short)
{
    char *folder = folder_new(), *build = realpath(build_folder(), NULL);
    write_data(folder);
    run_well("truncate -s -4 %s/t10k-images-idx3-ubyte.gz", folder);
    Result r = run("cd %s && trap '' CHLD && FASHION_MNIST=. '%s/" STEP "' %s", folder, build,
                   training.words);
    cr_expect_eq(r.status, 1, "status %d", r.status);
    cr_expect(strstr(r.err, "cannot unpack"), "%s", r.err);
    result_free(&r);
    free(build);
    folder_remove(folder);
}
