/* report: the network layer by layer, as text or for programs, and compared with the article. */
#include "base/error.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/layers.h"
#include "cli/parent.h"
#include "cli/print.h"
#include "cli/report_json.h"
#include "cli/comparison_svg.h"
#include "cli/report_plan.h"
#include "cli/siblings.h"
#include "graph/op.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- for programs ---------------------------------------------------------------------------- */

static void print_tsv(const Net *net)
{
    char shape[SHAPE_TEXT];
    printf("name\top\toutput\tparameters\tmacs\n");
    for (int i = 1; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        print_tsv_field(t->name);
        printf("\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\n", t->op->name, tensor_shape_text(t, shape),
               tensor_params(t), t->macs);
    }
    printf("total\t-\t%s\t%" PRIu64 "\t%" PRIu64 "\n", tensor_shape_text(net_output(net), shape),
           net_trained(net), net_macs(net));
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_row(const char *name, const char *op, const char *shape, uint64_t params,
                      uint64_t macs)
{
    char a[COUNT_TEXT], b[COUNT_TEXT];
    printf("  %-44s %-15s %-16s %13s %16s\n", name, op, shape, print_count_text(params, a),
           print_count_text(macs, b));
}

/* Returns the length of the part's name in a layer's: "encoder.stem", "encoder.stages.2", "head";
 * without the head the same without "encoder."; and the authors' "downsample_layers.2". */
static int part_length(const char *name)
{
    const char *at = strncmp(name, "encoder.", 8) == 0 ? name + 8 : name;
    if (strncmp(at, "stages.", 7) == 0)
        at += 7;
    else if (strncmp(at, "downsample_layers.", 18) == 0)
        at += 18;
    return (int)(at - name + (long)strcspn(at, "."));
}

static bool same_part(const Tensor *a, const Tensor *b)
{
    int length = part_length(a->name);
    if (!strchr(a->name, '.') && !strchr(b->name, '.')) /* the authors' head has no scope */
        return true;
    return length == part_length(b->name) && strncmp(a->name, b->name, (size_t)length) == 0;
}

/* Prints the layers of one part and its sums; returns the first layer after it. */
static int print_part(const Net *net, int first)
{
    char shape[SHAPE_TEXT];
    uint64_t params = 0, macs = 0;
    const Tensor *t = net_tensor(net, first), *last = t;
    int i = first;
    for (; i < net_tensors(net) && same_part(net_tensor(net, i), t); i++) {
        last = net_tensor(net, i);
        print_row(last->name, last->op->name, tensor_shape_text(last, shape), tensor_params(last),
                  last->macs);
        params += tensor_params(last);
        macs += last->macs;
    }
    char *name = str_format("= %.*s", part_length(last->name), last->name);
    print_row(name, "", tensor_shape_text(last, shape), params, macs);
    printf("\n");
    free(name);
    return i;
}

/* Builds the row before with the same options, and prints the change from it. */
static void print_change_of_row(const Run *run, const Net *net, int row)
{
    if (!row)
        return;
    Options options = run->options;
    options_set_row(&options, row - 1);
    Shape shape = network_shape(run->step, &options, 0);
    Net *before = network_build(run->step, &shape);
    printf("Against row %d: parameters %+.1f%%, MACs %+.1f%%.\n", row - 1,
           print_percent(net_trained(net), (double)net_trained(before)),
           print_percent(net_macs(net), (double)net_macs(before)));
    net_free(before);
}

/* Reads another step's network for comparison: with the paper's sizes if this one has no others,
 * and with its own if that is all it has. */
static bool read_parent(const Run *run, const char *parent, bool *paper, Layers *l)
{
    const char *words[NETWORK_WORDS + 2];
    int count = options_of_network(&run->options, words);
    words[count] = "--preset";
    words[count + 1] = "paper";
    *paper = network_has_paper_sizes(run->step, &run->options) &&
             layers_read_rows(parent, words, count + 2, l, NULL);
    return *paper || layers_read_rows(parent, words, count, l, NULL);
}

static void print_change(const Run *run, const Net *net)
{
    Layers before = { 0 };
    bool paper;
    char *parent = parent_of(run);
    if (!parent && run->step->from)
        printf("Step %s, from which it was made, is not built beside it.\n", run->step->from);
    else if (!parent)
        printf("No step before this one is built beside it.\n");
    else if (read_parent(run, parent, &paper, &before))
        printf("Against %s%s: parameters %+.1f%%, MACs %+.1f%%.\n", path_base(parent),
               paper ? " --preset paper" : "",
               print_percent(net_trained(net), (double)before.total.params),
               print_percent(net_macs(net), (double)before.total.macs));
    else
        printf("Against %s: it has no network of this shape.\n", path_base(parent));
    layers_free(&before);
    free(parent);
}

/* --- the article's own checks ---------------------------------------------------------------- */

static void print_check(const char *what, const char *input, const Tensor *y, const char *printed)
{
    char shape[SHAPE_TEXT];
    tensor_shape_text(y, shape);
    printf("  %-28s %-14s %-14s %-14s %s\n", what, input, shape, printed,
           strcmp(shape, printed) == 0 ? "same" : "DIFFERS");
}

static void check_block(const Step *step)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 32, 7, 7);
    Tensor *y = step->block(x, (Block){ .out = 64, .stride = 1 });
    print_check("block 32->64", "1x32x7x7", y, "1x64x7x7");
    net_free(net);
}

