/* The layers' names are a tree: "encoder.stages.0" holds "encoder.stages.0.1". A scope in which
 * each layer reads the one before becomes an nn.Sequential. Any other scope that reads one tensor
 * and makes one becomes a class, whose forward() calls its parts; classes of the same forward() are
 * one. A scope whose layers are not computed one after the other, as all downsampling layers of the
 * published ConvNeXt, only holds them, and the scope around it calls them. */
#include "export/pytorch_module.h"

#include "base/memory.h"
#include "base/text.h"
#include "export/pytorch_ops.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A scope, or a layer in it. */
typedef struct TreePart TreePart;
struct TreePart {
    char *name; /* in its scope */
    TreePart *parent, *child, *last_child, *next;
    const Tensor *layer;    /* NULL: a scope */
    bool is_parameter;      /* the layer's parameter belongs to the scope: "stages.0.0.gamma" */
    int first, last, count; /* its layers' indices, and how many they are */
    char *class_name;       /* of a scope that is a class */
};

typedef struct {
    char *name, *forward;
} Class;

typedef struct {
    const Net *net;
    TreePart root;
    TreePart **leaves; /* by layer */
    Class *classes;
    int class_count;
} Tree;

/* --- the tree -------------------------------------------------------------------------------- */

static TreePart *find_child(const TreePart *scope, const char *name, size_t length)
{
    for (TreePart *p = scope->child; p; p = p->next)
        if (strncmp(p->name, name, length) == 0 && !p->name[length])
            return p;
    return NULL;
}

static TreePart *add_child(TreePart *scope, char *name)
{
    TreePart *p = mem_alloc(1, sizeof *p);
    p->name = name, p->parent = scope;
    if (scope->last_child)
        scope->last_child->next = p;
    else
        scope->child = p;
    return scope->last_child = p;
}

/* Adds the last part of a path. A layer without parameters may be called like a scope beside it, or
 * like another layer where a scope's name comes twice: a module of that name is then numbered. */
static TreePart *add_leaf(TreePart *scope, const char *name)
{
    char *unique = str_format("%s", name);
    for (int i = 2; find_child(scope, unique, strlen(unique)); i++) {
        free(unique);
        unique = str_format("%s_%d", name, i);
    }
    return add_child(scope, unique);
}

/* Tests for a layer that is called like its parameter or like a scope that holds more. */
static bool owns_no_module(const Tree *tree, const Tensor *t)
{
    size_t length = strlen(t->name);
    if (t->params && strcmp(net_param(tree->net, t->first_param)->key, t->name) == 0)
        return true;
    for (int i = 1; i < net_tensors(tree->net); i++) {
        const char *other = net_tensor(tree->net, i)->name;
        if (i != t->index && strncmp(other, t->name, length) == 0 &&
            (!length || other[length] == '.'))
            return true;
    }
    return false;
}

static void add_layer(Tree *tree, const Tensor *t)
{
    bool is_parameter = t->params && owns_no_module(tree, t);
    const char *path = is_parameter ? net_param(tree->net, t->first_param)->key : t->name, *dot;
    TreePart *p = &tree->root;
    for (; (dot = strchr(path, '.')); path = dot + 1) {
        TreePart *scope = find_child(p, path, (size_t)(dot - path));
        p = scope && !scope->layer ? scope
                                   : add_child(p, str_format("%.*s", (int)(dot - path), path));
    }
    p = add_leaf(p, path);
    p->layer = t, p->is_parameter = is_parameter;
    tree->leaves[t->index] = p;
    for (; p; p = p->parent) {
        p->first = p->count++ ? p->first : t->index;
        p->last = t->index;
    }
}

static void free_children(TreePart *scope)
{
    for (TreePart *p = scope->child, *next; p; p = next) {
        next = p->next;
        free_children(p);
        free(p->name);
        free(p->class_name);
        free(p);
    }
}

