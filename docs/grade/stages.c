#include "grade.h"

#include "base/memory.h"
#include "base/path.h"
#include "io/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- running ---------------------------------------------------------------------------------- */

Outcome grade_run(const Grade *g, const char *program, const char *command, const Sizes *sizes,
                  const char *const *more)
{
    const char *argv[MOST_OPTIONS + 24] = { program, command };
    int count = 2;
    for (int i = 0; i < sizes->option_count; i++)
        argv[count++] = sizes->options[i];
    for (; *more; more++)
        argv[count++] = *more;
    return sandbox_run(g->folder, g->folder, argv, g->seconds);
}

/* The sizes in words, "with --stem 8 …" */
static void tell_sizes(Grade *g, const Sizes *sizes)
{
    if (!sizes->option_count)
        return;
    fprintf(g->why, "With");
    for (int i = 0; i < sizes->option_count; i++)
        fprintf(g->why, " %s", sizes->options[i]);
    fprintf(g->why, ":\n");
}

/* The first lines of what a program complains of, without its name in front. */
static void tell_lines(Grade *g, const char *text, int most)
{
    const char *name = path_base(g->theirs);
    size_t length = strlen(name);
    for (; *text && most > 0; text += strcspn(text, "\n"), text += *text == '\n') {
        if (strncmp(text, name, length) == 0 && strncmp(text + length, ": ", 2) == 0)
            text += length + 2;
        int line = (int)strcspn(text, "\n");
        fprintf(g->why, "%.*s\n", line < 300 ? line : 300, text);
        most--;
    }
}

/* The usual reasons for what the library says of a step that cannot be built. */
static void tell_run_mistake(Grade *g, const char *said)
{
    int a, b, c, d;
    char *sum = strstr(said, "add: shapes differ: ");
    if (strstr(said, "no drop path"))
        fprintf(g->why, "The step drops paths: drop_path is missing from block.\n");
    if (strstr(said, "no layer scale"))
        fprintf(g->why, "The step scales layers: layer_scale is missing from block.\n");
    if (strstr(said, "do not divide") && g->number == 4)
        tell_erratum(g, 8);
    if (!sum)
        return;
    bool sizes =
        sscanf(sum, "%*[^:]: shapes differ: %*dx%*dx%dx%d and %*dx%*dx%dx%d", &a, &b, &c, &d) == 4;
    if (sizes && g->number >= 8 && abs(c - a) == 6 && abs(d - b) == 6) {
        fprintf(g->why, "A 7x7 kernel without pad takes 6 pixels away.\n");
        tell_erratum(g, 11);
    } else if (sizes && (a != c || b != d))
        fprintf(g->why, "The block and its shortcut have to shrink the image alike.\n");
    else
        fprintf(g->why, "The block and its shortcut have to end with as many channels.\n");
}

void tell_run(Grade *g, const Outcome *run, const char *what, const Sizes *sizes)
{
    static const char *const signals[][2] = {
        { "11", "reads or writes where no memory is" },
        { "6", "is aborted" },
        { "8", "divides by zero" },
        { "4", "runs into an illegal instruction" },
    };
    tell_sizes(g, sizes);
    if (run->over) {
        fprintf(g->why, "%s: ended, because %s.\n", what, run->over);
        return;
    }
    if (run->status > 128) {
        const char *did = "is ended";
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            if (atoi(signals[i][0]) == run->status - 128)
                did = signals[i][1];
        fprintf(g->why, "%s: it crashes: it %s (signal %d).\n", what, did, run->status - 128);
    } else
        fprintf(g->why, "%s: exit status %d.\n", what, run->status);
    tell_lines(g, run->err, 6);
    tell_run_mistake(g, run->err);
}

/* --- compiles, runs --------------------------------------------------------------------------- */

bool stage_compiles(Grade *g)
{
    const char *compile = getenv("GRADE_COMPILE"), *with = getenv("GRADE_WITH");
    char *archive = str_format("'%s/libcommon.a' -lm", g->build);
    char *line =
        str_format("%s -O0 -o '%s' '%s' %s", compile ? compile : "cc -std=gnu11 -pthread -Icommon",
                   g->theirs, g->main_c, with ? with : archive);
    char *here = getcwd(NULL, 0);
    Outcome o = sandbox_run(g->folder, here, (const char *[]){ "sh", "-c", line, NULL },
                            g->seconds > 20 ? g->seconds : 20);
    bool good = o.status == 0 && !o.over;
    if (o.over)
        fprintf(g->why, "The compiler: ended, because %s.\n", o.over);
    else if (!good)
        tell_lines(g, o.err, 8);
    outcome_free(&o);
    free(archive);
    free(line);
    free(here);
    return good;
}

