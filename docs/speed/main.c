/* build/speed: times the versions of a product and of a depthwise convolution, each checked against
 * sums in float64, and prints a table. docs/speed.md explains it. */
#include "speed.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/fast/kernels/gemm.h"
#include "engine/fast/kernels/peak.h"
#include "engine/fast/kernels/simd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: speed [gemm|depthwise [VERSION]] [--check] [--format text|tsv] [--threads N]\n"
    "--check compares results, at small sizes, and times nothing.\n";

/* Versions that leave the last columns to the next allocation would not be noticed: so much behind
 * every array must stay as it was. */
enum { GUARD = 64 };
static const float UNTOUCHED = 12345;

typedef struct {
    const char *kernel, *version; /* NULL: all */
    bool check, tsv;
} Wanted;

/* One of the two kernels, at one size. */
typedef struct {
    const char *name;
    const Version *versions;
    Product product;
    Depthwise depthwise;
    bool is_product;
    double flops;
    double *should; /* the result in float64 */
    float *result;
    size_t count;
    int terms; /* a sum's */
} Subject;

/* --- the two subjects ------------------------------------------------------------------------ */

static float *random_floats(const char *name, size_t count)
{
    Random r = { .seed = 1, .stream = random_stream(name) };
    float *x = mem_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(2 * random_uniform(r, i) - 1);
    return x;
}

static double *product_in_double(const Product *p)
{
    double *c = mem_alloc((size_t)p->m * p->n, sizeof *c);
    for (int i = 0; i < p->m; i++)
        for (int j = 0; j < p->n; j++) {
            double sum = p->bias[j];
            for (int k = 0; k < p->k; k++)
                sum += (double)p->a[(size_t)i * p->k + k] * p->b[(size_t)k * p->n + j];
            c[(size_t)i * p->n + j] = sum < 0 ? 0 : sum;
        }
    return c;
}

static Subject product_subject(int m, int n, int k)
{
    size_t rows = (size_t)m + 256 * (size_t)thread_count(), columns = (size_t)n + 64;
    Product p = { m, n, k, .a = random_floats("a", (size_t)m * k) };
    p.b = random_floats("b", (size_t)k * n);
    p.bias = random_floats("bias", (size_t)n);
    p.c = mem_alloc((size_t)m * n + GUARD, sizeof *p.c);
    p.packed_a = mem_alloc(rows * k, sizeof *p.packed_a);
    p.packed_b = mem_alloc(columns * k, sizeof *p.packed_b);
    p.ready_b = mem_alloc(gemm_packed(k, n), sizeof *p.ready_b);
    gemm_pack((Matrix){ .data = p.b, .row = (size_t)n, .col = 1 }, k, n, p.ready_b);
    p.work = mem_alloc(gemm_work(), sizeof *p.work);
    return (Subject){ .name = "gemm",
                      .versions = product_versions,
                      .product = p,
                      .is_product = true,
                      .flops = 2.0 * m * n * k,
                      .should = product_in_double(&p),
                      .result = p.c,
                      .count = (size_t)m * n,
                      .terms = k };
}

static double convolved(const Depthwise *d, int y, int x, int c)
{
    double sum = 0;
    for (int row = y - PAD; row <= y + PAD; row++)
        for (int column = x - PAD; column <= x + PAD; column++) {
            int tap = (row - y + PAD) * KERNEL + column - x + PAD;
            if (row >= 0 && row < d->h && column >= 0 && column < d->w)
                sum += (double)d->x[((size_t)row * d->w + column) * d->channels + c] *
                       d->weight[(size_t)tap * d->channels + c];
        }
    return sum;
}

static double *depthwise_in_double(const Depthwise *d)
{
    double *all = mem_alloc((size_t)d->h * d->w * d->channels, sizeof *all), *to = all;
    for (int y = 0; y < d->h; y++)
        for (int x = 0; x < d->w; x++)
            for (int c = 0; c < d->channels; c++)
                *to++ = convolved(d, y, x, c);
    return all;
}

static Subject depthwise_subject(int h, int w, int channels)
{
    size_t count = (size_t)h * w * channels;
    Depthwise d = { h, w, channels, .x = random_floats("x", count) };
    d.weight = random_floats("weight", (size_t)KERNEL * KERNEL * channels);
    d.y = mem_alloc(count + GUARD, sizeof *d.y);
    d.padded = mem_alloc((size_t)(h + 2 * PAD) * (w + 2 * PAD) * channels, sizeof *d.padded);
    d.work = mem_alloc(depthwise_work(&d), sizeof *d.work);
    return (Subject){ .name = "depthwise",
                      .versions = depthwise_versions,
                      .depthwise = d,
                      .flops = 2.0 * KERNEL * KERNEL * (double)count,
                      .should = depthwise_in_double(&d),
                      .result = d.y,
                      .count = count,
                      .terms = KERNEL * KERNEL };
}

static void subject_free(Subject *s)
{
    const Product *p = &s->product;
    const Depthwise *d = &s->depthwise;
    const void *all[] = { p->a, p->b,    p->bias,   p->packed_a, p->packed_b, p->ready_b, p->work,
                          d->x, d->work, d->weight, d->padded,   s->result,   s->should };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free((void *)all[i]);
}

/* --- one version ----------------------------------------------------------------------------- */

static void run_once(const Subject *s, const Version *v)
{
    if (s->is_product)
        v->product(&s->product);
    else
        v->depthwise(&s->depthwise);
}

