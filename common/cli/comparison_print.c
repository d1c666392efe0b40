#include "base/memory.h"
#include "cli/comparison.h"
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The same layer, for images of another size: often all there is behind a change of stride. */
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
    char mark = comparison_mark(a, b);
    return mark == '+' || mark == '-' || (mark == '~' && !only_resized(a, b));
}

static void count_layer(Printed *p, const Layer *a, const Layer *b, int times)
{
    char mark = comparison_mark(a, b);
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
    return layers_at(&g->c->before, g->pairs[row].a);
}

static const Layer *after(const Group *g, int row)
{
    return layers_at(&g->c->after, g->pairs[row].b);
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
        char mark = comparison_mark(a, b), *old = text;
        a = a ? a : &none;
        b = b ? b : &none;
        text =
            str_format("%s%c %s %s %s > %s %s %s\n", old, mark, rest_before(g, i), a->op,
                       layers_kernel(a->weight), rest_after(g, i), b->op, layers_kernel(b->weight));
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
            print_layer(comparison_mark(a, b), new, b);
        else
            print_layer(comparison_mark(a, b), old, a);
        if (a && b)
            print_become(strcmp(old, new) ? new : "", a, b);
    }
}

/* How many layers of the group have images of another size, and nothing else. */
static int print_resized(const Group *g)
{
    const Layer *a = NULL, *b = NULL;
    int resized = 0;
    for (int i = g->rows - 1; i >= 0; i--)
        if (comparison_mark(before(g, i), after(g, i)) == '~' &&
            !listed(before(g, i), after(g, i))) {
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
    const char *pattern = same_pattern(p, g);
    print_heading(g->c, g->units, count);
    if (pattern)
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
    g.pairs = comparison_layers(c, units, &g.rows);
    int changed = 0;
    for (int i = 0; i < g.rows; i++) {
        char mark = comparison_mark(before(&g, i), after(&g, i));
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

void comparison_print(const Comparison *c)
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
