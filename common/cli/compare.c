/* compare: what a network has that another step's has not, layer by layer. First the units (blocks,
 * stem, head) of both are put side by side, by how alike their layers are, then the layers of each
 * two. So a block that was put in, or a convolution that moved, shows as that, and not as a change
 * of everything behind it. */
#include "base/error.h"
#include "base/memory.h"
#include "cli/align.h"
#include "cli/commands.h"
#include "cli/layers.h"
#include "cli/parent.h"
#include "cli/print.h"
#include "cli/siblings.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- how alike ------------------------------------------------------------------------------- */

/* Two units whose layers are compared. */
typedef struct {
    const Layers *before, *after;
    const LayerUnit *a, *b;
} Two;

/* What an op does in a network, whichever way. */
static const char *role(const char *op)
{
    size_t length = strlen(op);
    if (length > 5 && strcmp(op + length - 5, "_norm") == 0)
        return "norm";
    if (strcmp(op, "relu") == 0 || strcmp(op, "gelu") == 0)
        return "activation";
    return strcmp(op, "linear") == 0 ? "conv2d" : op;
}

/* "7x7 bias" of "64x1x7x7 bias", "" of a linear layer's "64x128". */
static const char *kernel(const char *weight)
{
    for (int i = 0; i < 2 && *weight; i++) {
        weight += strcspn(weight, "x");
        weight += *weight == 'x';
    }
    return weight;
}

/* The same, be there a bias or not? */
static bool same_shape(const char *weight, const char *other)
{
    size_t length = strcspn(weight, " ");
    return length == strcspn(other, " ") && strncmp(weight, other, length) == 0;
}

/* "block.0" and "shortcut.0": scopes with names of their own, in different ones of which two layers
 * have nothing to do with each other. */
static bool other_scope(const char *name, const char *other)
{
    size_t length = strcspn(name, "."), other_length = strcspn(other, ".");
    return isalpha((unsigned char)*name) && isalpha((unsigned char)*other) && name[length] &&
           other[other_length] && (length != other_length || strncmp(name, other, length) != 0);
}

/* Weights say what a layer is: the very same ones outweigh everything, and two convolutions with
 * other kernels are hardly more alike than nothing. Norms and activations stay with what they
 * follow; of convolutions the name decides where nothing else does. */
static int layer_likeness(const void *context, int i, int j)
{
    const Two *two = context;
    const Layer *a = &two->before->layers[two->a->first + i];
    const Layer *b = &two->after->layers[two->b->first + j];
    const char *name_a = layers_rest(two->before, two->a, i);
    const char *name_b = layers_rest(two->after, two->b, j);
    if (strcmp(role(a->op), role(b->op)) != 0 || other_scope(name_a, name_b))
        return 0;
    int name = strcmp(name_a, name_b) == 0;
    int output = strcmp(a->output, b->output) == 0 ? 4 : 0;
    if (!*a->weight && !*b->weight)
        return output + (strcmp(a->op, b->op) == 0 ? 4 : 2);
    if (same_shape(a->weight, b->weight))
        return name + (strcmp(a->weight, b->weight) == 0 ? 44 : 40);
    return name + output + (same_shape(kernel(a->weight), kernel(b->weight)) ? 14 : 4);
}

/* --- side by side ---------------------------------------------------------------------------- */

typedef struct {
    Layers before, after;
    int *known; /* by kinds of units, [before's][after's]: how alike, + 1; 0: not yet known */
    Pair *units;
    int unit_count;
    char *told; /* the option that the other program alone was given, " --row 7", or NULL */
} Comparison;

static int own_likeness(const Layers *l, const LayerUnit *u)
{
    Two two = { l, l, u, u };
    int sum = 0;
    for (int i = 0; i < u->count; i++)
        sum += layer_likeness(&two, i, i);
    return sum;
}

/* The stage of a block, "encoder.stages.2.3": the first of two numbers; -1: it has not two. */
static int stage_of(const Layers *l, const LayerUnit *u)
{
    const char *name = l->layers[u->first].name;
    int at = (int)strcspn(name, "0123456789");
    return at < u->prefix ? atoi(name + at) : -1;
}