/* --- what a part is -------------------------------------------------------------------------- */

/* Returns the one tensor that the part's layers read from outside; NULL if they read several. */
static const Tensor *input_of(const Tree *tree, const TreePart *p)
{
    const Tensor *input = NULL;
    for (int i = p->first; i <= p->last; i++)
        for (int k = 0; k < 2; k++) {
            const Tensor *read = net_tensor(tree->net, i)->in[k];
            if (!read || read->index >= p->first || read == input)
                continue;
            if (input)
                return NULL;
            input = read;
        }
    return input;
}

/* Tests whether the part is a function of one tensor: its layers follow each other and only the
 * last is read outside. */
static bool is_callable(const Tree *tree, const TreePart *p)
{
    if (p->last - p->first + 1 != p->count || !input_of(tree, p))
        return false;
    for (int i = p->last + 1; i < net_tensors(tree->net); i++)
        for (int k = 0; k < 2; k++) {
            const Tensor *read = net_tensor(tree->net, i)->in[k];
            if (read && read->index >= p->first && read->index < p->last)
                return false;
        }
    return true;
}

/* The layers in a class's forward() that are no modules. */
static bool is_plain(const TreePart *p)
{
    return p->layer && pytorch_op(p->layer, NULL)->plain;
}

static bool is_module(const Tree *tree, const TreePart *p)
{
    if (p->layer)
        return !p->is_parameter && pytorch_op(p->layer, NULL)->module;
    return is_callable(tree, p);
}

/* Tests whether each child is a module that reads the one before. */
static bool is_chain(const Tree *tree, const TreePart *scope)
{
    int read = is_callable(tree, scope) ? input_of(tree, scope)->index : -1;
    for (const TreePart *p = scope->child; p && read >= 0; p = p->next) {
        const Tensor *input = is_module(tree, p) ? input_of(tree, p) : NULL;
        read = input && input->index == read ? p->last : -1;
    }
    return read >= 0;
}

/* Tests whether the children are called 0, 1, 2, …, of which some may be missing. */
static bool is_numbered(const TreePart *scope)
{
    long most = -1;
    for (const TreePart *p = scope->child; p; p = p->next) {
        char *end;
        long number = isdigit((unsigned char)*p->name) ? strtol(p->name, &end, 10) : -1;
        if (number <= most || number > 9999 || *end || (*p->name == '0' && p->name[1]))
            return false;
        most = number;
    }
    return true;
}

static bool is_list(const Tree *tree, const TreePart *scope)
{
    return !scope->layer && !is_callable(tree, scope) && is_numbered(scope);
}

static bool is_identifier(const char *name)
{
    static const char keywords[] =
        " and as assert async await break class continue def del elif else except False finally "
        "for "
        "from global if import in is lambda None nonlocal not or pass raise return True try while "
        "with yield ";
    char *word = str_format(" %s ", name);
    bool good = !strstr(keywords, word) && !isdigit((unsigned char)*name) && *name;
    for (; *name; name++)
        good = good && ((isalnum((unsigned char)*name) && !(*name & 0x80)) || *name == '_');
    free(word);
    return good;
}

/* --- classes --------------------------------------------------------------------------------- */

/* A line of a class's forward(): a part of the class. */
typedef struct {
    const Tree *tree;
    const TreePart *class, *part;
} ClassCall;

static void put_access(FILE *out, const Tree *tree, const TreePart *class, const TreePart *p)
{
    if (p == class) {
        fputs("self", out);
        return;
    }
    bool direct = is_list(tree, p->parent) || is_identifier(p->name);
    fputs(direct ? "" : "getattr(", out);
    put_access(out, tree, class, p->parent);
    if (direct) {
        fprintf(out, is_list(tree, p->parent) ? "[%s]" : ".%s", p->name);
    } else {
        fputs(", ", out);
        pytorch_put_string(out, p->name);
        putc(')', out);
    }
}

