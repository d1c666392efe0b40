#include "cli/recipes.h"

#include "base/error.h"
#include "ops/ops.h"

bool recipes_classic(const Options *o)
{
    return o->recipe == RECIPE_CLASSIC;
}

static bool is_paper(const Options *o)
{
    return o->recipe == RECIPE_PAPER;
}

static void set(const Options *o, const char *option, double *field, double value)
{
    if (!option_given(o, option))
        *field = value;
}

static void apply_classic(Options *o)
{
    if (option_given(o, "--min-lr"))
        error_die(EXIT_USAGE, "--min-lr",
                  "the classic recipe's learning rate goes by ten in steps");
    o->min_lr = 0;
    set(o, "--lr", &o->lr, 0.1 * o->batch_size / 256);
    set(o, "--warmup", &o->warmup, 0);
    set(o, "--weight-decay", &o->weight_decay, 1e-4);
    set(o, "--smoothing", &o->smoothing, 0);
}

static void apply_paper(Options *o)
{
    set(o, "--warmup", &o->warmup, o->epochs * 20 / 300.0);
    set(o, "--erasing", &o->erasing, 0.25);
    if (!option_given(o, "--randaugment"))
        o->randaugment[0] = 2, o->randaugment[1] = 9;
    o->mixup = o->cutmix = true;
}

void recipes_apply(Options *o)
{
    if (recipes_classic(o))
        apply_classic(o);
    else if (is_paper(o))
        apply_paper(o);
    else
        set(o, "--warmup", &o->warmup, o->epochs / 10.0);
}

void recipes_apply_to_network(const Options *o, const Step *step, Shape *shape)
{
    if (is_paper(o) && !option_given(o, "--drop-path") && network_has(step, shape, &drop_path_op))
        shape->config.drop_p = 0.1f;
}
