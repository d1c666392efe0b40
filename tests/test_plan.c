/* The plan of training, as report --plan prints it: true to what runs, complete, readable. */
#include "base/memory.h"
#include "engine/fast/training.h"
#include "engine/fast/ways.h"
#include "plan_check.h"
#include "random_networks.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a plan from its table ------------------------------------------------------------------- */

enum { MOST = 2000, FIELDS = 12 };

typedef struct {
    CheckedLayer layers[MOST];
    CheckedArray arrays[MOST];
    int count, array_count;
    size_t workspace, total;
} Table;

static CheckedLayer layer_of_name(const char *op)
{
    static const Fast *const all[] = {
        &conv2d_fast,     &linear_fast,     &max_pool_fast,    &global_avg_pool_fast,
        &batch_norm_fast, &group_norm_fast, &layer_norm_fast,  &relu_fast,
        &gelu_fast,       &add_fast,        &layer_scale_fast, &drop_path_fast,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->op->name, op) == 0)
            return checked_layer(all[i]->op);
    cr_assert(strcmp(op, "-") == 0 || strcmp(op, "flatten") == 0, "%s", op);
    return (CheckedLayer){ .in = { -1, -1 } };
}

static void read_layer(Table *t, char *const *field)
{
    int i = atoi(field[0]), *in = t->layers[i].in;
    if (i < t->count)
        return;
    cr_assert_eq(i, t->count++);
    t->layers[i] = layer_of_name(field[2]);
    cr_assert(strcmp(field[3], "-") == 0 ? i == 0 : sscanf(field[3], "%d,%d", &in[0], &in[1]) > 0);
    t->layers[i].view = strcmp(field[5], "view") == 0;
    cr_assert(!t->layers[i].view || strcmp(field[2], "flatten") == 0 ||
              strcmp(field[2], "drop_path") == 0);
}

static ArrayRole role_of(const char *name)
{
    static const char *const roles[] = { "values", "recomputed", "gradient", "statistics",
                                         "factors" };
    size_t i = 0;
    while (i < sizeof roles / sizeof *roles && strcmp(roles[i], name) != 0)
        i++;
    cr_assert(i < sizeof roles / sizeof *roles, "%s", name);
    return (ArrayRole)i;
}

static void read_array(Table *t, char *const *field)
{
    const char *how = field[5];
    t->arrays[t->array_count++] = (CheckedArray){
        .tensor = atoi(field[0]),
        .role = role_of(field[4]),
        .relation = strcmp(how, "same") == 0 || strcmp(how, "view") == 0 ? ARRAY_SAME
                    : strcmp(how, "over") == 0                           ? ARRAY_OVER
                                                                         : ARRAY_OWN,
        .storage = atoi(field[6]),
        .offset = strtoul(field[8], NULL, 10),
        .bytes = strtoul(field[9], NULL, 10),
        .first = atoi(field[10]),
        .last = atoi(field[11]),
    };
}

/* The tensors whose arrays of a kind lie in one storage are named by each of them. */
static void expect_shared(const Table *t, int i, const char *shared_with)
{
    char want[200] = "";
    for (int k = 0; k < t->array_count; k++)
        if (k != i && t->arrays[k].storage == t->arrays[i].storage)
            sprintf(want + strlen(want), *want ? ",%d" : "%d", t->arrays[k].tensor);
    cr_expect_str_eq(shared_with, *want ? want : "-");
}

static Table *plan_of(const char *step, const char *options)
{
    Result r = run("'%s/%s' report --plan --format tsv %s", build_folder(), step, options);
    cr_assert_eq(r.status, 0, "%s", r.err);
    Table *t = mem_alloc(1, sizeof *t);
    char *shared_with[MOST], *rest = r.out, *line = next_line(&rest), *field[FIELDS];
    cr_assert_str_eq(line, "tensor\tname\top\tinputs\tarray\thow\tstorage\tshared_with\toffset\t"
                           "bytes\tfirst\tlast");
    while ((line = next_line(&rest))) {
        cr_assert_eq(split(line, field, FIELDS), FIELDS);
        if (*field[0] == '-') {
            *(strcmp(field[4], "total") == 0 ? &t->total : &t->workspace) =
                strtoul(field[9], NULL, 10);
            continue;
        }
        read_layer(t, field);
        shared_with[t->array_count] = field[7];
        read_array(t, field);
    }
    for (int i = 0; i < t->array_count; i++)
        expect_shared(t, i, shared_with[i]);
    result_free(&r);
    return t;
}

static const char *fault_of(const Table *t)
{
    return plan_fault(t->layers, t->count, t->arrays, t->array_count, true);
}

/* --- what is printed is what runs ------------------------------------------------------------ */

static size_t training_bytes_of(const char *step, const char *options)
{
    Result r = run("'%s/%s' report --format json %s", build_folder(), step, options);
    const char *at = strstr(r.out, "\"training_bytes\": ");
    cr_assert(at, "%s", r.err);
    size_t bytes = strtoul(strchr(at, ':') + 1, NULL, 10);
    result_free(&r);
    return bytes;
}