static void check_stage(const Step *step, bool separately)
{
    Net *net = net_new();
    int size = separately ? 14 : 7;
    Tensor *x = net_input(net, 1, 32, size, size);
    Stage s = { .out = separately ? 62 : 64, .depth = separately ? 1 : 2, .stride = 2 };
    Tensor *y = step->stage(x, s);
    if (separately)
        print_check("stage 32->62, depth 1", "1x32x14x14", y, "1x62x7x7");
    else
        print_check("stage 32->64, depth 2", "1x32x7x7", y, "1x64x4x4");
    net_free(net);
}

static void check_whole(const Step *step, bool head, const char *printed)
{
    Shape shape = { .config = step->article, .n = 1, .c = 3, .h = 224, .w = 224, .head = head };
    shape.config.classes = 1000;
    Net *net = network_build(step, &shape);
    print_check(head ? "classifier" : "encoder", "1x3x224x224", net_output(net), printed);
    net_free(net);
}

static void print_checks(const Step *step)
{
    bool separately = network_downsamples_separately(step);
    printf("\n  %-28s %-14s %-14s %-14s\n", "the article's checks", "input", "output",
           "article prints");
    error_context("the article checks a block and a stage at 32 channels, which this step does not "
                  "take; its own network is the one above");
    if (step->block && !separately)
        check_block(step);
    if (step->stage)
        check_stage(step, separately);
    error_context("");
    check_whole(step, false, separately ? "1x2048x3x3" : "1x2048x7x7");
    check_whole(step, true, "1x1000");
}

static void print_text(const Run *run, const Shape *s, const Net *net)
{
    const Config *c = &s->config;
    char input[SHAPE_TEXT], shape[SHAPE_TEXT];
    const Row *rows = run->step->rows;
    printf("%s: %s", run->name, run->step->title);
    if (rows)
        printf(": row %d, %s", c->row, rows[c->row].change);
    printf("\nstem %d, widths %d,%d,%d,%d, depths %d,%d,%d,%d, input %s\n\n", c->stem, c->widths[0],
           c->widths[1], c->widths[2], c->widths[3], c->depths[0], c->depths[1], c->depths[2],
           c->depths[3], tensor_shape_text(net_tensor(net, 0), input));
    printf("  %-44s %-15s %-16s %13s %16s\n", "layer", "op", "output", "parameters", "MACs");
    for (int i = 1; i < net_tensors(net);)
        i = print_part(net, i);
    print_row("= total", "", tensor_shape_text(net_output(net), shape), net_trained(net),
              net_macs(net));
    printf("\n%.3f million parameters, %.3f GMACs, %.3f GFLOPs (2 × MACs).\n",
           (double)net_trained(net) / 1e6, (double)net_macs(net) / 1e9,
           2 * (double)net_macs(net) / 1e9);
    if (rows)
        print_change_of_row(run, net, c->row);
    else
        print_change(run, net);
    if (!run->step->published)
        print_checks(run->step);
}

/* --- a road of rows -------------------------------------------------------------------------- */

/* Compares multiply-accumulates with printed GFLOPs, which have two decimals. */
static bool rounds_to(uint64_t macs, double printed)
{
    return fabs((double)macs / 1e9 - printed) < 0.005001;
}

/* Prints every row's network beside the paper's numbers. */
static void print_road(const Run *run)
{
    const Step *step = run->step;
    char params[COUNT_TEXT], macs[COUNT_TEXT];
    int mismatches = 0;
    printf("%s: %s\n\n", run->name, step->title);
    printf("  %3s  %-36s %13s %16s %7s %8s   %s\n", "row", "change", "parameters", "MACs", "GMACs",
           "printed", "top-1, %");
    for (int row = 0; row < step->row_count; row++) {
        const Row *r = &step->rows[row];
        Options options = run->options;
        options_set_row(&options, row);
        Shape shape = network_shape(step, &options, 0);
        Net *net = network_build(step, &shape);
        bool good = rounds_to(net_macs(net), r->gflops);
        mismatches += !good;
        printf("  %3d  %-36s %13s %16s %7.2f %7.2f%c   %.2f ± %.2f\n", row, r->change,
               print_count_text(net_trained(net), params), print_count_text(net_macs(net), macs),
               (double)net_macs(net) / 1e9, r->gflops, good ? ' ' : '*', r->accuracy, r->spread);
        net_free(net);
    }
    printf("\nPrinted: the paper's GFLOPs, which are multiply-accumulates; top-1: its accuracy on "
           "ImageNet-1k,\nmean and standard deviation of three seeds.\n");
    if (mismatches)
        printf("*: does not match the network, whose own figure is in the column before.\n");
    printf("report --row N shows a row's layers.\n");
}

/* The network as compare draws two. */
static void draw(const Run *run)
{
    Comparison c = { 0 };
    comparison_read_own(run, &c);
    comparison_make(&c);
    comparison_svg(&c);
    comparison_free(&c);
}

int cmd_report(const Run *run)
{
    OutputFormat format = run->options.format;
    const char *words[NETWORK_WORDS];
    bool whole_road = run->step->rows && options_of_network(&run->options, words) == 0;
    if (run->options.plan && format != FORMAT_TEXT && format != FORMAT_TSV)
        error_die(EXIT_USAGE, "--plan", "comes as text or tsv, not as %s",
                  option_text(&run->options, "--format"));
    if (whole_road && !run->options.plan && format == FORMAT_TEXT) {
        print_road(run);
        return 0;
    }
    Shape shape = network_shape(run->step, &run->options, 0);
    Net *net = network_build(run->step, &shape);
    if (run->options.plan)
        report_plan(run, net);
    else if (format == FORMAT_TSV)
        print_tsv(net);
    else if (format == FORMAT_SVG)
        draw(run);
    else if (format == FORMAT_JSON)
        report_json(run, &shape, net);
    else
        print_text(run, &shape, net);
    net_free(net);
    return 0;
}
