/* bench: the network's speed and the time of its layers. */
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/system.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "graph/op.h"
#include "ops/ops.h"
#include "train/adamw.h"

#include <stdio.h>
#include <stdlib.h>

/* The network to be timed, with random weights: forward only, or training steps. */
typedef struct {
    const Net *net;
    Weights *weights, *gradients;
    Engine *engine;
    bool is_training;
    AdamW optimizer;
    int *labels;
} Subject;

static void fill_random(float *x, size_t count)
{
    Random r = { .seed = 1, .stream = random_stream("image") };
    for (size_t i = 0; i < count; i++)
        x[i] = (float)random_normal(r, i);
}

static Subject subject_new(const Net *net, bool train, int classes)
{
    Subject s = { .net = net, .weights = weights_new(net), .is_training = train };
    const Tensor *x = net_tensor(net, 0);
    weights_init(s.weights, 1);
    if (!train) {
        s.engine = engine_adopting(engine_kind(NULL), net, s.weights);
        fill_random(engine_input(s.engine), tensor_elements(x));
        return s;
    }
    s.gradients = weights_new(net);
    s.engine = engine_for_training(engine_kind(NULL), net, s.weights, s.gradients);
    s.optimizer = adamw_new(net);
    s.labels = mem_alloc((size_t)x->n, sizeof *s.labels);
    for (int i = 0; i < x->n; i++)
        s.labels[i] = i % classes;
    return s;
}

static void subject_free(Subject *s)
{
    if (s->is_training)
        adamw_free(&s->optimizer);
    engine_free(s->engine);
    weights_free(s->weights);
    weights_free(s->gradients);
    free(s->labels);
}

/* Times one run: a forward pass, or a training step on a given batch. */
static double time_once(Subject *s)
{
    double start = clock_seconds();
    const Tensor *y = net_output(s->net);
    engine_forward(s->engine);
    if (s->is_training) {
        cross_entropy_loss(engine_output(s->engine), y->n, y->c, (Targets){ .a = s->labels }, 0,
                           engine_output_gradient(s->engine));
        engine_backward(s->engine);
        adamw_step(&s->optimizer, s->weights, s->gradients, 1e-4, 0.05);
    }
    return clock_seconds() - start;
}

