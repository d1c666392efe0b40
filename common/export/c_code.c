/* Writes the file from top to bottom: what it is, the functions that it needs, the arrays, the
 * weights, and the network as a line per layer. */
#include "export/c_code.h"

#include "base/memory.h"
#include "base/version.h"
#include "export/c_layers.h"
#include "graph/op.h"
#include "io/file.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Arrays of the file that tensors share: one takes the place of another that is not read any more.
 */
typedef struct {
    size_t floats;
    int until; /* the last layer that reads what it holds */
} Room;

enum { LOGITS = -1 }; /* instead of a room: the caller's array */

typedef struct {
    const Net *net;
    const Weights *weights;
    FileWriter *file;
    char *function;
    const Tensor **source; /* by tensor: itself, or the tensor that it is another view of */
    int *until;            /* by tensor: the last layer that reads it */
    int *room;             /* by tensor */
    Room *rooms;
    int room_count;
} CCode;

/* --- text ------------------------------------------------------------------------------------ */

static void put(const CCode *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(const CCode *c, const char *format, ...)
{
    va_list values;
    char line[256]; /* a number or a line: none of millions takes memory */
    va_start(values, format);
    int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    bool fits = (size_t)length < sizeof line;
    char *text = fits ? line : mem_alloc((size_t)length + 1, 1);
    va_start(values, format);
    vsnprintf(text, (size_t)length + 1, format, values);
    va_end(values);
    file_put(c->file, text, (size_t)length);
    if (!fits)
        free(text);
}

/* Returns where parameter i begins among all weights; i may be their number. */
static size_t first_weight(const CCode *c, int param)
{
    size_t first = 0;
    for (int i = 0; i < param; i++)
        first += net_param(c->net, i)->count;
    return first;
}

/* Puts words into a comment, which they neither end nor begin anew. */
static void put_words(const CCode *c, const char *words)
{
    char before = 0;
    for (; *words; before = *words++) {
        bool mark = (before == '*' && *words == '/') || (before == '/' && *words == '*');
        bool control = (unsigned char)*words < ' ' || *words == 127;
        put(c, mark ? " %c" : "%c", control || *words == '\\' ? '?' : *words);
    }
}

/* Puts a string literal; octal digits end after three, so that any character may follow. */
static void put_string(const CCode *c, const char *text)
{
    put(c, "\"");
    for (; *text; text++) {
        bool plain = isalnum((unsigned char)*text) || strchr(" -_.,:()'+/&", *text);
        put(c, plain ? "%c" : "\\%03o", (unsigned char)*text);
    }
    put(c, "\"");
}

/* Makes a name of C of a step's. */
static char *function_name(const char *name)
{
    char *function = str_format("step_%s", name);
    for (char *p = function; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    return function;
}

/* --- the plan -------------------------------------------------------------------------------- */

static void find_lifetimes(CCode *c)
{
    int count = net_tensors(c->net);
    for (int i = 0; i < count; i++) {
        const Tensor *t = net_tensor(c->net, i);
        c->source[i] = tensor_is_view(t, false) ? c->source[t->in[0]->index] : t;
        c->until[i] = i;
        for (int k = 0; k < 2 && t->in[k]; k++)
            c->until[c->source[t->in[k]->index]->index] = i;
    }
}

/* Returns the free room that fits best, else the largest, else a new one. */
static int find_room(CCode *c, const Tensor *t)
{
    size_t floats = tensor_elements(t);
    int best = -1;
    for (int r = 0; r < c->room_count; r++) {
        if (c->rooms[r].until >= t->index)
            continue;
        size_t have = c->rooms[r].floats, best_has = best < 0 ? 0 : c->rooms[best].floats;
        if (best < 0 || (best_has < floats ? have > best_has : have >= floats && have < best_has))
            best = r;
    }
    if (best < 0) {
        best = c->room_count++;
        c->rooms[best].floats = 0;
    }
    if (c->rooms[best].floats < floats)
        c->rooms[best].floats = floats;
    return best;
}

static void plan(CCode *c)
{
    find_lifetimes(c);
    const Tensor *output = c->source[net_output(c->net)->index];
    for (int i = 0; i < net_tensors(c->net); i++) {
        const Tensor *t = c->source[i], *x = i && t->in[0] ? c->source[t->in[0]->index] : NULL;
        if (t->index != i)
            c->room[i] = c->room[t->index];
        else if (t == output)
            c->room[i] = LOGITS;
        else if (x && c_layer(t->op)->in_place && c->until[x->index] == i)
            c->room[i] = c->room[x->index];
        else
            c->room[i] = find_room(c, t);
        if (t->index == i && c->room[i] != LOGITS)
            c->rooms[c->room[i]].until = c->until[i];
    }
}

/* --- its parts ------------------------------------------------------------------------------- */

static void put_numbers(const CCode *c, const char *what, const float *values, int count)
{
    put(c, "%s", what);
    for (int i = 0; i < count; i++)
        put(c, " %.9g", (double)values[i]);
}

static void put_head(const CCode *c, const CAbout *about, bool beside)
{
    const Tensor *x = net_tensor(c->net, 0);
    put(c, "/* ");
    put_words(c, about->name);
    put(c, ": ");
    put_words(c, about->title);
    put(c,
        "\n *\n"
        " * image: %dx%dx%d floats, channel by channel, row by row",
        x->c, x->h, x->w);
    if (about->data) {
        put(c, ", (value / 255 - mean) / std\n * as in ");
        put_words(c, about->data);
        put_numbers(c, ": mean", about->mean, about->channels);
        put_numbers(c, ", std", about->std, about->channels);
    }
    put(c, "\n * logits: %d floats, by class\n", net_output(c->net)->c);
    if (beside)
        put(c, " * weights: %zu floats, those of the file written with this one\n",
            first_weight(c, c->weights->count));
    put(c, " * Not for two threads at a time: the arrays between the layers are static. Link with "
           "-lm.\n"
           " * Written by convnext-steps " VERSION ", export --c. */\n"
           "#include <math.h>\n"
           "#include <stddef.h>\n\n");
    put(c, "void %s(%sconst float *image, float *logits);\n\n", c->function,
        beside ? "const float *weights, " : "");
    if (!about->class_names || about->classes != net_output(c->net)->c)
        return;
    put(c, "extern const char *const %s_classes[%d];\nconst char *const %s_classes[%d] = {\n",
        c->function, about->classes, c->function, about->classes);
    for (int i = 0; i < about->classes; i++) {
        put(c, "    ");
        put_string(c, about->class_names[i]);
        put(c, ",\n");
    }
    put(c, "};\n\n");
}

/* Puts a function where it was not put for an op before. */
static void put_function(const CCode *c, const char *text, const char **there, int *count)
{
    for (int i = 0; text && i < *count; i++)
        if (there[i] == text)
            return;
    if (text) {
        there[(*count)++] = text;
        put(c, "%s\n", text);
    }
}

static void put_functions(const CCode *c)
{
    int most = 1, count = 0;
    for (int i = 0; i < net_tensors(c->net); i++)
        most = net_tensor(c->net, i)->c > most ? net_tensor(c->net, i)->c : most;
    put(c, "enum { MOST_CHANNELS = %d };\n\n%s\n", most, c_channels_last);
    const char **there = mem_alloc((size_t)(2 * c_layer_count), sizeof *there);
    for (int i = 0; i < c_layer_count; i++)
        if (net_has(c->net, c_layers[i].op)) {
            put_function(c, c_layers[i].uses, there, &count);
            put_function(c, c_layers[i].function, there, &count);
        }
    free(there);
}

/* --- weights --------------------------------------------------------------------------------- */

/* Returns the values in the order of the file of C, [ky][kx][in][out] of PyTorch's
 * [out][in][ky][kx]; from the heap. */
static float *ordered(const Weights *weights, int param)
{
    const Param *p = &weights->params[param];
    float *file = mem_alloc(p->count, sizeof *file), *y = mem_alloc(p->count, sizeof *y), *to = y;
    layout_to_file(p, weights->values[param], file);
    size_t out = (size_t)p->shape[0], in = p->rank > 1 ? (size_t)p->shape[1] : 1;
    size_t taps = p->count && in ? p->count / out / in : 0;
    for (size_t tap = 0; tap < taps; tap++)
        for (size_t i = 0; i < in; i++)
            for (size_t o = 0; o < out; o++)
                *to++ = file[(o * in + i) * taps + tap];
    free(file);
    return y;
}

static void put_value(const CCode *c, float value)
{
    if (isnan(value))
        put(c, "NAN");
    else if (isinf(value))
        put(c, value < 0 ? "-INFINITY" : "INFINITY");
    else
        put(c, "%af", (double)value);
}

static void put_weights(const CCode *c)
{
    enum { PER_LINE = 6 };
    char shape[SHAPE_TEXT];
    if (!c->weights->count)
        return;
    put(c, "static const float weights[] = {\n");
    for (int i = 0; i < c->weights->count; i++) {
        const Param *p = &c->weights->params[i];
        put(c, "    /* %zu: ", first_weight(c, i));
        put_words(c, p->key);
        put(c, " %s */\n", param_shape_text(p, shape));
        float *values = ordered(c->weights, i);
        for (size_t k = 0; k < p->count; k++) {
            put(c, k % PER_LINE ? " " : "    ");
            put_value(c, values[k]);
            put(c, k + 1 == p->count || k % PER_LINE == PER_LINE - 1 ? ",\n" : ",");
        }
        free(values);
    }
    put(c, "};\n\n");
}

static void put_raw(FileWriter *file, const Weights *weights)
{
    for (int i = 0; i < weights->count; i++) {
        float *values = ordered(weights, i);
        file_put(file, values, weights->params[i].count * sizeof *values);
        free(values);
    }
}

/* --- the network ----------------------------------------------------------------------------- */

static void name_array(const CCode *c, const Tensor *t, char name[], size_t size)
{
    if (c->room[t->index] == LOGITS)
        snprintf(name, size, "logits");
    else
        snprintf(name, size, "room_%d", c->room[t->index]);
}

static void put_layer(const CCode *c, const Tensor *t)
{
    char shape[SHAPE_TEXT], y[32], x[2][32];
    CArrays names = { .x = { x[0], x[1] }, .y = y };
    put(c, "    /* ");
    put_words(c, t->name);
    put(c, ": %s, %s */\n", t->op->name, tensor_shape_text(t, shape));
    if (c->source[t->index] != t)
        return;
    name_array(c, t, y, sizeof y);
    for (int k = 0; k < 2 && t->in[k]; k++)
        name_array(c, t->in[k], x[k], sizeof x[k]);
    for (int i = 0; i < t->params; i++)
        snprintf(names.param[i], sizeof names.param[i], "weights + %zu",
                 first_weight(c, t->first_param + i));
    char *call = c_layer(t->op)->call(t, &names);
    put(c, "    %s;\n", call);
    free(call);
}

static void put_network(const CCode *c, bool beside)
{
    const Tensor *x = net_tensor(c->net, 0);
    char first[32];
    for (int r = 0; r < c->room_count; r++)
        put(c, "static float room_%d[%zu];\n", r, c->rooms[r].floats);
    put(c, "\nvoid %s(%sconst float *image, float *logits)\n{\n", c->function,
        beside ? "const float *weights, " : "");
    name_array(c, x, first, sizeof first);
    put(c, "    channels_last(image, %d, %d, %s);\n", x->h * x->w, x->c, first);
    for (int i = 1; i < net_tensors(c->net); i++)
        put_layer(c, net_tensor(c->net, i));
    put(c, "}\n");
}

/* --- all of it ------------------------------------------------------------------------------- */

static bool check(const Net *net, bool beside, Error *error)
{
    for (int i = 1; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        if (!c_layer(t->op) && !tensor_is_view(t, false))
            return error_set(error, t->name,
                             "%s has no counterpart in C that this program knows of", t->op->name);
    }
    size_t count = 0;
    for (int i = 0; i < net_params(net); i++)
        count += net_param(net, i)->count;
    if (!beside && count > C_CODE_MOST_WEIGHTS)
        return error_set(error, "--c",
                         "%zu weights are too many for a file of C (%d); --c-weights FILE writes "
                         "them beside it",
                         count, C_CODE_MOST_WEIGHTS);
    return true;
}

static void put_all(const CCode *c, const CAbout *about, FileWriter *beside)
{
    put_head(c, about, beside != NULL);
    put_functions(c);
    if (beside)
        put_raw(beside, c->weights);
    else
        put_weights(c);
    put_network(c, beside != NULL);
}

bool c_code_write(const Net *net, const Weights *weights, const CAbout *about, const char *path,
                  const char *weights_path, Error *error)
{
    if (!check(net, weights_path != NULL, error))
        return false;
    size_t tensors = (size_t)net_tensors(net);
    CCode c = { .net = net, .weights = weights };
    c.source = mem_alloc(tensors, sizeof *c.source);
    c.until = mem_alloc(tensors, sizeof *c.until);
    c.room = mem_alloc(tensors, sizeof *c.room);
    c.rooms = mem_alloc(tensors, sizeof *c.rooms);
    c.function = function_name(about->name);
    plan(&c);
    FileWriter *beside = weights_path ? file_create(weights_path, error) : NULL;
    if (!weights_path || beside)
        c.file = file_create(path, error);
    if (c.file)
        put_all(&c, about, beside);
    bool good = c.file != NULL;
    if (beside && good)
        good = file_commit(beside, error);
    else if (beside)
        file_discard(beside);
    if (good)
        good = file_commit(c.file, error);
    else if (c.file)
        file_discard(c.file);
    free(c.source);
    free(c.until);
    free(c.room);
    free(c.rooms);
    free(c.function);
    return good;
}