/* Reads what a program says of its network; tells why it cannot be, if `theirs`. */
static bool describe(Grade *g, const char *program, int i, Network *network)
{
    const Sizes *sizes = &g->sizes[i];
    Outcome report =
        grade_run(g, program, "report", sizes, (const char *[]){ "--format", "json", NULL });
    if (report.status != 0 || report.over) {
        tell_run(g, &report, "report", sizes);
        return false;
    }
    Outcome keys = grade_run(g, program, "keys", sizes, (const char *[]){ NULL });
    Error error;
    if (keys.status != 0 || keys.over) {
        tell_run(g, &keys, "keys", sizes);
        return false;
    }
    free(report.err);
    free(keys.err);
    if (network_read(report.out, report.out_size, keys.out, network, &error))
        return true;
    fprintf(g->why, "%s\nDoes main.c print something of its own? Programs read what it prints.\n",
            error.text);
    return false;
}

static bool has_op(const Network *network, const char *op)
{
    for (size_t i = 0; i < network->count; i++)
        if (strcmp(network->layers[i].fact[OP], op) == 0)
            return true;
    return false;
}

/* What was told of ours is no one's mistake but this program's. */
static _Noreturn void die_of_ours(Grade *g)
{
    fflush(g->why);
    error_die(EXIT_FAILED, g->ours, "does not say what its network is: %s", g->told.bytes);
}

bool stage_runs(Grade *g)
{
    Network own;
    if (!describe(g, g->ours, 0, &own))
        die_of_ours(g);
    sizes_draw(g, has_op(&own, "drop_path"), has_op(&own, "layer_scale"));
    for (int i = 0; i < g->networks; i++) {
        if (!describe(g, g->ours, i, &g->want[i]))
            die_of_ours(g);
        if (!describe(g, g->theirs, i, &g->got[i]))
            return false;
    }
    return true;
}

/* --- shapes, names, parameters, MACs ---------------------------------------------------------- */

/* Blocks of a stage: residual sums under such a name. */
static int blocks_in(const Network *network, int stage)
{
    int count = 0;
    char *part = str_format("stages.%d.", stage);
    for (size_t i = 0; i < network->count; i++)
        count += strcmp(network->layers[i].fact[OP], "add") == 0 &&
                 strstr(network->layers[i].fact[NAME], part) != NULL;
    free(part);
    return count;
}

static bool depths_agree(Grade *g, int i)
{
    int want[4], got[4];
    bool same = true, any = false;
    for (int s = 0; s < 4; s++) {
        want[s] = blocks_in(&g->want[i], s);
        got[s] = blocks_in(&g->got[i], s);
        same = same && want[s] == got[s];
        any = any || got[s];
    }
    if (same || !any) /* without any, its layers tell more */
        return true;
    tell_sizes(g, &g->sizes[i]);
    fprintf(g->why, "The stages have %d, %d, %d, %d blocks, should have %d, %d, %d, %d.\n", got[0],
            got[1], got[2], got[3], want[0], want[1], want[2], want[3]);
    if (i == 0 && g->number == 0)
        tell_erratum(g, 1);
    return false;
}

/* Sizes of another trunk; widths of the paper in place of the article's, as its own sizes have
 * them. */
static void tell_widths(Grade *g, int i, Paired p)
{
    int got = 0;
    if (i == 1 && p.got && strstr(p.got->fact[NAME], "stem"))
        fprintf(g->why, "The presets' sizes follow from .trunk in the Step.\n");
    if (i != 0 || g->number > 11 || !p.got || sscanf(p.got->fact[OUTPUT], "1x%dx", &got) != 1)
        return;
    if (strstr(p.got->fact[NAME], "stem"))
        tell_erratum(g, got == 96 ? 7 : 0); /* there is no erratum 0 */
    else if (got == 96 || got == 192 || got == 384 || got == 768)
        tell_erratum(g, 2);
}

