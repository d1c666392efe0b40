#include "base/memory.h"
#include "cli/group.h"
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints a row of the table, 98 wide unless a name is very long. */
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

/* Prints the changed layer below the old one, leaving out what is unchanged. */
static void print_new_layer(const char *name, const Layer *a, const Layer *b)
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

/* State of the printing so far. */
typedef struct {
    int added, removed, changed, resized, renamed, same; /* layers */
    Patterns patterns;
} Printed;

static void count_row(Printed *p, const Group *g, int row)
{
    char mark = group_mark(g, row);
    p->added += mark == '+' ? g->count : 0;
    p->removed += mark == '-' ? g->count : 0;
    p->changed += mark == '~' ? g->count : 0;
    p->resized += group_is_resized(g, row) ? g->count : 0;
    p->renamed += mark == '=' ? g->count : 0;
    p->same += mark == ' ' ? g->count : 0;
}

static void print_heading(const Group *g)
{
    char *a = group_name_before(g), *b = group_name_after(g);
    printf("\n");
    if (a && b && strcmp(a, b) != 0)
        printf("%s -> %s", a, b);
    else
        printf("%s%s", a && b ? "" : b ? "+ " : "- ", b ? b : a);
    if (g->count > 1)
        printf(": %d alike", g->count);
    printf("\n");
    free(a);
    free(b);
}

/* Prints the totals of the unit, or of each of several; before and after if they differ. */
static void print_sums(const Group *g)
{
    Layer a, b;
    group_sums(g, &a, &b);
    const char *name = g->count > 1 ? "in each" : "in all";
    print_layer('=', name, g->units.a < 0 ? &b : &a);
    if (g->units.a >= 0 && g->units.b >= 0 && (a.params != b.params || a.macs != b.macs))
        print_new_layer("", &a, &b);
}

static void print_rows(const Group *g)
{
    for (int i = 0; i < g->rows; i++) {
        const Layer *a = group_before(g, i), *b = group_after(g, i);
        const char *old = group_rest_before(g, i), *new = group_rest_after(g, i);
        if (!group_is_changed(g, i))
            continue;
        if (!a)
            print_layer(group_mark(g, i), new, b);
        else
            print_layer(group_mark(g, i), old, a);
        if (a && b)
            print_new_layer(strcmp(old, new) ? new : "", a, b);
    }
}

static void print_resized(const Group *g)
{
    const Layer *a = NULL, *b = NULL;
    int resized = 0;
    for (int i = g->rows - 1; i >= 0; i--)
        if (group_is_resized(g, i)) {
            a = group_before(g, i);
            b = group_after(g, i);
            resized++;
        }
    if (resized)
        printf("~ %d layer%s only in size: from %s to %s%s\n", resized, resized > 1 ? "s" : "",
               a->output, b->output, resized > 1 ? " and the like" : "");
}

static void print_changes(Printed *p, const Group *g)
{
    const char *earlier = group_seen(&p->patterns, g, group_pattern(g));
    print_heading(g);
    if (earlier)
        printf("  as in %s, at other sizes\n", earlier);
    else
        print_rows(g);
    print_resized(g);
    print_sums(g);
}

static void print_group(Printed *p, const Group *g)
{
    int changed = 0;
    for (int i = 0; i < g->rows; i++) {
        count_row(p, g, i);
        changed += group_mark(g, i) != ' ' && group_mark(g, i) != '=';
    }
    if (changed)
        print_changes(p, g);
}

static void print_total(const char *what, uint64_t before, uint64_t after)
{
    char a[COUNT_TEXT], b[COUNT_TEXT];
    printf("%-12s %18s -> %18s", what, print_count_text(before, a), print_count_text(after, b));
    double change = print_percent(after, (double)before);
    if (before == after || !before)
        printf("%s\n", before == after ? "   the same" : "");
    else
        printf("   %+.*f%%\n", change > -0.1 && change < 0.1 ? 2 : 1, change);
}

static void print_tally(const Printed *p)
{
    printf("\nLayers: %d added, %d removed, %d changed", p->added, p->removed, p->changed);
    if (p->resized)
        printf(" (%d only in size)", p->resized);
    printf(", %d unchanged", p->same + p->renamed);
    if (p->renamed)
        printf(" (%d under another name)", p->renamed);
    printf(".\n\n");
}

void comparison_print(const Comparison *c)
{
    Printed p = { 0 };
    printf("%s%s -> %s%s\n\n", c->before.program, c->other_option ? c->other_option : "",
           c->after.program, c->own_option ? c->own_option : "");
    print_cells(' ', "layer", "op", "weight", "output", "parameters", "MACs");
    for (int i = 0, count; i < c->unit_count; i += count) {
        Group g = group_at(c, i);
        print_group(&p, &g);
        count = g.count;
        group_free(&g);
    }
    print_tally(&p);
    printf("%-12s %18s -> %18s\n", "output", c->before.total.output, c->after.total.output);
    print_total("parameters", c->before.total.params, c->after.total.params);
    print_total("MACs", c->before.total.macs, c->after.total.macs);
    group_patterns_free(&p.patterns);
}
