/* evaluate: how well a trained step names the test set. */
#include "cli/blueprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Builder builder;
    Weights *weights;
    int batch_size;
} Trained;

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

/* --- altered images -------------------------------------------------------------------------- */

/* The test set as it is, then under the standard alterations, or only as --alter says. */
static int list_alterations(const Options *o, Alteration list[1 + ALTER_STANDARD])
{
    list[0] = (Alteration){ 0 };
    if (!o->alter || strcmp(o->alter, "all") != 0) {
        list[0] = blueprint_alteration(o);
        return 1;
    }
    for (int i = 0; i < ALTER_STANDARD; i++) {
        Error error;
        if (!alter_parse(alter_standard[i], &list[1 + i], &error))
            error_die_of(EXIT_FAILED, &error);
    }
    return 1 + ALTER_STANDARD;
}

static Score score_altered(const Trained *t, const Dataset *test, const Alteration *alter)
{
    bool altered = *alter->name;
    Dataset data = altered ? alter_dataset(test, TEST_SET, alter) : *test;
    Score score;
    Error error;
    if (!evaluate_all(t->builder, t->weights, &data, t->batch_size, &score, &error))
        error_die_of(EXIT_FAILED, &error);
    if (altered)
        free(data.pixels);
    return score;
}

static void print_row(const char *name, const Score *score, bool tsv)
{
    printf(tsv ? "%s\t%.2f\t%.2f\t%.5f" : "%-16s %8.2f %8.2f %8.4f", *name ? name : "clean",
           100 * score->top1, 100 * score->top5, score->loss);
    if (tsv)
        printf("\t%d", score->count);
    else if (score->undecided)
        printf("  NaN in %d images", score->undecided);
    printf("\n");
    fflush(stdout); /* a row may take a while */
}

/* A row an alteration; for people also the mean of those that were altered. */
static void print_table(const Run *run, const Trained *t, const Dataset *test,
                        const Alteration *list, int count, bool tsv)
{
    Score mean = { 0 };
    if (tsv)
        printf("alteration\ttop1\ttop5\tloss\timages\n");
    else
        printf("%s, test set of %s, %d images\n\n%-16s %8s %8s %8s\n", run->name, test->name,
               test->count, "alteration", "top-1 %", "top-5 %", "loss");
    for (int i = 0; i < count; i++) {
        Score score = score_altered(t, test, &list[i]);
        print_row(list[i].name, &score, tsv);
        free(score.confusion);
        mean.top1 += i ? score.top1 / (count - 1) : 0;
        mean.top5 += i ? score.top5 / (count - 1) : 0;
        mean.loss += i ? score.loss / (count - 1) : 0;
    }
    if (!tsv)
        print_row("mean of altered", &mean, false);
}

/* --- the command ----------------------------------------------------------------------------- */

static void print_score(const Run *run, const Trained *t, const Dataset *test,
                        const Alteration *alter)
{
    Score score = score_altered(t, test, alter);
    printf("%s, test set of %s%s%s, %d pictures: top-1 %.2f %%, top-5 %.2f %%, loss %.4f\n",
           run->name, test->name, *alter->name ? " altered by " : "", alter->name, score.count,
           100 * score.top1, 100 * score.top5, score.loss);
    if (score.undecided)
        printf("%d pictures have a NaN among their logits: counted as wrong, named nothing\n",
               score.undecided);
    print_confusion(test, &score);
    free(score.confusion);
}

int cmd_evaluate(const Run *run)
{
    const Options *o = &run->options;
    bool tsv = o->format && strcmp(o->format, "tsv") == 0;
    Alteration list[1 + ALTER_STANDARD];
    int count = list_alterations(o, list);
    Dataset test = blueprint_open_data(o->data, TEST_SET, o->limit, (Alteration){ 0 });
    Blueprint plan = blueprint_for_data(run, &test);
    Trained t = { .builder = blueprint_builder(&plan), .batch_size = blueprint_batch_size(o) };
    Net *net = t.builder.build(t.builder.context, 1);
    t.weights = weights_new(net);
    Error error;
    if (!weights_load(t.weights, o->weights, &error))
        error_die_of(EXIT_FAILED, &error);
    if (tsv || count > 1)
        print_table(run, &t, &test, list, count, tsv);
    else
        print_score(run, &t, &test, &list[0]);
    weights_free(t.weights);
    net_free(net);
    dataset_free(&test);
    return 0;
}