/* Is it a block, with a sum around it? */
static bool is_residual(const Layers *l, const LayerUnit *u)
{
    for (int i = 0; i < u->count; i++)
        if (strcmp(l->layers[u->first + i].op, "add") == 0)
            return true;
    return false;
}

/* By kinds: what their layers gain. Nothing where only one is a block, or, outside one stage, where
 * they have less than a third in common. */
static int kinds_likeness(const Two *two, bool same_stage)
{
    int a = own_likeness(two->before, two->a), b = own_likeness(two->after, two->b);
    int gain = align_gain(two->a->count, two->b->count, layer_likeness, two);
    if (is_residual(two->before, two->a) != is_residual(two->after, two->b))
        return 0;
    return same_stage || 3 * gain >= (a < b ? a : b) ? gain : 0;
}

static int unit_likeness(const void *context, int i, int j)
{
    const Comparison *c = context;
    Two two = { &c->before, &c->after, &c->before.units[i], &c->after.units[j] };
    int stage_a = stage_of(two.before, two.a), stage_b = stage_of(two.after, two.b);
    if (stage_a >= 0 && stage_b >= 0 && stage_a != stage_b)
        return 0;
    int *known = &c->known[(size_t)two.a->kind * (size_t)c->after.kinds + (size_t)two.b->kind];
    if (!*known)
        *known = kinds_likeness(&two, stage_a >= 0 && stage_a == stage_b) + 1;
    return *known - 1;
}

static void compare_units(Comparison *c)
{
    const Layers *a = &c->before, *b = &c->after;
    c->known = mem_alloc(size_mul((size_t)a->kinds, (size_t)b->kinds), sizeof *c->known);
    c->units = mem_alloc((size_t)a->unit_count + (size_t)b->unit_count, sizeof *c->units);
    c->unit_count = align_pairs(a->unit_count, b->unit_count, unit_likeness, c, c->units);
}

/* Two units' layers side by side, or those of one that is alone. To be freed. */
static Pair *compare_layers(const Comparison *c, Pair units, int *count)
{
    static const LayerUnit none = { 0 };
    Two two = { &c->before, &c->after, units.a < 0 ? &none : &c->before.units[units.a],
                units.b < 0 ? &none : &c->after.units[units.b] };
    Pair *pairs = mem_alloc((size_t)two.a->count + (size_t)two.b->count, sizeof *pairs);
    *count = align_pairs(two.a->count, two.b->count, layer_likeness, &two, pairs);
    for (int i = 0; i < *count; i++) {
        pairs[i].a += pairs[i].a < 0 ? 0 : two.a->first;
        pairs[i].b += pairs[i].b < 0 ? 0 : two.b->first;
    }
    return pairs;
}

static const Layer *layer_of(const Layers *l, int i)
{
    return i < 0 ? NULL : &l->layers[i];
}

/* '+': came; '-': went; '~': changed; '=': has another name only; ' ': as before. */
static char mark_of(const Layer *a, const Layer *b)
{
    if (!a || !b)
        return a ? '-' : '+';
    if (!layers_same(a, b))
        return '~';
    return strcmp(a->name, b->name) ? '=' : ' ';
}

/* --- for programs ---------------------------------------------------------------------------- */