/* The block ends where the highest array does, within what storages are rounded to. */
static void expect_sizes(const Table *t, const char *step, const char *options)
{
    size_t end = 0, block = t->total - t->workspace;
    for (int i = 0; i < t->array_count; i++) {
        const CheckedArray *a = &t->arrays[i];
        end = a->offset + a->bytes > end ? a->offset + a->bytes : end;
    }
    cr_expect(end <= block && block - end < 64, "%s %s: %zu of %zu", step, options, end, block);
    cr_expect_eq(t->total, training_bytes_of(step, options), "%s %s", step, options);
}

static void check_step(const char *step, const char *options)
{
    Table *t = plan_of(step, options);
    const char *fault = fault_of(t);
    cr_expect_null(fault, "%s %s: %s", step, options, fault);
    expect_sizes(t, step, options);
    free(t);
}

/* 13, too, without a row. */
Test(plan, of_every_step_is_what_its_training_does)
{
    for (size_t i = 0; i <= RUNGS; i++)
        check_step(step_name(i), "--preset small --batch-size 3");
    for (size_t i = LADDER - 1; i <= RUNGS; i++)
        check_step(step_name(i), "--preset small --batch-size 3 --drop-path 0.5");
    check_step(step_name(0), "--part encoder");
}

/* Faults that a plan could have, each of which its check must find. */
Test(plan, with_a_fault_is_found)
{
    Table *t = plan_of("00_resnet", "--preset small");
    cr_assert_null(fault_of(t));
    for (int i = 0; i < t->array_count; i++) {
        CheckedArray *a = &t->arrays[i], right = *a;
        bool view = t->layers[a->tensor].view && a->role == ARRAY_VALUES;
        a->last--;
        cr_expect(fault_of(t), "%d ends early", i);
        *a = right;
        a->last++;
        cr_expect(fault_of(t), "%d ends late", i);
        *a = right;
        a->first++;
        cr_expect(fault_of(t), "%d begins late", i);
        *a = right;
        for (int k = 0; k < t->array_count && !view; k++) {
            const CheckedArray *other = &t->arrays[k];
            bool together =
                other->storage != a->storage && other->first < a->last && a->first < other->last;
            a->offset = other->offset;
            cr_expect(!together || fault_of(t), "%d lies where %d does", i, k);
            *a = right;
        }
    }
    free(t);
}

static void check_network(const Net *net, TrainingOptions options)
{
    EnginePlan plan = training_plan(net, options);
    int count = plan.arrays[plan.count - 1].tensor->index + 1;
    CheckedLayer *layers = mem_alloc((size_t)count, sizeof *layers);
    CheckedArray *arrays = mem_alloc((size_t)plan.count, sizeof *arrays);
    for (int i = 0; i < plan.count; i++) {
        const PlannedArray *a = &plan.arrays[i];
        const Tensor *t = a->tensor;
        CheckedLayer *l = &layers[t->index];
        arrays[i] = (CheckedArray){ t->index, a->storage,  a->first,  a->last,
                                    a->role,  a->relation, a->offset, a->bytes };
        *l = t->op ? checked_layer(t->op) : (CheckedLayer){ .in = { -1, -1 } };
        for (int k = 0; k < 2 && t->in[k]; k++)
            l->in[k] = t->in[k]->index;
        l->view = tensor_is_view(t, true);
    }
    const char *fault = plan_fault(layers, count, arrays, plan.count, false);
    cr_assert_null(fault, "%s", fault);
    free(layers);
    free(arrays);
    engine_plan_free(&plan);
}

Test(plan, of_random_networks_is_what_their_training_does)
{
    for (uint64_t round = 0; round < 3000; round++) {
        Net *net = random_network(round, false);
        int tensors = net_tensors(net);
        check_network(net, (TrainingOptions){ .input_gradient = round % 2 });
        if (tensors > 2)
            check_network(net, (TrainingOptions){ .last = net_tensor(net, tensors - 2) });
        net_free(net);
    }
}

/* --- for people ------------------------------------------------------------------------------ */

/* One residual block behind the stem, which is drawn at the head of plan.c. The sums behind the
 * table depend on the processor's vectors. */
Test(plan, of_one_block_reads)
{
    char *block = contents("tests/data/plan_block.txt");
    Result r =
        run("'%s/09_layer_norm' report --plan --part encoder --preset small --depths 1,0,0,0",
            build_folder());
    cr_assert_eq(r.status, 0, "%s", r.err);
    char *from = strstr(r.out, "       tensor"), *to = from ? strstr(from, "\n\n") : NULL;
    cr_assert(to, "%s", r.out);
    to[1] = 0;
    cr_expect_str_eq(from, block);
    free(block);
    result_free(&r);
}

Test(plan, is_not_json)
{
    Result r = run("'%s/00_resnet' report --plan --format json", build_folder());
    cr_expect_eq(r.status, 2);
    cr_expect_str_eq(r.err, "00_resnet: --plan: comes as text or tsv, not as json\n");
    cr_expect_str_eq(r.out, "");
    result_free(&r);
}
