/* compare: the differences between this network and another step's, layer by layer. */
#include "base/error.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/comparison_svg.h"
#include "cli/parent.h"
#include "cli/print.h"
#include "cli/siblings.h"
#include "io/json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- for programs ---------------------------------------------------------------------------- */

/* Calls print for every layer or pair of layers that differ. */
static void each_change(const Comparison *c, void (*print)(char mark, const Layer *, const Layer *))
{
    for (int u = 0; u < c->unit_count; u++) {
        int count;
        Pair *pairs = comparison_layers(c, c->units[u], &count);
        for (int i = 0; i < count; i++) {
            const Layer *a = layers_at(&c->before, pairs[i].a);
            const Layer *b = layers_at(&c->after, pairs[i].b);
            if (comparison_mark(a, b) != ' ')
                print(comparison_mark(a, b), a, b);
        }
        free(pairs);
    }
}

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static void tsv_row(char mark, const Layer *a, const Layer *b)
{
    static Layer none = { .name = "-", .op = "-", .output = "-", .weight = "-" };
    a = a ? a : &none;
    b = b ? b : &none;
    printf("%c\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
           "\n",
           mark, a->name, b->name, a->op, b->op, or_dash(a->weight), or_dash(b->weight), a->output,
           b->output, a->params, b->params, a->macs, b->macs);
}

static void print_tsv(const Comparison *c)
{
    printf("change\tname_before\tname_after\top_before\top_after\tweight_before\tweight_after\t"
           "output_before\toutput_after\tparameters_before\tparameters_after\tmacs_before\t"
           "macs_after\n");
    each_change(c, tsv_row);
    tsv_row(layers_same(&c->before.total, &c->after.total) ? ' ' : '~', &c->before.total,
            &c->after.total);
}

static void print_json_layer(const Layer *l)
{
    if (!l) {
        printf("null");
        return;
    }
    printf("{\"name\": ");
    json_put_string(stdout, l->name);
    printf(", \"op\": \"%s\", \"weight\": \"%s\", \"output\": \"%s\", \"parameters\": %" PRIu64
           ", \"macs\": %" PRIu64 "}",
           l->op, l->weight, l->output, l->params, l->macs);
}

static void json_row(char mark, const Layer *a, const Layer *b)
{
    printf("  {\"change\": \"%c\", \"before\": ", mark);
    print_json_layer(a);
    printf(", \"after\": ");
    print_json_layer(b);
    printf("},\n");
}

static void print_json(const Comparison *c)
{
    printf("{\"before\": ");
    json_put_string(stdout, c->before.program);
    printf(", \"after\": ");
    json_put_string(stdout, c->after.program);
    printf(", \"changes\": [\n");
    each_change(c, json_row);
    printf("  {\"change\": \"total\", \"before\": ");
    print_json_layer(&c->before.total);
    printf(", \"after\": ");
    print_json_layer(&c->after.total);
    printf("}]}\n");
}

/* --- the other program ----------------------------------------------------------------------- */

/* Tests for an option that has a meaning for one step only; the other's is given after the
 * colon. */
static bool is_own(const char *word)
{
    return strcmp(word, "--row") == 0 || strcmp(word, "--variant") == 0;
}

/* Leaves out the options that belong to this step alone; returns the number of words left. */
static int drop_own_options(const char **words, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i += 2) {
        if (is_own(words[i]))
            continue;
        words[kept++] = words[i];
        words[kept++] = words[i + 1];
    }
    return kept;
}

/* Returns the program for "04" or "04_name", or without operand for the parent step; this program
 * if a row is wanted. */
static char *other_program(const Run *run, const char *name)
{
    bool several = false;
    if (!name && run->step->rows && option_given(&run->options, "--to-row"))
        return str_format("%s", run->path);
    char *path = name ? sibling_named(run->path, name, &several) : parent_of(run);
    if (several)
        error_die(EXIT_USAGE, name, "several steps have that number: a whole name says which");
    if (!name)
        name = run->step->from;
    if (!path && name)
        error_die(EXIT_FAILED, name, "no step of that number or name is built beside %s",
                  run->name);
    if (!path)
        error_die(EXIT_FAILED, "compare", "no step that %s could be made from is built beside it",
                  run->name);
    return path;
}

/* Returns the option that "7", "small" or "paper" in "13:7", "12:small", "11:paper" is a value
 * of. */
static const char *option_of(const char *value)
{
    if (isdigit((unsigned char)*value))
        return "--row";
    bool preset = strcmp(value, "article") == 0 || strcmp(value, "paper") == 0;
    return preset ? "--preset" : "--variant";
}

/* Reads the other network, with this call's options and the one after the colon, if any. A
 * published step has the paper's widths by default, and the other step is then asked for those. */
static bool read_other(const Run *run, const char *path, const char *value, Comparison *c,
                       Error *error)
{
    const char *words[NETWORK_WORDS + 2];
    int count = drop_own_options(words, options_of_network(&run->options, words));
    bool paper = !value && network_has_paper_sizes(run->step, &run->options);
    if (value || paper) {
        words[count++] = paper ? "--preset" : option_of(value);
        words[count++] = paper ? "paper" : value;
        c->other_option = str_format(" %s %s", words[count - 2], words[count - 1]);
    }
    bool good = layers_read(path, words, count, &c->before, error);
    if (!good && paper) { /* the other is a published step itself */
        free(c->other_option);
        c->other_option = NULL;
        good = layers_read(path, words, count - 2, &c->before, error);
    }
    return good;
}

/* Reads both networks; ends the program if one cannot be read. */
static void read_both(const Run *run, Comparison *c, char **other)
{
    const Options *o = &run->options;
    if (o->operand_count > 1)
        error_die(EXIT_USAGE, o->operands[1], "compare takes one step");
    char *name = o->operand_count ? str_format("%s", o->operands[0]) : NULL;
    char *colon = name ? strchr(name, ':') : NULL, row[16];
    if (colon)
        *colon++ = 0;
    if (option_given(o, "--to-row")) {
        if (colon)
            error_die(EXIT_USAGE, "--to-row", "%s already names the row", o->operands[0]);
        snprintf(row, sizeof row, "%d", o->to_row);
        colon = row;
    }
    *other = other_program(run, name);
    Error error;
    if (!read_other(run, *other, colon, c, &error))
        error_die_of(EXIT_FAILED, &error);
    comparison_read_own(run, c);
    free(name);
}

int cmd_compare(const Run *run)
{
    /* Reports a wrong size here, with the step's line. */
    Shape shape = network_shape(run->step, &run->options, 0);
    net_free(network_build(run->step, &shape));
    Comparison c = { 0 };
    char *other;
    read_both(run, &c, &other);
    comparison_make(&c);
    if (run->options.format == FORMAT_TSV)
        print_tsv(&c);
    else if (run->options.format == FORMAT_JSON)
        print_json(&c);
    else if (run->options.format == FORMAT_SVG)
        comparison_svg(&c);
    else
        comparison_print(&c);
    comparison_free(&c);
    free(other);
    return 0;
}