static void put_part(FILE *out, const PytorchLine *line, const char *x, const char *y)
{
    const ClassCall *call = line->what;
    if (is_plain(call->part)) {
        pytorch_op(call->part->layer, NULL)->call(out, call->part->layer, x, y);
    } else if (call->part->is_parameter) {
        fprintf(out, "%s * ", x);
        put_access(out, call->tree, call->class, call->part);
        fputs(call->part->layer->flat ? "" : "[:, None, None]", out);
    } else {
        put_access(out, call->tree, call->class, call->part);
        fprintf(out, "(%s)", x);
    }
}

/* Returns the largest part inside the class that computes layer i and can be called. */
static const TreePart *part_of(const Tree *tree, const TreePart *class, int i)
{
    const TreePart *best = tree->leaves[i];
    for (const TreePart *p = best; p != class; p = p->parent)
        if (p->layer || is_callable(tree, p))
            best = p;
    return best;
}

/* Returns the body of forward(). */
static char *forward_of(const Tree *tree, const TreePart *class)
{
    PytorchLine *lines = mem_alloc((size_t) class->count, sizeof *lines);
    ClassCall *calls = mem_alloc((size_t) class->count, sizeof *calls);
    int count = 0;
    for (int i = class->first; i <= class->last; i++, count++) {
        const TreePart *p = part_of(tree, class, i);
        calls[count] = (ClassCall){ tree, class, p };
        lines[count] = (PytorchLine){ .out = net_tensor(tree->net, p->last),
                                      .in = { p->layer ? p->layer->in[0] : input_of(tree, p),
                                              p->layer ? p->layer->in[1] : NULL },
                                      .what = &calls[count] };
        i = p->last;
    }
    Text text;
    text_open(&text);
    pytorch_put_lines(text.out, lines, count, input_of(tree, class),
                      &(PytorchStyle){ .indent = "        ", .call = put_part });
    free(lines);
    free(calls);
    text_close(&text);
    return text.bytes;
}

static bool is_taken(const Tree *tree, const char *name)
{
    for (int i = 0; i < tree->class_count; i++)
        if (strcmp(tree->classes[i].name, name) == 0)
            return true;
    return pytorch_is_helper(name) || strcmp(name, "OrderedDict") == 0;
}

/* Names a class after its scope; one with a number is a block. */
static char *class_name(const Tree *tree, const TreePart *p)
{
    char *name = str_format("%s", p->name), *to = name;
    bool upper = true;
    for (const char *c = name; *c; c++) {
        if (isalnum((unsigned char)*c) && !(*c & 0x80))
            *to++ = upper ? (char)toupper((unsigned char)*c) : *c;
        upper = !isalnum((unsigned char)*c);
    }
    *to = 0;
    char *base = str_format("%s", !p->parent                      ? "Network"
                                  : isalpha((unsigned char)*name) ? name
                                                                  : "Block");
    char *unique = str_format("%s", base);
    for (int i = 2; is_taken(tree, unique); i++) {
        free(unique);
        unique = str_format("%s%d", base, i);
    }
    free(name);
    free(base);
    return unique;
}

/* Names the scope's class, which an earlier scope may have had. */
static void find_class(Tree *tree, TreePart *p)
{
    char *forward = forward_of(tree, p);
    for (int i = 0; i < tree->class_count && !p->class_name; i++)
        if (strcmp(tree->classes[i].forward, forward) == 0)
            p->class_name = str_format("%s", tree->classes[i].name);
    if (p->class_name) {
        free(forward);
        return;
    }
    p->class_name = class_name(tree, p);
    tree->classes = mem_grow(tree->classes, (size_t)tree->class_count + 1, sizeof *tree->classes);
    tree->classes[tree->class_count++] = (Class){ str_format("%s", p->class_name), forward };
}

