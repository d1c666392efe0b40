/* What is told of a mistake: where it is, what is there and what should be, and whether it is one
 * that the article, the paper or the step before makes one expect. */
#include "grade.h"

#include "base/memory.h"
#include "io/file.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* --- the errata ------------------------------------------------------------------------------- */

void tell_erratum(Grade *g, int number)
{
    char *page = NULL, *start = str_format("\n## %d. ", number), *title;
    size_t size;
    if (file_read("docs/errata.md", &page, &size, NULL) && (title = strstr(page, start)))
        fprintf(g->why, "Erratum %d: %.*s (docs/errata.md#e%d).\n", number,
                (int)strcspn(title + strlen(start), "\n"), title + strlen(start), number);
    free(page);
    free(start);
}

static bool is_op(const Described *layer, const char *op)
{
    return layer && strcmp(layer->fact[OP], op) == 0;
}

static bool is_norm(const Described *layer)
{
    return layer && strstr(layer->fact[OP], "_norm");
}

static bool is_act(const Described *layer)
{
    return is_op(layer, "relu") || is_op(layer, "gelu");
}

static bool has(const Described *layer, const char *part)
{
    return layer && strstr(layer->fact[NAME], part);
}

static bool in_stem(const Described *layer)
{
    return has(layer, "stem.") || has(layer, "downsample_layers.0.");
}

/* Of a layer that one of the networks does not have; 0: none. */
static int erratum_alone(const Grade *g, Paired p)
{
    const Described *l = p.want ? p.want : p.got;
    if (has(l, ".shortcut") && is_act(l))
        return 3;
    if (in_stem(l) && is_norm(l))
        return 6;
    if (g->number >= 10 && (has(l, "stages.0.0.") || has(l, "downsample_layers")) &&
        (is_norm(l) || is_op(l, "conv2d")))
        return 14;
    return 0;
}

static bool is_grouped(const Described *layer)
{
    return *layer->fact[GROUPS] && strcmp(layer->fact[GROUPS], "1") != 0;
}

/* Tests for a stride that one of the layers behind has in this one's place. */
static bool is_stride_behind(const Grade *g, Paired p)
{
    for (int i = 0; i < g->networks; i++)
        for (size_t k = 0; k < g->got[i].count; k++)
            if (&g->got[i].layers[k] == p.got)
                for (size_t l = k + 1; l < g->got[i].count && l < k + 5; l++)
                    if (strcmp(p.got[l - k].fact[STRIDE], p.want->fact[STRIDE]) == 0 &&
                        !has(&p.got[l - k], ".shortcut"))
                        return true;
    return false;
}

static int erratum_conv(const Grade *g, Paired p)
{
    if (g->number >= 10 && has(p.want, "stages.0.0.") && differ(p, STRIDE))
        return 14;
    bool inside = has(p.want, ".block") || has(p.want, "conv");
    if (inside && differ(p, KERNEL))
        return g->number == 5 ? 9 : 0;
    if (inside && differ(p, STRIDE))
        return g->number < 5 && is_stride_behind(g, p) ? 4 : 0;
    if (inside && differ(p, GROUPS) && is_grouped(p.want) && is_grouped(p.got))
        return g->number == 4 ? 8 : 0;
    if (!*p.want->fact[BIAS] == !*p.got->fact[BIAS])
        return 0;
    if (in_stem(p.want))
        return 6;
    if (!inside || g->number < 5)
        return 0;
    return is_grouped(p.want) && g->number >= 8 ? 13 : 10;
}

static int erratum_of(const Grade *g, Paired p)
{
    if (!p.want || !p.got)
        return erratum_alone(g, p);
    if (is_op(p.want, "conv2d") && is_op(p.got, "conv2d"))
        return erratum_conv(g, p);
    if (is_norm(p.want) && differ(p, OP))
        return is_op(p.want, "batch_norm") || is_op(p.got, "batch_norm") ? 0 : 12;
    if (is_norm(p.want) && differ(p, EPS))
        return 13;
    if (is_act(p.want) && has(p.want, ".shortcut"))
        return 3;
    if (is_op(p.want, "drop_path"))
        return differ(p, PER_SAMPLE) ? 15 : differ(p, P) ? 16 : 0;
    return 0;
}

/* --- the step before -------------------------------------------------------------------------- */

