/* evaluate: how well a trained step names the test set. */
#include "cli/blueprint.h"
#include "cli/origin.h"
#include "cli/print.h"
#include "io/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Builder builder;
    Weights *weights;
    Digest digest; /* the weights' */
    int batch_size;
} Trained;

/* Rows: what an image is; columns: what the network calls it. */
static void print_confusion(const Dataset *data, const Score *score)
{
    int classes = data->classes;
    printf("\nconfusion matrix (rows: true class, columns: predicted class)\n%-16s", "");
    for (int j = 0; j < classes; j++)
        printf("%6d", j);
    printf("\n");
    for (int i = 0; i < classes; i++) {
        print_class(i, data->class_names[i], true);
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
    if (!evaluate_images(t->builder, t->weights, &data, NULL, data.count, t->batch_size, &score,
                         &error))
        error_die_of(EXIT_FAILED, &error);
    if (altered)
        dataset_free_pixels(&data);
    return score;
}

/* "clean" where nothing is altered. */
static const char *name_of(const Alteration *alter)
{
    return *alter->name ? alter->name : "clean";
}

/* digest: of the weights, in a row of TSV; else NULL. */
static void print_row(const char *name, const Score *score, const char *digest)
{
    printf(digest ? "%s\t%.2f\t%.2f\t%.5f" : "%-16s %8.2f %8.2f %8.4f", name, 100 * score->top1,
           100 * score->top5, score->loss);
    if (digest)
        printf("\t%d\t%s", score->count, digest);
    else if (score->undecided)
        printf("  NaN in %d image%s", score->undecided, score->undecided == 1 ? "" : "s");
    printf("\n");
    fflush(stdout); /* a row may take a while */
}

/* A row an alteration, and the mean of those that were altered. */
static void print_table(const Run *run, const Trained *t, const Dataset *test,
                        const Alteration *list, int count)
{
    Score mean = { 0 };
    printf("%s, test set of %s, %d image%s\nsha256 of the weights: %s\n\n%-16s %8s %8s %8s\n",
           run->name, test->name, test->count, test->count == 1 ? "" : "s", t->digest.text,
           "alteration", "top-1, %", "top-5, %", "loss");
    for (int i = 0; i < count; i++) {
        Score score = score_altered(t, test, &list[i]);
        print_row(name_of(&list[i]), &score, NULL);
        free(score.confusion);
        mean.top1 += i ? score.top1 / (count - 1) : 0;
        mean.top5 += i ? score.top5 / (count - 1) : 0;
        mean.loss += i ? score.loss / (count - 1) : 0;
    }
    print_row("mean of altered", &mean, NULL);
}

/* --- for programs ----------------------------------------------------------------------------- */

static void print_confusion_tsv(const Dataset *data, const Score *score)
{
    printf("\nclass\tname");
    for (int j = 0; j < data->classes; j++)
        printf("\t%d", j);
    printf("\n");
    for (int i = 0; i < data->classes; i++) {
        printf("%d\t", i);
        print_tsv_field(data->class_names[i]);
        for (int j = 0; j < data->classes; j++)
            printf("\t%d", score->confusion[i * data->classes + j]);
        printf("\n");
    }
}

/* A row an alteration; of one alone the confusion matrix as well, a table behind an empty line. */
static void print_tsv(const Trained *t, const Dataset *test, const Alteration *list, int count)
{
    printf("alteration\ttop1\ttop5\tloss\timages\tsha256\n");
    for (int i = 0; i < count; i++) {
        Score score = score_altered(t, test, &list[i]);
        print_row(name_of(&list[i]), &score, t->digest.text);
        if (count == 1)
            print_confusion_tsv(test, &score);
        free(score.confusion);
    }
}

static void print_score_json(const Score *score, const char *name, int classes)
{
    printf("  {\"alteration\": ");
    json_put_string(stdout, name);
    printf(", \"top1\": %.4f, \"top5\": %.4f, \"loss\": ", 100 * score->top1, 100 * score->top5);
    if (isfinite(score->loss))
        printf("%.6f", score->loss);
    else
        printf("null");
    printf(", \"undecided\": %d,\n   \"confusion\": [", score->undecided);
    for (int i = 0; i < classes; i++) {
        printf(i ? ",\n    [" : "\n    [");
        for (int j = 0; j < classes; j++)
            printf("%s%d", j ? ", " : "", score->confusion[i * classes + j]);
        printf("]");
    }
    printf("]}");
}

static void print_json(const Run *run, const Trained *t, const Dataset *test,
                       const Alteration *list, int count)
{
    printf("{\"network\": ");
    json_put_string(stdout, run->name);
    printf(", \"data\": ");
    json_put_string(stdout, test->name);
    printf(", \"images\": %d,\n \"sha256\": \"%s\",\n \"classes\": [", test->count, t->digest.text);
    for (int i = 0; i < test->classes; i++) {
        printf("%s", i ? ", " : "");
        json_put_string(stdout, test->class_names[i]);
    }
    printf("],\n \"results\": [\n");
    for (int i = 0; i < count; i++) {
        Score score = score_altered(t, test, &list[i]);
        print_score_json(&score, name_of(&list[i]), test->classes);
        printf(i < count - 1 ? ",\n" : "]}\n");
        free(score.confusion);
    }
}

/* --- the command ----------------------------------------------------------------------------- */

static void print_score(const Run *run, const Trained *t, const Dataset *test,
                        const Alteration *alter)
{
    Score score = score_altered(t, test, alter);
    printf("%s, test set of %s%s%s, %d image%s: top-1 %.2f%%, top-5 %.2f%%, loss %.4f\n", run->name,
           test->name, *alter->name ? " altered by " : "", alter->name, score.count,
           score.count == 1 ? "" : "s", 100 * score.top1, 100 * score.top5, score.loss);
    if (score.undecided)
        printf("NaN among the logits of %d image%s: counted as wrong, without a name\n",
               score.undecided, score.undecided == 1 ? "" : "s");
    printf("sha256 of the weights: %s\n", t->digest.text);
    print_confusion(test, &score);
    free(score.confusion);
}

int cmd_evaluate(const Run *run)
{
    const Options *o = &run->options;
    Alteration list[1 + ALTER_STANDARD];
    int count = list_alterations(o, list);
    Origin origin = origin_read_trained(run);
    Dataset test = origin_data(&origin, TEST_SET, o->limit);
    Blueprint plan = blueprint_for_data(run, &origin, &test);
    Trained t = { .builder = blueprint_builder(&plan), .batch_size = o->batch_size };
    Net *net = t.builder.build(t.builder.context, 1);
    t.weights = origin_weights(&origin, &plan.shape, net);
    t.digest = weights_digest(t.weights);
    if (o->format == FORMAT_TSV)
        print_tsv(&t, &test, list, count);
    else if (o->format == FORMAT_JSON)
        print_json(run, &t, &test, list, count);
    else if (count > 1)
        print_table(run, &t, &test, list, count);
    else
        print_score(run, &t, &test, &list[0]);
    weights_free(t.weights);
    net_free(net);
    dataset_free(&test);
    origin_free(&origin);
    return 0;
}