static void find_classes(Tree *tree, TreePart *scope)
{
    if (scope->layer)
        return;
    if (is_callable(tree, scope) && !is_chain(tree, scope))
        find_class(tree, scope);
    for (TreePart *p = scope->child; p; p = p->next)
        find_classes(tree, p);
}

/* --- the network ----------------------------------------------------------------------------- */

static void put_leaf(FILE *out, const TreePart *p)
{
    if (!p->is_parameter) {
        pytorch_op(p->layer, NULL)->module(out, p->layer);
        return;
    }
    fprintf(out, "nn.Parameter(torch.full((%d,), ", p->layer->c);
    pytorch_put_float(out, p->layer->a.init);
    fputs("))", out);
}

static void put_module(FILE *out, const Tree *tree, const TreePart *p, int depth);

/* Writes the children, with an nn.Identity in place of each number that is missing. */
static void put_numbered(FILE *out, const Tree *tree, const TreePart *scope, int depth)
{
    int next = 0;
    bool list = is_list(tree, scope);
    for (const TreePart *p = scope->child; p; p = p->next) {
        if (list && is_plain(p))
            continue;
        for (; next < atoi(p->name); next++)
            fprintf(out, "%*snn.Identity(),\n", 4 * depth, "");
        long start = ftell(out);
        fprintf(out, "%*s", 4 * depth, "");
        put_module(out, tree, p, depth);
        putc(',', out);
        next++;
        if (p->layer)
            pytorch_put_shape(out, start, p->layer);
        else
            putc('\n', out);
    }
}

static void put_named(FILE *out, const Tree *tree, const TreePart *scope, int depth)
{
    bool chain = is_chain(tree, scope);
    for (const TreePart *p = scope->child; p; p = p->next) {
        if (!chain && is_plain(p))
            continue;
        bool direct = is_identifier(p->name);
        long start = ftell(out);
        fprintf(out, "%*s%s", 4 * depth, "", direct ? p->name : "**{");
        if (!direct)
            pytorch_put_string(out, p->name);
        fputs(direct ? "=" : ": ", out);
        put_module(out, tree, p, depth);
        fputs(direct ? "," : "},", out);
        if (p->layer)
            pytorch_put_shape(out, start, p->layer);
        else
            putc('\n', out);
    }
}

static void put_module(FILE *out, const Tree *tree, const TreePart *p, int depth)
{
    if (p->layer) {
        put_leaf(out, p);
        return;
    }
    bool chain = is_chain(tree, p), list = is_list(tree, p);
    bool numbered = list || (chain && is_numbered(p));
    if (chain || list)
        fputs(list       ? "nn.ModuleList([\n"
              : numbered ? "nn.Sequential(\n"
                         : "nn.Sequential(OrderedDict(\n",
              out);
    else
        fprintf(out, "%s(\n", p->class_name ? p->class_name : "Parts");
    (numbered ? put_numbered : put_named)(out, tree, p, depth + 1);
    fprintf(out, "%*s%s", 4 * depth, "", list ? "])" : chain && !numbered ? "))" : ")");
}

void pytorch_put_modules(FILE *out, const Net *net)
{
    Tree tree = { .net = net, .root = { .name = "" } };
    tree.leaves = mem_alloc((size_t)net_tensors(net), sizeof *tree.leaves);
    for (int i = 1; i < net_tensors(net); i++)
        add_layer(&tree, net_tensor(net, i));
    find_classes(&tree, &tree.root);
    for (int i = 0; i < tree.class_count; i++) {
        fprintf(out, "\n\nclass %s(Parts):\n    def forward(self, x):\n%s", tree.classes[i].name,
                tree.classes[i].forward);
        free(tree.classes[i].name);
        free(tree.classes[i].forward);
    }
    fputs("\n\ndef network():\n    return ", out);
    put_module(out, &tree, &tree.root, 1);
    putc('\n', out);
    free(tree.root.class_name);
    free_children(&tree.root);
    free(tree.classes);
    free(tree.leaves);
}
