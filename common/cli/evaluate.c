/* evaluate: how well a trained step names the test set. */
#include "cli/blueprint.h"

#include <stdio.h>
#include <stdlib.h>

/* Rows: what a picture is; columns: what the network calls it. */
static void print_confusion(const Dataset *data, const Score *score)
{
    int classes = data->classes;
    printf("\nconfusion (row: true class, column: named)\n%-16s", "");
    for (int j = 0; j < classes; j++)
        printf("%6d", j);
    printf("\n");
    for (int i = 0; i < classes; i++) {
        printf("%2d %-13.13s", i, data->class_names[i]);
        for (int j = 0; j < classes; j++)
            printf("%6d", score->confusion[i * classes + j]);
        printf("\n");
    }
}

int cmd_evaluate(const Run *run)
{
    const Options *o = &run->options;
    Dataset test = blueprint_open_data(o->data, TEST_SET, o->limit);
    Blueprint plan = blueprint_for_data(run, &test);
    Builder builder = blueprint_builder(&plan);
    Net *net = builder.build(builder.context, 1);
    Weights *weights = weights_new(net);
    Score score;
    Error error;
    if (!weights_load(weights, o->weights, &error) ||
        !evaluate_all(builder, weights, &test, blueprint_batch_size(o), &score, &error))
        error_die_of(EXIT_FAILED, &error);
    printf("%s, test set of %s, %d pictures: top-1 %.2f %%, top-5 %.2f %%, loss %.4f\n", run->name,
           test.name, score.count, 100 * score.top1, 100 * score.top5, score.loss);
    if (score.undecided)
        printf("%d pictures have a NaN among their logits: counted as wrong, named nothing\n",
               score.undecided);
    print_confusion(&test, &score);
    free(score.confusion);
    weights_free(weights);
    net_free(net);
    dataset_free(&test);
    return 0;
}