static void restore_input(Subject *s)
{
    if (s->is_training) /* backward reuses the input's memory */
        fill_random(engine_input(s->engine), tensor_elements(net_tensor(s->net, 0)));
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double peak_mib(void)
{
    return (double)system_memory_peak() / (1 << 20);
}

/* --- a line per layer ------------------------------------------------------------------------ */

/* Returns the number of timed parts: each unit forward, then each backward. */
static int part_count(const Subject *s)
{
    return 2 * engine_units(s->engine);
}

/* Returns a part's seconds in all runs so far. */
static double seconds_of(const Subject *s, int part)
{
    EngineUnit u = engine_unit(s->engine, part / 2);
    return part % 2 ? u.backward : u.forward;
}

/* [parts][1 + runs]: the values of seconds_of after each run, the uncounted one first. NULL: not
 * wanted. */
typedef struct {
    double *seconds;
    int runs;
} Timings;

static void timings_record(Timings *timings, const Subject *s, int run)
{
    for (int i = 0; timings->seconds && i < part_count(s); i++)
        timings->seconds[(size_t)i * (size_t)(1 + timings->runs) + (size_t)run] = seconds_of(s, i);
}

/* Returns a part's median over the runs; may be called once, as it sorts in place. */
static double timings_median(const Timings *timings, int part)
{
    double *after = timings->seconds + (size_t)part * (size_t)(1 + timings->runs);
    for (int i = timings->runs; i > 0; i--)
        after[i] -= after[i - 1];
    qsort(after + 1, (size_t)timings->runs, sizeof *after, by_size);
    return after[1 + timings->runs / 2];
}

/* A table of parts, and the totals that percentages refer to. */
typedef struct {
    Timings timings;
    double seconds; /* median per run */
    double peak;    /* GFLOP/s */
    bool tsv;
} Table;

static void print_heading(const Table *w)
{
    if (w->tsv)
        printf("layer\tops\tpass\tms\ttime_percent\tgflops\tpeak_percent\n");
    else
        printf("FMA peak %.1f GFLOP/s\n  %-40s %-30s %9s %6s %8s %7s\n", w->peak, "layer", "ops",
               "ms", "time", "GFLOP/s", "of peak");
}

/* Prints a row; layers without multiply-adds have only a time. */
static void print_row(const char *name, const char *ops, const char *pass, double seconds,
                      double flops, const Table *w)
{
    double gflops = seconds > 0 ? flops / seconds / 1e9 : 0, share = 100 * seconds / w->seconds;
    print_tsv_field(name);
    printf("\t%s\t%s\t%.4f\t%.2f\t", ops, pass, 1e3 * seconds, share);
    if (flops > 0)
        printf("%.2f\t%.2f\n", gflops, 100 * gflops / w->peak);
    else
        printf("-\t-\n");
}

static void print_line(const char *name, const char *ops, double seconds, double flops,
                       const Table *w)
{
    double gflops = seconds > 0 ? flops / seconds / 1e9 : 0;
    printf("  %-40s %-30s %9.3f %5.1f%%", name, ops, 1e3 * seconds, 100 * seconds / w->seconds);
    if (flops > 0)
        printf(" %8.1f %6.1f%%", gflops, 100 * gflops / w->peak);
    putchar('\n');
}

static void print_units(const Subject *s, const Table *w)
{
    for (int i = 0; i < engine_units(s->engine); i++) {
        EngineUnit u = engine_unit(s->engine, i);
        double seconds = timings_median(&w->timings, 2 * i), flops = 2 * (double)u.first->macs;
        char *ops = u.first == u.last ? str_format("%s", u.first->op->name)
                                      : str_format("%s … %s", u.first->op->name, u.last->op->name);
        if (w->tsv)
            print_row(u.first->name, ops, "forward", seconds, flops, w);
        else
            print_line(u.first->name, ops, seconds, flops, w);
        free(ops);
    }
}

static void print_pass(const Tensor *t, const char *pass, double seconds, double flops,
                       const Table *w)
{
    char *ops = str_format("%s, %s", t->op->name, pass);
    if (w->tsv)
        print_row(t->name, t->op->name, pass, seconds, flops, w);
    else
        print_line(t->name, ops, seconds, flops, w);
    free(ops);
}

static void print_layers(const Subject *s, const Table *w)
{
    for (int i = 0; i < engine_units(s->engine); i++) {
        const Tensor *t = engine_unit(s->engine, i).first;
        double forward = timings_median(&w->timings, 2 * i),
               backward = timings_median(&w->timings, 2 * i + 1);
        print_pass(t, "forward", forward, 2 * (double)t->macs, w);
        print_pass(t, "backward", backward, 4 * (double)t->macs, w);
    }
}

/* --- the figures ----------------------------------------------------------------------------- */

static void print_figures(const Run *run, const Shape *shape, const Net *net, const double *sorted,
                          int runs, bool train)
{
    double median = sorted[runs / 2], images = shape->n / median;
    double gflops = 2 * (double)net_macs(net) / median / 1e9 * (train ? 3 : 1);
    const char *mode = train ? "train" : "infer";
    if (run->options.format == FORMAT_TSV) {
        printf("network\tmode\tbatch\tthreads\tmedian_ms\tmin_ms\tmax_ms\tgflops\timages_per_s\t"
               "peak_mb\n");
        print_tsv_field(run->name);
        printf("\t%s\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.1f\t%.2f\t%.1f\n", mode, shape->n, thread_count(),
               1e3 * median, 1e3 * sorted[0], 1e3 * sorted[runs - 1], gflops, images, peak_mib());
        return;
    }
    printf("%s, %s, batch %d, %d thread%s: median %.3f ms of %d runs (%.3f to %.3f)\n", run->name,
           mode, shape->n, thread_count(), thread_count() > 1 ? "s" : "", 1e3 * median, runs,
           1e3 * sorted[0], 1e3 * sorted[runs - 1]);
    printf("%.1f GFLOP/s, %.2f images/s, peak memory %.1f MiB\n", gflops, images, peak_mib());
}

int cmd_bench(const Run *run)
{
    const Options *o = &run->options;
    bool train = o->mode == MODE_TRAIN, tsv = o->format == FORMAT_TSV;
    int runs = o->runs;
    Shape shape = network_shape(run->step, o, 0);
    Net *net = network_build(run->step, &shape);
    Subject s = subject_new(net, train, shape.config.classes);
    if (o->layers && !engine_units(s.engine))
        error_die(EXIT_FAILED, "--layers", "the plain engine does not time its layers");
    double *seconds = mem_alloc((size_t)runs, sizeof *seconds);
    restore_input(&s);
    Timings timings = { .runs = runs };
    if (o->layers)
        timings.seconds =
            mem_alloc((size_t)part_count(&s), size_mul((size_t)runs + 1, sizeof(double)));
    time_once(&s); /* not counted: touches the memory for the first time */
    timings_record(&timings, &s, 0);
    for (int i = 0; i < runs; i++) {
        restore_input(&s);
        seconds[i] = time_once(&s);
        timings_record(&timings, &s, 1 + i);
    }
    qsort(seconds, (size_t)runs, sizeof *seconds, by_size);
    if (o->layers) {
        Table whole = { timings, seconds[runs / 2], engine_peak(), tsv };
        print_heading(&whole);
        (train ? print_layers : print_units)(&s, &whole);
    }
    if (!o->layers || !tsv) /* one table, not two */
        print_figures(run, &shape, net, seconds, runs, train);
    free(seconds);
    free(timings.seconds);
    subject_free(&s);
    net_free(net);
    return 0;
}