/* Tests for a pair in which `fact` differs, or whose layer alone counts. */
typedef bool Wrong(Paired pair);

static bool all_right(Grade *g, int i, Wrong *wrong)
{
    size_t count;
    Paired *pairs = network_pair(&g->want[i], &g->got[i], &count);
    bool good = true;
    for (size_t k = 0; k < count && good; k++)
        if (wrong(pairs[k])) {
            good = false;
            tell_sizes(g, &g->sizes[i]);
            tell_pair(g, &g->sizes[i], pairs[k]);
            if (pairs[k].want)
                tell_widths(g, i, pairs[k]);
        }
    free(pairs);
    return good;
}

static bool wrong_shape(Paired p)
{
    if (!p.want || !p.got)
        return is_structural(p.want ? p.want : p.got);
    return differ(p, OUTPUT);
}

bool stage_shapes(Grade *g)
{
    const char *first = g->got[0].count ? g->got[0].layers[0].fact[NAME] : "";
    g->unpublished = g->number == 12 && strncmp(first, "encoder.", 8) == 0;
    for (int i = 0; i < g->networks; i++)
        if (!depths_agree(g, i) || !all_right(g, i, wrong_shape))
            return false;
    return true;
}

/* The pair of layers that has the key; those of its place where names differ. */
static Paired pair_of_key(const Grade *g, int i, const char *key)
{
    const Described *want = network_layer_of(&g->want[i], key);
    const Described *got = network_layer_of(&g->got[i], key);
    size_t count;
    Paired *pairs = network_pair(&g->want[i], &g->got[i], &count), found = { want, got };
    for (size_t k = 0; k < count; k++)
        if ((want && pairs[k].want == want) || (!want && got && pairs[k].got == got))
            found = pairs[k];
    free(pairs);
    return found;
}

/* A layer whose bias or running statistics are the other's only; else it is told as a layer. */
static void tell_key(Grade *g, int i, const char *key, bool missing)
{
    Paired p = pair_of_key(g, i, key);
    tell_sizes(g, &g->sizes[i]);
    if (p.want && p.got && strcmp(p.want->fact[NAME], p.got->fact[NAME]) == 0 && !differ(p, OP)) {
        fprintf(g->why, "%s: %s %s.\n", p.got->fact[AT], key,
                missing ? "is missing" : "is there, but not in the step");
        tell_mistake(g, &g->sizes[i], p);
    } else if (p.want || p.got)
        tell_pair(g, &g->sizes[i], p);
    else
        fprintf(g->why, "%s %s.\n", key, missing ? "is missing" : "is there, but not in the step");
}

static bool wrong_layer(Paired p)
{
    return !p.want || !p.got || differ(p, OP) || !*p.want->fact[BIAS] != !*p.got->fact[BIAS];
}

/* A network that is not the published one has the article's names, and that it has them is not what
 * is wrong with it. */
static bool tell_unpublished(Grade *g)
{
    if (all_right(g, 0, wrong_layer))
        fprintf(g->why, "Its parameters have the article's names: .published = true in the Step "
                        "gives them the published ones.\n");
    return false;
}

bool stage_names(Grade *g)
{
    if (g->unpublished)
        return tell_unpublished(g);
    for (int i = 0; i < g->networks; i++) {
        const Network *want = &g->want[i], *got = &g->got[i];
        for (size_t k = 0; k < want->key_count || k < got->key_count; k++) {
            const char *w = k < want->key_count ? want->keys[k] : NULL;
            const char *t = k < got->key_count ? got->keys[k] : NULL;
            if (w && t && strcmp(w, t) == 0)
                continue;
            if (t && !network_shape_of(want, t))
                tell_key(g, i, t, false);
            else if (w && !network_shape_of(got, w))
                tell_key(g, i, w, true);
            else if (w && t)
                fprintf(g->why, "%s comes before %s: the step has them the other way round.\n", t,
                        w);
            return false;
        }
    }
    return true;
}

