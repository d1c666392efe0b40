#include "cli/report_plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "graph/op.h"

#include <stdio.h>
#include <stdlib.h>

static const char *op_name(const Tensor *t)
{
    return t->op ? t->op->name : "-";
}

/* Tests for values that outlive forward, which ends at that time step. */
static bool is_kept(const PlannedArray *a)
{
    return a->last > net_tensors(a->tensor->net);
}

/* --- for programs ---------------------------------------------------------------------------- */

static const char *how_stored(const PlannedArray *a)
{
    if (a->role == ARRAY_GRADIENT)
        return a->relation == ARRAY_SAME ? "same" : a->relation == ARRAY_OVER ? "over" : "own";
    if (a->role != ARRAY_VALUES)
        return "own";
    if (a->relation == ARRAY_SAME)
        return "view";
    return a->recompute ? "recomputed" : is_kept(a) ? "kept" : "forward";
}

static void print_inputs(const Tensor *t)
{
    if (t->in[0])
        printf("%d", t->in[0]->index);
    if (t->in[1])
        printf(",%d", t->in[1]->index);
    printf(t->in[0] ? "\t" : "-\t");
}

static void print_shared_with(const EnginePlan *plan, const PlannedArray *a)
{
    int count = 0;
    for (int i = 0; i < plan->count; i++) {
        const PlannedArray *other = &plan->arrays[i];
        if (other != a && other->storage == a->storage)
            printf(count++ ? ",%d" : "%d", other->tensor->index);
    }
    printf(count ? "\t" : "-\t");
}

static void print_tsv(const EnginePlan *plan)
{
    static const char *const roles[] = { "values", "recomputed", "gradient", "statistics",
                                         "factors" };
    printf(
        "tensor\tname\top\tinputs\tarray\thow\tstorage\tshared_with\toffset\tbytes\tfirst\tlast\n");
    for (int i = 0; i < plan->count; i++) {
        const PlannedArray *a = &plan->arrays[i];
        printf("%d\t", a->tensor->index);
        print_tsv_field(a->tensor->name);
        printf("\t%s\t", op_name(a->tensor));
        print_inputs(a->tensor);
        printf("%s\t%s\t%d\t", roles[a->role], how_stored(a), a->storage);
        print_shared_with(plan, a);
        printf("%zu\t%zu\t%d\t%d\n", a->offset, a->bytes, a->first, a->last);
    }
    printf("-\t-\t-\t-\tworkspace\t-\t-\t-\t-\t%zu\t-\t-\n", plan->workspace);
    printf("-\t-\t-\t-\ttotal\t-\t-\t-\t-\t%zu\t-\t-\n", plan->total);
}

/* --- for people ------------------------------------------------------------------------------ */

/* Formats "s4 3-20". */
static char *place_text(const PlannedArray *a)
{
    return str_format("s%d %d-%d", a->storage, a->first, a->last);
}

static char *how_text(const PlannedArray *a, const PlannedArray *recomputed)
{
    if (a->relation == ARRAY_SAME)
        return str_format(a->role == ARRAY_VALUES ? "view of %d" : "same as %d's", a->other->index);
    char *over =
        a->relation == ARRAY_OVER ? str_format("over %d's", a->other->index) : str_format("%s", "");
    const char *comma = *over ? ", " : "", *kept = "";
    if (a->role == ARRAY_VALUES && is_kept(a))
        kept = "kept";
    char *text = recomputed ? str_format("%s%srecomputed s%d %d-%d", over, comma,
                                         recomputed->storage, recomputed->first, recomputed->last)
                            : str_format("%s%s%s", over, *kept ? comma : "", kept);
    free(over);
    return text;
}

/* Formats "s4 3-20     over 2's, kept". */
static char *array_text(const PlannedArray *a, const PlannedArray *recomputed)
{
    if (!a)
        return str_format("-");
    char *place = place_text(a), *rest = how_text(a, recomputed);
    char *text = *rest ? str_format("%-13s %s", place, rest) : str_format("%s", place);
    free(place);
    free(rest);
    return text;
}

/* Prints the line of the tensor whose arrays begin at index i of the plan; returns the index of the
 * next tensor's. */
static int print_tensor(const EnginePlan *plan, int i)
{
    const PlannedArray *of[ARRAY_FACTORS + 1] = { NULL };
    const Tensor *t = plan->arrays[i].tensor;
    for (; i < plan->count && plan->arrays[i].tensor == t; i++)
        of[plan->arrays[i].role] = &plan->arrays[i];
    char *values = array_text(of[ARRAY_VALUES], of[ARRAY_RECOMPUTED]);
    char *gradient = array_text(of[ARRAY_GRADIENT], NULL);
    printf("%5d  %-32s %-15s %9.1f  %-40s %s\n", t->index, t->op ? t->name : "input", op_name(t),
           (double)of[ARRAY_VALUES]->bytes / 1024, values, gradient);
    free(values);
    free(gradient);
    return i;
}

static double mib(size_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void print_sums(const EnginePlan *plan)
{
    size_t values = 0, kept = 0, recomputed = 0, beside = 0, all = 0;
    for (int i = 0; i < plan->count; i++) {
        const PlannedArray *a = &plan->arrays[i];
        bool view = a->role == ARRAY_VALUES && a->relation == ARRAY_SAME;
        all += view ? 0 : a->bytes;
        if (a->role >= ARRAY_STATISTICS)
            beside += a->bytes;
        if (a->role != ARRAY_VALUES || view)
            continue;
        values += a->bytes;
        kept += is_kept(a) && !a->recompute ? a->bytes : 0;
        recomputed += a->recompute ? a->bytes : 0;
    }
    printf("\n%.2f MiB of values: %.2f kept for backward, %.2f recomputed. Norms' statistics and "
           "drop path's\nfactors: %.2f MiB. An array each, gradients too, would be %.2f MiB; in %d "
           "storages of one block it\nis %.2f, with %.2f of scratch memory %.2f MiB "
           "(training_bytes, %zu).\n",
           mib(values), mib(kept), mib(recomputed), mib(beside), mib(all), plan->storages,
           mib(plan->total - plan->workspace), mib(plan->workspace), mib(plan->total), plan->total);
}

static void print_text(const Run *run, const EnginePlan *plan, const Net *net)
{
    int n = net_tensors(net);
    printf("%s: the memory of a training step, batch size %d\n\n", run->name,
           net_tensor(net, 0)->n);
    printf(
        "Layer i runs forward at time step i and backward at %d - i; at %d the loss is computed. "
        "s1 1-9: in\nstorage 1, alive from time step 1 to 9.\n\n",
        2 * n, n);
    printf("%5s  %-32s %-15s %9s  %-40s %s\n", "", "tensor", "op", "KiB", "values", "gradient");
    for (int i = 0; i < plan->count;)
        i = print_tensor(plan, i);
    print_sums(plan);
}

void report_plan(const Run *run, const Net *net)
{
    EnginePlan plan = engine_plan(engine_kind(NULL), net);
    if (!plan.count)
        error_die(EXIT_FAILED, "--plan",
                  "the plain engine has no plan: it keeps every tensor's values and gradient");
    if (run->options.format == FORMAT_TSV)
        print_tsv(&plan);
    else
        print_text(run, &plan, net);
    engine_plan_free(&plan);
}
