/* Draws networks from top to bottom, in the rows of the comparison: aligned layers are at the same
 * height. The first unit of each pattern is drawn in full, a box per layer with its text beside it;
 * units with the same changes, or with none, are drawn small, without text. */
#include "cli/comparison_svg.h"

#include "base/ints.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/group.h"
#include "cli/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels. Each side's boxes are centred on its axis. */
enum {
    WIDTH = 1060,
    AXIS = 120,      /* of the boxes, from the middle of the drawing */
    WIDEST = 208,    /* box */
    TEXT = 230,      /* start of the text, from there */
    CHARACTERS = 46, /* of text beside a box */
    ONE_WIDTH = 620, /* width of the drawing of a single network */
    ALONE = 130,     /* the axis of a single network, from the left */
    TOP = 104,
    ROW = 31,  /* least height of a row with text */
    LINE = 13, /* between lines of text */
    GAP = 4,   /* between boxes */
    HEADING = 30,
    LEGEND = 108,
};

typedef struct {
    const Comparison *c;
    bool single; /* a single network */
    int width;
    FILE *out;
    int y;          /* position of the next element */
    Patterns drawn; /* of the groups drawn in full */
} Drawing;

/* --- text ------------------------------------------------------------------------------------ */

static void print_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        const char *special = strchr("&<>\"", *text);
        if (special)
            fprintf(out, "&%s;", (const char *[]){ "amp", "lt", "gt", "quot" }[special - "&<>\""]);
        else
            fputc(*text, out);
    }
}

/* Draws text. anchor: start, middle or end; style: a class of the style sheet. */
static void draw_text(const Drawing *d, int x, int y, const char *anchor, const char *style,
                      const char *text)
{
    fprintf(d->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
            style);
    print_escaped(d->out, text);
    fprintf(d->out, "</text>\n");
}

/* Formats 205520896 as "206 M", 1683505152 as "1.68 G": three digits; to be freed. */
static char *short_count(uint64_t n)
{
    static const char units[] = " KMGT";
    double value = (double)n;
    int unit = 0;
    for (; value >= 999.5 && unit < 4; unit++)
        value /= 1000;
    int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return unit ? str_format("%.*f %c", decimals, value, units[unit]) : str_format("%" PRIu64, n);
}

/* --- boxes ----------------------------------------------------------------------------------- */

/* Returns 16·log2(n), linear between powers of two, so that every machine gives the same number. */
static int log_scale(uint64_t n)
{
    int power = 0;
    while (n >> (power + 1))
        power++;
    return 16 * power + (int)(n > 0 ? ((n - ((uint64_t)1 << power)) * 16) >> power : 0);
}

/* Splits "1x64x56x56" into channels and pixels; "1x1000" has one pixel. */
static void sizes(const char *shape, uint64_t *channels, uint64_t *pixels)
{
    uint64_t n = 1, c = 1, h = 1, w = 1;
    sscanf(shape, "%" SCNu64 "x%" SCNu64 "x%" SCNu64 "x%" SCNu64, &n, &c, &h, &w);
    *channels = c;
    *pixels = h * w;
}

static int box_width(const Layer *l)
{
    uint64_t channels, pixels;
    sizes(l->output, &channels, &pixels);
    return int_min(8 + log_scale(channels) * 15 / 16, WIDEST);
}

/* Returns a box's height; a small box has a third of it. */
static int box_height(const Layer *l, bool is_small)
{
    uint64_t channels, pixels;
    sizes(l->output, &channels, &pixels);
    int height = 5 + log_scale(pixels) * 2 / 16;
    return is_small ? 2 + height / 4 : height;
}

/* The colours of unchanged, added, removed and changed layers: the first for no MACs, the second
 * for a tera-MAC. */
static const struct {
    char mark;
    int light[3], dark[3];
    const char *style, *sign, *words;
} kinds[] = {
    { ' ', { 240, 240, 240 }, { 90, 90, 90 }, "kept", "", "unchanged, or at another size" },
    { '-', { 253, 224, 221 }, { 178, 24, 43 }, "gone", "− ", "removed" },
    { '+', { 217, 240, 211 }, { 27, 120, 55 }, "come", "+ ", "added" },
    { '~', { 217, 230, 245 }, { 33, 102, 172 }, "changed", "~ ", "changed" },
};

static int kind_of(char mark)
{
    for (int i = 1; i < 4; i++)
        if (kinds[i].mark == mark)
            return i;
    return 0;
}