bool stage_parameters(Grade *g)
{
    for (int i = 0; i < g->networks; i++)
        for (size_t k = 0; k < g->want[i].key_count; k++) {
            const char *key = g->want[i].keys[k], *want = g->want[i].shapes[k];
            const char *got = g->got[i].shapes[k];
            if (strcmp(want, got) == 0)
                continue;
            tell_sizes(g, &g->sizes[i]);
            fprintf(g->why, "%s is %s, should be %s.\n", key, got, want);
            tell_pair(g, &g->sizes[i], pair_of_key(g, i, key));
            return false;
        }
    return true;
}

static bool wrong_macs(Paired p)
{
    return p.want && p.got && differ(p, MACS);
}

bool stage_macs(Grade *g)
{
    for (int i = 0; i < g->networks; i++)
        if (!all_right(g, i, wrong_macs))
            return false;
    return true;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* A file that a program wrote. */
static bool open_written(Grade *g, const char *path, Safetensors *file)
{
    Error error;
    if (safetensors_read(path, file, &error))
        return true;
    fprintf(g->why, "%s\n", error.text);
    return false;
}

static float *floats_of(const Safetensors *file, const Entry *entry)
{
    float *values = mem_alloc(entry_elements(entry), sizeof *values);
    if (!entry_floats(file, entry, values, NULL))
        memset(values, 0, entry_elements(entry) * sizeof *values);
    return values;
}

/* |got - want| and |want|, in the 2-norm; true where both have as many numbers. */
static bool distance(const Safetensors *want, const Entry *w, const Safetensors *got,
                     const Entry *t, double *off, double *norm)
{
    size_t count = entry_elements(w);
    *off = *norm = 0;
    if (!t || entry_elements(t) != count)
        return false;
    float *a = floats_of(want, w), *b = floats_of(got, t);
    for (size_t i = 0; i < count; i++) {
        *off += ((double)b[i] - a[i]) * ((double)b[i] - a[i]);
        *norm += (double)a[i] * a[i];
    }
    free(a);
    free(b);
    *off = sqrt(*off);
    *norm = sqrt(*norm);
    return !isnan(*off);
}

/* Rounding may differ where layers are called otherwise. Of a tensor's norm; and of the largest of
 * all: what should be 0, as the gradient of a bias before batch norm, is noise. */
static const double tolerance = 1e-3, noise = 1e-5;

static double largest_norm(const Safetensors *file)
{
    double largest = 0, off, norm;
    for (size_t i = 0; i < file->count; i++)
        if (distance(file, &file->entries[i], file, &file->entries[i], &off, &norm))
            largest = norm > largest ? norm : largest;
    return largest;
}

/* Returns the first tensor of `want`, in the order of its keys' list or of the layers, that `got`
 * has not got. */
static const char *first_off(const Safetensors *want, const Safetensors *got, const char *prefix,
                             char *const *keys, size_t count, double *off)
{
    double scale = *prefix ? largest_norm(want) : 0;
    for (size_t i = 0; i < count; i++) {
        char *key = str_format("%s%s", prefix, keys[i]);
        const Entry *w = safetensors_find(want, key);
        double norm;
        bool same = !w || (distance(want, w, got, safetensors_find(got, key), off, &norm) &&
                           *off <= tolerance * norm + noise * scale);
        free(key);
        if (!same) {
            *off = norm > 0 ? *off / norm : *off;
            return keys[i];
        }
    }
    return NULL;
}

/* Runs a command of both programs with drawn weights and batch. */
static bool run_both(Grade *g, int i, const char *command, const char *const *more,
                     Safetensors *want, Safetensors *got)
{
    const char *args[24] = { "--weights", "w", "--batch", "b", "--output", "o" };
    int count = 6;
    char *path = str_format("%s/o", g->folder);
    while (*more)
        args[count++] = *more++;
    Sizes sizes = g->sizes[i];
    for (int k = 0; k < sizes.option_count; k += 2)
        if (strcmp(sizes.options[k], "--drop-path") == 0 ||
            strcmp(sizes.options[k], "--layer-scale") == 0)
            sizes.option_count = k; /* the last, which only init, train and report take */
    Outcome o = grade_run(g, g->ours, command, &sizes, args);
    if (o.status != 0)
        error_die(EXIT_FAILED, g->ours, "%s: %s", command, o.err);
    outcome_free(&o);
    if (!open_written(g, path, want))
        error_die(EXIT_FAILED, g->ours, "%s: cannot be read", command);
    unlink(path);
    o = grade_run(g, g->theirs, command, &sizes, args);
    bool good = o.status == 0 && !o.over;
    if (!good)
        tell_run(g, &o, command, &sizes);
    outcome_free(&o);
    good = good && open_written(g, path, got);
    free(path);
    return good;
}

/* What numbers do not show: what acts in training alone, or next to nothing. */
static bool wrong_eps(Paired p)
{
    return p.want && p.got && differ(p, EPS);
}

static bool wrong_in_training(Paired p)
{
    if (!p.want || !p.got)
        return strcmp((p.want ? p.want : p.got)->fact[OP], "drop_path") == 0;
    return differ(p, P) || differ(p, PER_SAMPLE) || differ(p, INIT);
}

static bool wrong_anything(Paired p)
{
    if (!p.want || !p.got)
        return strcmp((p.want ? p.want : p.got)->fact[OP], "drop_path") != 0;
    for (Fact f = OP; f <= EPS; f++)
        if (differ(p, f))
            return true;
    return differ(p, INPUTS);
}

/* Tells the first layer whose values are others, where descriptions are the same. */
static void tell_values(Grade *g, int i, const Safetensors *want, const Safetensors *got)
{
    char **names = mem_alloc(g->want[i].count, sizeof *names);
    double off;
    for (size_t k = 0; k < g->want[i].count; k++)
        names[k] = (char *)g->want[i].layers[k].fact[NAME];
    const char *layer = first_off(want, got, "", names, g->want[i].count, &off);
    tell_sizes(g, &g->sizes[i]);
    if (layer)
        fprintf(g->why, "%s is the first layer with other values (relative error %.2g).\n", layer,
                off);
    free(names);
}

/* Forward in a mode; logits, every layer, running statistics. */
static bool forward_agrees(Grade *g, int i, const char *mode)
{
    Safetensors want, got;
    char *logits = "logits";
    double off = 0;
    if (!run_both(g, i, "forward", (const char *[]){ "--mode", mode, "--keep", "all", NULL }, &want,
                  &got))
        return false;
    bool good = !first_off(&want, &got, "", &logits, 1, &off);
    if (!good) {
        fprintf(g->why, "The logits are not the step's (relative error %.2g).\n", off);
        if (all_right(g, i, wrong_anything))
            tell_values(g, i, &want, &got);
    }
    safetensors_free(&want);
    safetensors_free(&got);
    return good;
}

bool stage_evaluation(Grade *g)
{
    for (int i = g->first_hidden; i < g->networks; i++) {
        values_write(g, &g->sizes[i]);
        if (!forward_agrees(g, i, "eval"))
            return false;
    }
    for (int i = 0; i < g->networks; i++)
        if (!all_right(g, i, wrong_eps))
            return false;
    return true;
}

bool stage_training(Grade *g)
{
    for (int i = 0; i < g->networks; i++)
        if (!all_right(g, i, wrong_in_training))
            return false;
    for (int i = g->first_hidden; i < g->networks; i++) {
        values_write(g, &g->sizes[i]);
        if (!forward_agrees(g, i, "train"))
            return false;
    }
    return true;
}

/* The tensors of a command's file, under a prefix. */
static bool tensors_agree(Grade *g, const char *command, const char *const *more,
                          const char *prefix, const char *what)
{
    for (int i = g->first_hidden; i < g->networks; i++) {
        Safetensors want, got;
        double off;
        values_write(g, &g->sizes[i]);
        if (!run_both(g, i, command, more, &want, &got))
            return false;
        const char *key =
            first_off(&want, &got, prefix, g->want[i].keys, g->want[i].key_count, &off);
        if (key) {
            tell_sizes(g, &g->sizes[i]);
            fprintf(g->why, "%s of %s is not the step's (relative error %.2g).\n", what, key, off);
        }
        safetensors_free(&want);
        safetensors_free(&got);
        if (key)
            return false;
    }
    return true;
}

bool stage_gradients(Grade *g)
{
    return tensors_agree(g, "gradient", (const char *[]){ NULL }, "grad/", "The gradient");
}

bool stage_adamw(Grade *g)
{
    return tensors_agree(
        g, "fit",
        (const char *[]){ "--steps", "5", "--lr", "1e-3", "--weight-decay", "0.05", NULL }, "",
        "After five steps the value");
}