/* Calls print for every layer or two layers side by side that are not as before. */
static void each_change(const Comparison *c, void (*print)(char mark, const Layer *, const Layer *))
{
    for (int u = 0; u < c->unit_count; u++) {
        int count;
        Pair *pairs = compare_layers(c, c->units[u], &count);
        for (int i = 0; i < count; i++) {
            const Layer *a = layer_of(&c->before, pairs[i].a);
            const Layer *b = layer_of(&c->after, pairs[i].b);
            if (mark_of(a, b) != ' ')
                print(mark_of(a, b), a, b);
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
    print_json_text(l->name);
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
    print_json_text(c->before.program);
    printf(", \"after\": ");
    print_json_text(c->after.program);
    printf(", \"changes\": [\n");
    each_change(c, json_row);
    printf("  {\"change\": \"total\", \"before\": ");
    print_json_layer(&c->before.total);
    printf(", \"after\": ");
    print_json_layer(&c->after.total);
    printf("}]}\n");
}

/* --- for people ------------------------------------------------------------------------------ */

/* A line of the table, 98 wide where no name is very long. */
static void print_cells(char mark, const char *name, const char *op, const char *weight,
                        const char *output, const char *params, const char *macs)
{
    char line[512];
    int length = snprintf(line, sizeof line, "%c %-16s %-15s %-19s %-15s %11s %14s", mark, name, op,
                          weight, output, params, macs);
    while (length > 0 && length < (int)sizeof line && line[length - 1] == ' ')
        line[--length] = 0;
    puts(line);
}

static void print_layer(char mark, const char *name, const Layer *l)
{
    char a[COUNT_TEXT], b[COUNT_TEXT];
    print_cells(mark, name, l->op, l->weight, l->output, print_count_text(l->params, a),
                print_count_text(l->macs, b));
}

/* Below a layer what it has become: what is as before is left out. */
static void print_become(const char *name, const Layer *a, const Layer *b)
{
    char arrow[128], params[COUNT_TEXT] = "", macs[COUNT_TEXT] = "";
    snprintf(arrow, sizeof arrow, "-> %s", name);
    if (a->params != b->params)
        print_count_text(b->params, params);
    if (a->macs != b->macs)
        print_count_text(b->macs, macs);
    bool weight = strcmp(a->weight, b->weight) != 0;
    print_cells(' ', arrow, strcmp(a->op, b->op) ? b->op : "",
                weight && !*b->weight ? "none"
                : weight              ? b->weight
                                      : "",
                strcmp(a->output, b->output) ? b->output : "", params, macs);
}

/* What the unit of the layers without a scope is called. */
#define OUTSIDE "(outside)"

/* What has been printed so far. */
typedef struct {
    int came, went, changed, resized, renamed, same; /* layers */
    int count;
    char **patterns; /* of each group of units: which of its layers changed, and how; */
    char **names;    /* what the group is called */
} Printed;

/* The same layer, for pictures of another size: often all there is behind a change of stride. */
static bool only_resized(const Layer *a, const Layer *b)
{
    size_t height = 0;
    for (int i = 0; i < 2; i++)
        height += strcspn(a->output + height, "x") + 1;
    return strcmp(a->op, b->op) == 0 && strcmp(a->weight, b->weight) == 0 &&
           a->params == b->params && height < strlen(a->output) &&
           strncmp(a->output, b->output, height) == 0;
}

/* Is it worth a row? */
static bool listed(const Layer *a, const Layer *b)
{
    char mark = mark_of(a, b);
    return mark == '+' || mark == '-' || (mark == '~' && !only_resized(a, b));
}

static void count_layer(Printed *p, const Layer *a, const Layer *b, int times)
{
    char mark = mark_of(a, b);
    p->came += mark == '+' ? times : 0;
    p->went += mark == '-' ? times : 0;
    p->changed += mark == '~' ? times : 0;
    p->resized += mark == '~' && only_resized(a, b) ? times : 0;
    p->renamed += mark == '=' ? times : 0;
    p->same += mark == ' ' ? times : 0;
}

/* A unit's name, of several in a row with the last one's last part; "" for the outermost. */
static char *range_name(const Layers *l, int first, int count)
{
    const LayerUnit *u = &l->units[first], *v = &l->units[first + count - 1];
    const char *name = l->layers[u->first].name, *last = l->layers[v->first].name;
    char *end = str_format("%.*s", v->prefix, last), *text;
    const char *dot = strrchr(end, '.');
    if (count > 1)
        text = str_format("%.*s … %s", u->prefix, name, dot ? dot + 1 : end);
    else
        text = str_format("%.*s", u->prefix, name);
    free(end);
    return text;
}

/* Where else a unit of that kind stands, in the same network but outside first … first + count;
 * -1: nowhere. */
static int same_elsewhere(const Layers *l, int first, int count)
{
    for (int i = 0; i < l->unit_count; i++)
        if ((i < first || i >= first + count) && l->units[i].kind == l->units[first].kind)
            return i;
    return -1;
}

static void print_heading(const Comparison *c, Pair first, int count)
{
    char *a = first.a < 0 ? NULL : range_name(&c->before, first.a, count);
    char *b = first.b < 0 ? NULL : range_name(&c->after, first.b, count);
    const char *name = b ? b : a;
    printf("\n");
    if (a && b && strcmp(a, b) != 0)
        printf("%s -> %s", *a ? a : OUTSIDE, *b ? b : OUTSIDE);
    else
        printf("%s%s", a && b ? "" : b ? "+ " : "- ", *name ? name : OUTSIDE);
    if (count > 1)
        printf(": %d alike", count);
    printf("\n");
    free(a);
    free(b);
}

static void add_layers(const Layers *l, int unit, Layer *sum)
{
    for (int i = 0; unit >= 0 && i < l->units[unit].count; i++) {
        sum->params += l->layers[l->units[unit].first + i].params;
        sum->macs += l->layers[l->units[unit].first + i].macs;
    }
}

/* What the unit, or each of several, has in all; before and after where that differs. */
static void print_unit_sum(const Comparison *c, Pair units, int count)
{
    Layer a = { .op = "", .weight = "", .output = "" }, b = a;
    add_layers(&c->before, units.a, &a);
    add_layers(&c->after, units.b, &b);
    const char *name = count > 1 ? "in each" : "in all";
    print_layer('=', name, units.a < 0 ? &b : &a);
    if (units.a >= 0 && units.b >= 0 && (a.params != b.params || a.macs != b.macs))
        print_become("", &a, &b);
}

/* Two units and their layers side by side. */
typedef struct {
    const Comparison *c;
    Pair units, *pairs;
    int rows;
} Group;

static const Layer *before(const Group *g, int row)
{
    return layer_of(&g->c->before, g->pairs[row].a);
}

static const Layer *after(const Group *g, int row)
{
    return layer_of(&g->c->after, g->pairs[row].b);
}

/* A row's names behind their units'; "" where there is none. */
static const char *rest(const Layers *l, int unit, int layer)
{
    return layer < 0 ? "" : layers_rest(l, &l->units[unit], layer - l->units[unit].first);
}

static const char *rest_before(const Group *g, int row)
{
    return rest(&g->c->before, g->units.a, g->pairs[row].a);
}

static const char *rest_after(const Group *g, int row)
{
    return rest(&g->c->after, g->units.b, g->pairs[row].b);
}

/* The group's rows but for their widths and sizes. To be freed. */
static char *pattern_of(const Group *g)
{
    static const Layer none = { .op = "", .weight = "" };
    char *text = str_format("%s", "");
    for (int i = 0; i < g->rows; i++) {
        const Layer *a = before(g, i), *b = after(g, i);
        if (!listed(a, b))
            continue;
        char mark = mark_of(a, b), *old = text;
        a = a ? a : &none;
        b = b ? b : &none;
        text = str_format("%s%c %s %s %s > %s %s %s\n", old, mark, rest_before(g, i), a->op,
                          kernel(a->weight), rest_after(g, i), b->op, kernel(b->weight));
        free(old);
    }
    return text;
}

/* Remembers the group; returns the name of an earlier one in which the same changed, or NULL. */
static const char *same_pattern(Printed *p, const Group *g)
{
    const Comparison *c = g->c;
    char *pattern = pattern_of(g);
    const char *found = NULL;
    for (int i = 0; i < p->count && !found && *pattern; i++)
        found = strcmp(p->patterns[i], pattern) == 0 ? p->names[i] : NULL;
    p->patterns = mem_grow(p->patterns, (size_t)p->count + 1, sizeof *p->patterns);
    p->names = mem_grow(p->names, (size_t)p->count + 1, sizeof *p->names);
    p->patterns[p->count] = pattern;
    p->names[p->count++] = g->units.b < 0 ? range_name(&c->before, g->units.a, 1)
                                          : range_name(&c->after, g->units.b, 1);
    return found;
}

static void print_rows(const Group *g)
{
    for (int i = 0; i < g->rows; i++) {
        const Layer *a = before(g, i), *b = after(g, i);
        const char *old = rest_before(g, i), *new = rest_after(g, i);
        if (!listed(a, b))
            continue;
        if (!a)
            print_layer(mark_of(a, b), new, b);
        else
            print_layer(mark_of(a, b), old, a);
        if (a && b)
            print_become(strcmp(old, new) ? new : "", a, b);
    }
}

/* How many layers of the group have pictures of another size, and nothing else. */
static int print_resized(const Group *g)
{
    const Layer *a = NULL, *b = NULL;
    int resized = 0;
    for (int i = g->rows - 1; i >= 0; i--)
        if (mark_of(before(g, i), after(g, i)) == '~' && !listed(before(g, i), after(g, i))) {
            a = before(g, i);
            b = after(g, i);
            resized++;
        }
    if (resized)
        printf("~ %d layer%s only in size: from %s to %s%s\n", resized, resized > 1 ? "s" : "",
               a->output, b->output, resized > 1 ? " and the like" : "");
    return resized;
}

static void print_changes(Printed *p, const Group *g, int count)
{
    const Layers *alone = g->units.b < 0 ? &g->c->before : g->units.a < 0 ? &g->c->after : NULL;
    int like = alone ? same_elsewhere(alone, g->units.b < 0 ? g->units.a : g->units.b, count) : -1;
    const char *pattern = same_pattern(p, g);
    print_heading(g->c, g->units, count);
    if (like >= 0) {
        char *name = range_name(alone, like, 1);
        printf("  the same %d layers as %s\n", g->rows, *name ? name : OUTSIDE);
        free(name);
    } else if (pattern)
        printf("  as in %s, at other sizes\n", *pattern ? pattern : OUTSIDE);
    else
        print_rows(g);
    print_resized(g);
    print_unit_sum(g->c, g->units, count);
}

/* Two units side by side, or one that is alone: the first of `count` in a row that are alike. */
static void print_group(Printed *p, const Comparison *c, Pair units, int count)
{
    Group g = { .c = c, .units = units };
    g.pairs = compare_layers(c, units, &g.rows);
    int changed = 0;
    for (int i = 0; i < g.rows; i++) {
        char mark = mark_of(before(&g, i), after(&g, i));
        count_layer(p, before(&g, i), after(&g, i), count);
        changed += mark != ' ' && mark != '=';
    }
    if (changed)
        print_changes(p, &g, count);
    free(g.pairs);
}

static bool follows(const Layers *l, int before, int now)
{
    return before < 0 ? now < 0 : now == before + 1 && l->units[now].kind == l->units[before].kind;
}

/* How many pairs of units from `first` on are alike. */
static int group_size(const Comparison *c, int first)
{
    int i = first;
    while (i + 1 < c->unit_count && follows(&c->before, c->units[i].a, c->units[i + 1].a) &&
           follows(&c->after, c->units[i].b, c->units[i + 1].b))
        i++;
    return i - first + 1;
}

static void print_total(const char *what, uint64_t before, uint64_t after)
{
    char a[COUNT_TEXT], b[COUNT_TEXT];
    printf("%-12s %18s -> %18s", what, print_count_text(before, a), print_count_text(after, b));
    double change = print_percent(after, (double)before);
    if (before == after || !before)
        printf("%s\n", before == after ? "   the same" : "");
    else
        printf("   %+.*f %%\n", change > -0.1 && change < 0.1 ? 2 : 1, change);
}

static void print_tally(const Printed *p)
{
    printf("\nLayers: %d came, %d went, %d changed", p->came, p->went, p->changed);
    if (p->resized)
        printf(" (%d only in size)", p->resized);
    printf(", %d are as before", p->same + p->renamed);
    if (p->renamed)
        printf(" (%d under another name)", p->renamed);
    printf(".\n\n");
}

static void print_text(const Comparison *c)
{
    Printed p = { 0 };
    printf("%s%s -> %s\n\n", c->before.program, c->told ? c->told : "", c->after.program);
    print_cells(' ', "layer", "op", "weight", "output", "parameters", "MACs");
    for (int i = 0, count; i < c->unit_count; i += count) {
        count = group_size(c, i);
        print_group(&p, c, c->units[i], count);
    }
    print_tally(&p);
    printf("%-12s %18s -> %18s\n", "output", c->before.total.output, c->after.total.output);
    print_total("parameters", c->before.total.params, c->after.total.params);
    print_total("MACs", c->before.total.macs, c->after.total.macs);
    for (int i = 0; i < p.count; i++) {
        free(p.patterns[i]);
        free(p.names[i]);
    }
    free(p.patterns);
    free(p.names);
}

/* --- whom to ask ----------------------------------------------------------------------------- */

/* Options that mean something to one step only: the other has its own, behind the colon. */
static bool is_own(const char *word)
{
    return strcmp(word, "--row") == 0 || strcmp(word, "--variant") == 0;
}

/* Leaves the options out that are this step's own; returns how many words are left. */
static int without_own(const char **words, int count)
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

/* The program for "04", "04_name" or, without operand, of the step that this one was made from. */
static char *other_program(const Run *run, const char *name)
{
    char *path = name ? sibling_named(run->path, name) : parent_of(run);
    if (!name)
        name = run->step->from;
    if (!path && name)
        error_die(EXIT_FAILED, name, "no step of that number or name is built beside %s",
                  run->name);
    if (!path)
        error_die(EXIT_FAILED, run->name, "no step that it could be made from is built beside it");
    return path;
}

/* What is behind the colon in "13:7", "12:small", "11:paper": the option that it is the value of.
 */
static const char *option_of(const char *value)
{
    if (isdigit((unsigned char)*value))
        return "--row";
    bool preset = strcmp(value, "article") == 0 || strcmp(value, "paper") == 0;
    return preset ? "--preset" : "--variant";
}

/* Reads the other network: with this call's options and the one behind the colon, if any. A
 * published step has the paper's widths unless told otherwise, and the others are told so. */
static bool read_other(const Run *run, const char *path, const char *value, Comparison *c)
{
    const char *words[NETWORK_WORDS + 2];
    int count = without_own(words, options_of_network(&run->options, words));
    bool paper = !value && network_has_paper_sizes(run->step, &run->options);
    if (value || paper) {
        words[count++] = paper ? "--preset" : option_of(value);
        words[count++] = paper ? "paper" : value;
        c->told = str_format(" %s %s", words[count - 2], words[count - 1]);
    }
    bool good = layers_read(path, words, count, &c->before);
    if (!good && paper) { /* it is a published step itself */
        free(c->told);
        c->told = NULL;
        good = layers_read(path, words, count - 2, &c->before);
    }
    return good;
}

/* Reads both networks; where one is not to be had, the program ends. */
static void read_both(const Run *run, Comparison *c, char **other)
{
    const Options *o = &run->options;
    if (o->operand_count > 1)
        error_die(EXIT_USAGE, o->operands[1], "compare takes one step");
    char *name = o->operand_count ? str_format("%s", o->operands[0]) : NULL;
    char *colon = name ? strchr(name, ':') : NULL;
    if (colon)
        *colon++ = 0;
    *other = other_program(run, name);
    if (!read_other(run, *other, colon, c))
        error_die(EXIT_FAILED, sibling_base_name(*other),
                  "has no network with these options; its report says why");
    const char *words[NETWORK_WORDS];
    int count = options_of_network(&run->options, words);
    if (!layers_read(run->path, words, count, &c->after))
        error_die(EXIT_FAILED, run->path, "cannot be run for its report");
    free(name);
}

int cmd_compare(const Run *run)
{
    /* A wrong size is told here, with the step's line. */
    Shape shape = network_shape(run->step, &run->options, NULL);
    net_free(network_build(run->step, &shape));
    Comparison c = { 0 };
    char *other;
    read_both(run, &c, &other);
    compare_units(&c);
    const char *format = run->options.format;
    if (strcmp(format, "tsv") == 0)
        print_tsv(&c);
    else if (strcmp(format, "json") == 0)
        print_json(&c);
    else
        print_text(&c);
    layers_free(&c.before);
    layers_free(&c.after);
    free(c.known);
    free(c.told);
    free(c.units);
    free(other);
    return 0;
}
