#include "cli/group.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool continues_group(const Layers *l, int before, int now)
{
    return before < 0 ? now < 0 : now == before + 1 && l->units[now].kind == l->units[before].kind;
}

Group group_at(const Comparison *c, int first)
{
    int i = first;
    while (i + 1 < c->unit_count && continues_group(&c->before, c->units[i].a, c->units[i + 1].a) &&
           continues_group(&c->after, c->units[i].b, c->units[i + 1].b))
        i++;
    Group g = { .c = c, .units = c->units[first], .count = i - first + 1 };
    g.pairs = comparison_layers(c, g.units, &g.rows);
    return g;
}

void group_free(Group *g)
{
    free(g->pairs);
}

/* --- rows ------------------------------------------------------------------------------------ */

const Layer *group_before(const Group *g, int row)
{
    return layers_at(&g->c->before, g->pairs[row].a);
}

const Layer *group_after(const Group *g, int row)
{
    return layers_at(&g->c->after, g->pairs[row].b);
}

static const char *short_name(const Layers *l, int unit, int layer)
{
    return layer < 0 ? "" : layers_rest(l, &l->units[unit], layer - l->units[unit].first);
}

const char *group_rest_before(const Group *g, int row)
{
    return short_name(&g->c->before, g->units.a, g->pairs[row].a);
}

const char *group_rest_after(const Group *g, int row)
{
    return short_name(&g->c->after, g->units.b, g->pairs[row].b);
}

char group_mark(const Group *g, int row)
{
    return comparison_mark(group_before(g, row), group_after(g, row));
}

bool group_is_resized(const Group *g, int row)
{
    if (group_mark(g, row) != '~')
        return false;
    const Layer *a = group_before(g, row), *b = group_after(g, row);
    size_t height = 0;
    for (int i = 0; i < 2; i++)
        height += strcspn(a->output + height, "x") + 1;
    return strcmp(a->op, b->op) == 0 && strcmp(a->weight, b->weight) == 0 &&
           a->params == b->params && height < strlen(a->output) &&
           strncmp(a->output, b->output, height) == 0;
}

bool group_is_changed(const Group *g, int row)
{
    char mark = group_mark(g, row);
    return mark == '+' || mark == '-' || (mark == '~' && !group_is_resized(g, row));
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Returns a unit's name, for several in sequence with the last one's number. */
static char *range_name(const Layers *l, int first, int count)
{
    if (first < 0)
        return NULL;
    const LayerUnit *u = &l->units[first], *v = &l->units[first + count - 1];
    const char *name = l->layers[u->first].name, *last = l->layers[v->first].name;
    char *end = str_format("%.*s", v->prefix, last), *text;
    const char *dot = strrchr(end, '.');
    if (!u->prefix)
        text = str_format("(outside)");
    else if (count > 1)
        text = str_format("%.*s … %s", u->prefix, name, dot ? dot + 1 : end);
    else
        text = str_format("%.*s", u->prefix, name);
    free(end);
    return text;
}

char *group_name_before(const Group *g)
{
    return range_name(&g->c->before, g->units.a, g->count);
}

char *group_name_after(const Group *g)
{
    return range_name(&g->c->after, g->units.b, g->count);
}

char *group_pattern(const Group *g)
{
    static const Layer none = { .op = "", .weight = "" };
    char *text = str_format("%s", "");
    for (int i = 0; i < g->rows; i++) {
        if (!group_is_changed(g, i))
            continue;
        const Layer *a = group_before(g, i), *b = group_after(g, i);
        a = a ? a : &none;
        b = b ? b : &none;
        str_append(&text, "%c %s %s %s > %s %s %s\n", group_mark(g, i), group_rest_before(g, i),
                   a->op, layers_kernel(a->weight), group_rest_after(g, i), b->op,
                   layers_kernel(b->weight));
    }
    return text;
}

const char *group_seen(Patterns *p, const Group *g, char *pattern)
{
    int i = 0;
    while (i < p->count && strcmp(p->patterns[i], pattern) != 0)
        i++;
    if (i < p->count || !*pattern) {
        free(pattern);
        return i < p->count ? p->names[i] : NULL;
    }
    Group first = *g;
    first.count = 1;
    p->patterns = mem_grow(p->patterns, (size_t)i + 1, sizeof *p->patterns);
    p->names = mem_grow(p->names, (size_t)i + 1, sizeof *p->names);
    p->patterns[i] = pattern;
    p->names[i] = g->units.b < 0 ? group_name_before(&first) : group_name_after(&first);
    p->count++;
    return NULL;
}

void group_patterns_free(Patterns *p)
{
    for (int i = 0; i < p->count; i++) {
        free(p->patterns[i]);
        free(p->names[i]);
    }
    free(p->patterns);
    free(p->names);
}

static Layer sum_of(const Layers *l, int unit)
{
    Layer sum = { .name = "", .op = "", .weight = "", .output = "" };
    for (int i = 0; unit >= 0 && i < l->units[unit].count; i++) {
        sum.params += l->layers[l->units[unit].first + i].params;
        sum.macs += l->layers[l->units[unit].first + i].macs;
    }
    return sum;
}

void group_sums(const Group *g, Layer *before, Layer *after)
{
    *before = sum_of(&g->c->before, g->units.a);
    *after = sum_of(&g->c->after, g->units.b);
}