/* Computes the colour: light for no MACs, darker with their logarithm from 2^14 to 2^34. */
static void colour(int kind, uint64_t macs, char text[8])
{
    int shade = int_min(int_max(log_scale(macs) - 16 * 14, macs ? 16 : 0), 16 * 20), rgb[3];
    for (int i = 0; i < 3; i++)
        rgb[i] =
            kinds[kind].light[i] + (kinds[kind].dark[i] - kinds[kind].light[i]) * shade / (16 * 20);
    snprintf(text, 8, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
}

static int axis_of(const Drawing *d, bool after)
{
    return d->single ? ALONE : WIDTH / 2 + (after ? AXIS : -AXIS);
}

static void box(const Drawing *d, const Layer *l, char mark, bool after, int middle, bool is_small)
{
    int width = box_width(l), height = box_height(l, is_small), kind = kind_of(mark);
    char fill[8], params[COUNT_TEXT], macs[COUNT_TEXT];
    colour(kind, l->macs, fill);
    fprintf(d->out,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" class=\"%s\"><title>",
            axis_of(d, after) - width / 2, middle - height / 2, width, height, fill,
            kinds[kind].style);
    print_escaped(d->out, l->name);
    fprintf(d->out, ": %s%s%s, output %s, %s parameters, %s MACs</title></rect>\n", l->op,
            *l->weight ? " " : "", l->weight, l->output, print_count_text(l->params, params),
            print_count_text(l->macs, macs));
}

/* Returns group_mark, except that a layer that differs only in image size counts as unchanged; it
 * is drawn at its own size. */
static char mark_of(const Drawing *d, const Group *g, int row)
{
    return d->single || group_is_resized(g, row) ? ' ' : group_mark(g, row);
}

/* --- a unit in full -------------------------------------------------------------------------- */

static int text_at(const Drawing *d, bool after, const char **anchor)
{
    bool left = !d->single && !after;
    *anchor = left ? "end" : "start";
    return d->single ? ALONE + TEXT - AXIS : WIDTH / 2 + (left ? -TEXT : TEXT);
}

/* Draws two lines beside the box: the layer's op and name; its output and cost. */
static void draw_layer_text(const Drawing *d, const Layer *l, const char *name, char mark,
                            bool after, int middle)
{
    int kind = kind_of(mark);
    const char *anchor;
    int x = text_at(d, after, &anchor);
    fprintf(d->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\"><tspan class=\"%s\">", x,
            middle - 2, anchor, kinds[kind].style);
    int used = fprintf(d->out, "%s%s%s%s</tspan> <tspan class=\"small\">", kinds[kind].sign, l->op,
                       *l->weight ? " " : "", l->weight);
    char *short_name = print_fitting(name, int_max(CHARACTERS - used + 30, 12));
    print_escaped(d->out, short_name);
    fprintf(d->out, "</tspan></text>\n");
    free(short_name);
    char *params = short_count(l->params), *macs = short_count(l->macs);
    char *text = str_format("%s%s%s%s%s", l->output, l->params ? ", parameters " : "",
                            l->params ? params : "", l->macs ? ", MACs " : "", l->macs ? macs : "");
    draw_text(d, x, middle - 2 + LINE, anchor, "small", text);
    free(params);
    free(macs);
    free(text);
}

/* Returns the row to which a removed layer moved: the first added one, not in `taken`, with the
 * same op and the same kind of weights; -1: none. */
static int find_move(const Group *g, int row, const bool *taken)
{
    const Layer *a = group_before(g, row);
    for (int i = 0; i < g->rows && group_mark(g, row) == '-'; i++) {
        const Layer *b = group_after(g, i);
        if (group_mark(g, i) == '+' && !taken[i] && strcmp(a->op, b->op) == 0 &&
            (strncmp(layers_kernel(a->weight), "1x1", 3) == 0) ==
                (strncmp(layers_kernel(b->weight), "1x1", 3) == 0))
            return i;
    }
    return -1;
}

static void draw_moves(const Drawing *d, const Group *g, const int *middles)
{
    bool *taken = mem_alloc((size_t)g->rows, sizeof *taken);
    for (int i = 0; i < g->rows; i++) {
        int to = find_move(g, i, taken);
        if (to < 0)
            continue;
        taken[to] = true;
        int from_x = axis_of(d, false) + box_width(group_before(g, i)) / 2;
        int to_x = axis_of(d, true) - box_width(group_after(g, to)) / 2;
        fprintf(d->out, "<path d=\"M%d %d C%d %d %d %d %d %d\" class=\"move\"/>\n", from_x,
                middles[i], from_x + 40, middles[i], to_x - 40, middles[to], to_x, middles[to]);
    }
    free(taken);
}

static void draw_rows(Drawing *d, const Group *g)
{
    int *middles = mem_alloc((size_t)g->rows, sizeof *middles);
    for (int i = 0; i < g->rows; i++) {
        const Layer *a = group_before(g, i), *b = group_after(g, i);
        char mark = mark_of(d, g, i);
        int height = int_max(a ? box_height(a, false) : 0, b ? box_height(b, false) : 0);
        height = int_max(height, ROW - GAP);
        middles[i] = d->y + height / 2;
        if (a)
            box(d, a, mark, false, middles[i], false);
        if (b)
            box(d, b, mark, true, middles[i], false);
        if (a)
            draw_layer_text(d, a, group_rest_before(g, i), mark, false, middles[i]);
        if (b)
            draw_layer_text(d, b, group_rest_after(g, i), mark, true, middles[i]);
        d->y += height + GAP;
    }
    if (!d->single)
        draw_moves(d, g, middles);
    free(middles);
}

/* --- a unit drawn small ---------------------------------------------------------------------- */

static void draw_sums(const Drawing *d, const Layer *sum, bool after, int count, int y)
{
    const char *anchor;
    int x = text_at(d, after, &anchor);
    char *params = short_count(sum->params), *macs = short_count(sum->macs);
    char *text = str_format("%sparameters %s, MACs %s", count > 1 ? "in each: " : "", params, macs);
    draw_text(d, x, y, anchor, "small", text);
    free(params);
    free(macs);
    free(text);
}

static void draw_small(Drawing *d, const Group *g)
{
    int from = d->y;
    Layer a, b;
    group_sums(g, &a, &b);
    for (int i = 0; i < g->rows; i++) {
        const Layer *before = group_before(g, i), *after = group_after(g, i);
        char mark = mark_of(d, g, i);
        int height =
            int_max(before ? box_height(before, true) : 0, after ? box_height(after, true) : 0);
        if (before)
            box(d, before, mark, false, d->y + height / 2, true);
        if (after)
            box(d, after, mark, true, d->y + height / 2, true);
        d->y += height + 1;
    }
    if (g->units.a >= 0)
        draw_sums(d, &a, false, g->count, (from + d->y) / 2 + 4);
    if (g->units.b >= 0)
        draw_sums(d, &b, true, g->count, (from + d->y) / 2 + 4);
    d->y = int_max(d->y, from + LINE) + GAP;
}

/* --- groups ---------------------------------------------------------------------------------- */

/* Returns the group's changes, or for a single network its layers; only the first group of a
 * pattern is drawn in full. */
static char *pattern_of(const Drawing *d, const Group *g)
{
    if (!d->single)
        return group_pattern(g);
    char *text = str_format("%s", "");
    for (int i = 0; i < g->rows; i++) {
        const Layer *l = group_after(g, i);
        str_append(&text, "%s %s\n", l->op, layers_kernel(l->weight));
    }
    return text;
}

static void heading(Drawing *d, const Group *g, const char *note)
{
    char *a = group_name_before(g), *b = group_name_after(g), *name;
    if (a && b && strcmp(a, b) != 0)
        name = str_format("%s → %s", a, b);
    else
        name = str_format("%s", b ? b : a);
    int x = d->single ? 20 : WIDTH / 2;
    char *text = g->count > 1 ? str_format("%s: %d alike%s", name, g->count, note)
                              : str_format("%s%s", name, note);
    fprintf(d->out, "<path d=\"M20 %d H%d\" class=\"rule\"/>\n", d->y + 8, d->width - 20);
    char *fitting = print_fitting(text, d->single ? 90 : 150);
    draw_text(d, x, d->y + 23, d->single ? "start" : "middle", "unit", fitting);
    d->y += HEADING;
    free(fitting);
    free(a);
    free(b);
    free(name);
    free(text);
}

static bool resized(const Group *g)
{
    int count = 0;
    for (int i = 0; i < g->rows; i++)
        count += group_is_resized(g, i);
    return count > 0;
}

static void draw_group(Drawing *d, const Group *g)
{
    char *pattern = pattern_of(d, g);
    bool changed = *pattern;
    const char *earlier = group_seen(&d->drawn, g, pattern);
    char *note = earlier ? str_format(" (as in %s, at other sizes)", earlier)
                 : changed
                     ? str_format("%s", "")
                     : str_format(resized(g) ? " (unchanged, at another size)" : " (unchanged)");
    heading(d, g, note);
    if (changed && !earlier)
        draw_rows(d, g);
    else
        draw_small(d, g);
    free(note);
}

/* --- the drawing ----------------------------------------------------------------------------- */

/* Returns ", −1.3%", the change from the other network; "" if there is none to compare. */
static char *change_text(const Drawing *d, bool after, uint64_t now, uint64_t before)
{
    double change = print_percent(now, (double)before);
    if (d->single || !after || !before)
        return str_format("%s", "");
    if (now == before)
        return str_format(", the same");
    return str_format(", %s%.*f%%", change < 0 ? "−" : "+", change > -0.1 && change < 0.1 ? 2 : 1,
                      change < 0 ? -change : change);
}

static void title_line(const Drawing *d, bool after, const char *what, uint64_t now,
                       uint64_t before, int x, int y)
{
    char count[COUNT_TEXT], *change = change_text(d, after, now, before);
    char *text = str_format("%s %s%s", print_count_text(now, count), what, change);
    draw_text(d, x, y, after ? "start" : "end", "small", text);
    free(change);
    free(text);
}

static void title(const Drawing *d, const Layers *l, const char *option, bool after)
{
    int x = d->single ? 20 : WIDTH / 2 + (after ? 22 : -22);
    const Layer *old = &d->c->before.total;
    char *whole = str_format("%s%s", l->program, option ? option : "");
    char *name = print_fitting(whole, CHARACTERS);
    draw_text(d, x, 34, after ? "start" : "end", "title", name);
    free(whole);
    title_line(d, after, "parameters", l->total.params, old->params, x, 54);
    title_line(d, after, "MACs", l->total.macs, old->macs, x, 54 + LINE + 2);
    free(name);
}

static void legend(const Drawing *d, int y)
{
    int x = 20;
    fprintf(d->out, "<path d=\"M20 %d H%d\" class=\"rule\"/>\n", y, d->width - 20);
    for (int i = 0; i < (d->single ? 0 : 4); x += i ? 130 : 230, i++) {
        char fill[8];
        colour(i, (uint64_t)1 << 26, fill);
        fprintf(d->out, "<rect x=\"%d\" y=\"%d\" width=\"24\" height=\"14\" fill=\"%s\" ", x,
                y + 14, fill);
        fprintf(d->out, "class=\"%s\"/>\n", kinds[i].style);
        char *text = str_format("%s%s", kinds[i].sign, kinds[i].words);
        draw_text(d, x + 32, y + 25, "start", "small", text);
        free(text);
    }
    if (!d->single) {
        fprintf(d->out, "<path d=\"M%d %d h24\" class=\"move\"/>\n", x, y + 21);
        draw_text(d, x + 32, y + 25, "start", "small", "moved");
    }
    static const char *const lines[] = {
        "A box per layer: its width grows with the logarithm of the output's channels, its height",
        ("with that of the output's pixels; its colour darkens with the logarithm of the layer's "
         "MACs."),
        "Shapes are NCHW; weights are output x input per group x height x width.",
    };
    y += d->single ? 22 : 46;
    for (int i = 0; i < 3; i++)
        draw_text(d, 20, y + i * (LINE + 2), "start", "small", lines[i]);
}

/* The styles, distinguishable in black and white: dashes for removed, a thick line for added. */
static const char style[] =
    "text{font-family:sans-serif;font-size:12px;fill:#222}"
    ".title{font-size:17px;font-weight:bold}.unit{font-weight:bold}.small{font-size:11px;fill:#444}"
    "rect{stroke:#777;stroke-width:1}rect.gone{stroke:#b2182b;stroke-dasharray:4 "
    "2;stroke-width:1.5}"
    "rect.come{stroke:#1b7837;stroke-width:2.5}rect.changed{stroke:#2166ac;stroke-width:1.5}"
    "tspan.gone{fill:#9b1426}tspan.come{fill:#14602b;font-weight:bold}"
    "tspan.changed{fill:#1c5896;font-weight:bold}tspan.small{font-weight:normal}.rule{stroke:#ddd}"
    ".move{stroke:#555;stroke-dasharray:2 3;stroke-width:1.3;fill:none}";

static void draw(Drawing *d)
{
    const Layers *a = &d->c->before, *b = &d->c->after;
    if (!d->single)
        title(d, a, d->c->other_option, false);
    title(d, b, d->c->own_option, true);
    d->y = TOP - HEADING;
    for (int i = 0, count; i < d->c->unit_count; i += count) {
        Group g = group_at(d->c, i);
        draw_group(d, &g);
        count = g.count;
        group_free(&g);
    }
    d->y += 12;
    legend(d, d->y);
    d->y += d->single ? LEGEND - 34 : LEGEND;
}

void comparison_svg(const Comparison *c)
{
    Text body;
    text_open(&body);
    Drawing d = { .c = c,
                  .single = !c->before.count,
                  .width = c->before.count ? WIDTH : ONE_WIDTH,
                  .out = body.out };
    draw(&d);
    text_close(&body);
    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
           "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
           d.width, d.y, d.width, d.y);
    if (!d.single)
        print_escaped(stdout, c->before.program);
    fputs(d.single ? "" : " and ", stdout);
    print_escaped(stdout, c->after.program);
    printf("</title>\n<style>%s</style>\n<rect width=\"%d\" height=\"%d\" "
           "style=\"fill:#fff;stroke:none\"/>\n%s</svg>\n",
           style, d.width, d.y, body.bytes);
    group_patterns_free(&d.drawn);
    free(body.bytes);
}