/* Runs it on memory that holds something else, and ends the program where the result is wrong. */
static void check(const Subject *s, const Version *v)
{
    double most = 2e-6 * (1 + sqrt(s->terms));
    for (size_t i = 0; i < s->count + GUARD; i++)
        s->result[i] = UNTOUCHED;
    run_once(s, v);
    for (size_t i = 0; i < s->count + GUARD; i++) {
        double should = i < s->count ? s->should[i] : UNTOUCHED;
        if (!(fabs(s->result[i] - should) <= most))
            error_die(EXIT_FAILED, s->name, "%s: element %zu is %.9g, should be %.9g", v->name, i,
                      s->result[i], should);
    }
}

/* Seconds of the fastest of many runs: at least three, and for a third of a second. */
static double fastest(const Subject *s, const Version *v)
{
    double begin = clock_seconds(), best = INFINITY;
    for (int run = 0; run < 3 || clock_seconds() - begin < 0.33; run++) {
        double start = clock_seconds();
        run_once(s, v);
        best = fmin(best, clock_seconds() - start);
    }
    return best;
}

static void time_version(const Subject *s, const Version *v, bool tsv, double peak)
{
    int threads = v->threads ? thread_count() : 1;
    double seconds = fastest(s, v), gflops = s->flops / seconds / 1e9;
    if (tsv)
        printf("%s\t%s\t%s\t%d\t%.3f\t%.1f\t%.1f\n", s->name, v->name, v->change, threads,
               1e3 * seconds, gflops, peak);
    else
        printf("%-10s %-10s %-46s %7d %9.3f %8.1f %6.1f%%\n", s->name, v->name, v->change, threads,
               1e3 * seconds, gflops, 100 * gflops / peak);
    fflush(stdout);
}

/* The library's, which is the last, on one thread too: to be compared with those before it. */
static void time_on_one(const Subject *s, const Version *v, bool tsv, double peak)
{
    int all = thread_count();
    if (v[1].name || all == 1)
        return;
    thread_count_set(1);
    time_version(s, v, tsv, peak);
    thread_count_set(all);
}

/* peak: of one thread, and of all. */
static void run_versions(Subject s, const Wanted *w, const double peak[2])
{
    int found = 0;
    for (const Version *v = s.versions; v->name; v++) {
        if (w->version && strcmp(w->version, v->name) != 0)
            continue;
        found++;
        check(&s, v);
        if (w->check) {
            printf("%s %s: good\n", s.name, v->name);
        } else {
            time_on_one(&s, v, w->tsv, peak[0]);
            time_version(&s, v, w->tsv, peak[v->threads]);
        }
    }
    subject_free(&s);
    if (!found)
        error_die(EXIT_USAGE, s.name, "it has no version '%s'", w->version);
}

/* --- the call -------------------------------------------------------------------------------- */

static const char *value_of(char **argv, int *i)
{
    if (!argv[*i + 1])
        error_die(EXIT_USAGE, argv[*i], "a value is missing");
    return argv[++*i];
}

static int number(const char *option, const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || end == text || n < 1 || n > 1024)
        error_die(EXIT_USAGE, option, "'%s' is not a number from 1 to 1024", text);
    return (int)n;
}

static Wanted parse(char **argv)
{
    Wanted w = { 0 };
    for (int i = 1; argv[i]; i++) {
        if (strcmp(argv[i], "--check") == 0) {
            w.check = true;
        } else if (strcmp(argv[i], "--threads") == 0) {
            thread_count_set(number("--threads", value_of(argv, &i)));
        } else if (strcmp(argv[i], "--format") == 0) {
            const char *format = value_of(argv, &i);
            w.tsv = strcmp(format, "tsv") == 0;
            if (!w.tsv && strcmp(format, "text") != 0)
                error_die(EXIT_USAGE, "--format", "'%s' is not one of text|tsv", format);
        } else if (strcmp(argv[i], "--help") == 0) {
            printf("%s", usage);
            exit(0);
        } else if (!w.kernel &&
                   (strcmp(argv[i], "gemm") == 0 || strcmp(argv[i], "depthwise") == 0)) {
            w.kernel = argv[i];
        } else if (w.kernel && !w.version && argv[i][0] != '-') {
            w.version = argv[i];
        } else {
            error_die(EXIT_USAGE, argv[i], "what is that? (--help)");
        }
    }
    return w;
}

static bool wants(const Wanted *w, const char *kernel)
{
    return !w->kernel || strcmp(w->kernel, kernel) == 0;
}

/* Sizes that no tile divides, and that are large enough to be cut for threads. */
static void check_small(const Wanted *w)
{
    if (wants(w, "gemm")) {
        run_versions(product_subject(401, 77, 33), w, NULL);
        run_versions(product_subject(14, 32, 1), w, NULL);
    }
    if (wants(w, "depthwise")) {
        run_versions(depthwise_subject(9, 31, 2 * VEC), w, NULL);
        run_versions(depthwise_subject(1, 14, VEC), w, NULL);
    }
}

static void time_all(const Wanted *w)
{
    int all = thread_count();
    double peak[2];
    thread_count_set(1);
    peak[0] = peak_fma();
    thread_count_set(all);
    peak[1] = peak_fma();
    if (w->tsv)
        printf("kernel\tversion\tchange\tthreads\tms\tgflops\tpeak_gflops\n");
    else
        printf("FMA peak: %.1f GFLOP/s with 1 thread, %.1f with %d; gemm: 784x192 times 192x768; "
               "depthwise: 7x7, 56x56x96\n%-10s %-10s %-46s %7s %9s %8s %7s\n",
               peak[0], peak[1], all, "kernel", "version", "change", "threads", "ms", "GFLOP/s",
               "of peak");
    if (wants(w, "gemm"))
        run_versions(product_subject(784, 768, 192), w, peak);
    if (wants(w, "depthwise"))
        run_versions(depthwise_subject(56, 56, 96), w, peak);
}

int main(int argc, char **argv)
{
    (void)argc;
    Wanted w = parse(argv);
    (w.check ? check_small : time_all)(&w);
    return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}