/* Tests for a layer that is in the step before what it is in the student's, but for its image. */
static bool is_as_before(const Described *got, const Network *before)
{
    for (size_t i = 0; i < before->count; i++) {
        const Described *b = &before->layers[i];
        bool same = true;
        for (int f = 0; f <= PER_SAMPLE && same; f++)
            same = f == OUTPUT || strcmp(b->fact[f], got->fact[f]) == 0;
        if (same && strcmp(b->fact[NAME], got->fact[NAME]) == 0)
            return true;
    }
    return false;
}

static bool tell_before(Grade *g, const Sizes *sizes, Paired p)
{
    char *pattern = str_format("steps/%02d_*", g->number - 1);
    glob_t found = { 0 };
    bool same = false;
    if (p.got && glob(pattern, 0, NULL, &found) == 0) {
        const char *name = found.gl_pathv[0] + strlen("steps/");
        char *program = str_format("%s/%s", g->build, name);
        Outcome report =
            grade_run(g, program, "report", sizes, (const char *[]){ "--format", "json", NULL });
        Network before = { 0 };
        same = report.status == 0 &&
               network_read(report.out, report.out_size, str_format("%s", ""), &before, NULL) &&
               is_as_before(p.got, &before);
        if (same)
            fprintf(g->why, "That is what step %02d has: this line is still to be changed.\n",
                    g->number - 1);
        free(program);
    }
    globfree(&found);
    free(pattern);
    return same;
}

void tell_mistake(Grade *g, const Sizes *sizes, Paired p)
{
    int erratum = erratum_of(g, p);
    if (!tell_before(g, sizes, p) && erratum)
        tell_erratum(g, erratum);
}

/* --- a pair ----------------------------------------------------------------------------------- */

/* "steps/14_mine/main.c:14: encoder.stem.0, conv2d"; what it is where that is not what is wrong. */
static void tell_place(Grade *g, const Described *layer, bool what)
{
    fprintf(g->why, "%s: %s", layer->fact[AT], layer->fact[NAME]);
    if (what)
        fprintf(g->why, ", %s,", layer->fact[OP]);
}

static void tell_fact(Grade *g, Paired p, Fact f, int *count)
{
    static const char *const words[FACTS] = {
        [OP] = "is",
        [OUTPUT] = "gives",
        [WEIGHT] = "has the weight",
        [BIAS] = "has the bias",
        [KERNEL] = "has kernel",
        [STRIDE] = "has stride",
        [PAD] = "has pad",
        [GROUPS] = "has groups",
        [EPS] = "has eps",
        [INIT] = "begins at",
        [P] = "drops with probability",
        [PER_SAMPLE] = "drops per sample:",
        [PARAMETERS] = "has parameters:",
        [MACS] = "has MACs:",
        [INPUTS] = "reads",
    };
    const char *want = p.want->fact[f], *got = p.got->fact[f];
    const char *none = f == P || f == INIT ? "0" : f == PER_SAMPLE ? "false" : "none";
    fprintf(g->why, "%s %s %s, should be %s", (*count)++ ? ";" : "", words[f], *got ? got : none,
            *want ? want : none);
}

/* What follows from another fact is not told beside it. */
static bool follows(Paired p, Fact f)
{
    return f == PARAMETERS || f == MACS ? true
           : f == WEIGHT                ? differ(p, KERNEL) || differ(p, GROUPS)
                                        : false;
}

void tell_pair(Grade *g, const Sizes *sizes, Paired p)
{
    const Described *l = p.got ? p.got : p.want;
    if (!p.want) {
        tell_place(g, l, true);
        fprintf(g->why, " is there, but not in the step.\n");
    } else if (!p.got) {
        fprintf(g->why, "%s, %s, is missing.\n", l->fact[NAME], l->fact[OP]);
    } else {
        int count = 0;
        tell_place(g, l, !differ(p, OP));
        for (Fact f = OP; f <= INPUTS; f++)
            if (differ(p, f) && !follows(p, f) && (f != INPUTS || (!count && !g->unpublished)))
                tell_fact(g, p, f, &count);
        if (differ(p, NAME) && !g->unpublished)
            fprintf(g->why, "%s should be called %s", count ? ";" : "", p.want->fact[NAME]);
        fprintf(g->why, ".\n");
    }
    tell_mistake(g, sizes, p);
}
