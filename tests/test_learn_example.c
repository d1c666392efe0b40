/* docs/examples/learn.c: it learns, by the same numbers as the commands, and a reader who wants to
 * know how needs no more than 1,500 lines. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* For its images and its sizes; the program is built without this file. */
#define step_main learn_main
#include "../docs/examples/learn.c"

/* --- what it prints -------------------------------------------------------------------------- */

/* Runs it; returns how many new images it recognises at the end. */
static int learned(const char *arguments, double losses[STEPS])
{
    Result r = run("'%s/learn/05_large_kernel' %s", build_folder(), arguments);
    cr_assert_eq(r.status, 0, "%s", r.err);
    char *text = r.out;
    for (int t = 0, step; t < STEPS; t++) {
        const char *line = next_line(&text);
        cr_assert(line && sscanf(line, "step %d: loss %lf", &step, &losses[t]) == 2 &&
                  step == t + 1);
    }
    int known, all;
    cr_assert_eq(sscanf(text, "%d of %d new images", &known, &all), 2, "%s", text);
    cr_assert_eq(all, BATCH);
    result_free(&r);
    return known;
}

Test(learn_example, learns)
{
    double losses[STEPS];
    int known = learned("", losses);
    cr_expect_float_eq(losses[0], log(CLASSES), 0.4, "it begins with %g", losses[0]);
    cr_expect(losses[STEPS - 1] < 0.2, "it ends with %g", losses[STEPS - 1]);
    cr_expect(known > BATCH * 3 / 4, "%d of %d", known, BATCH);
}

/* --- against the library ---------------------------------------------------------------------- */

/* AdamW hardly notices when all gradients are too large by the same factor. */
Test(learn_example, loss_is_cross_entropy_loss)
{
    float logits[BATCH][CLASSES], ours[BATCH][CLASSES], theirs[BATCH][CLASSES];
    int labels[BATCH];
    for (int i = 0; i < BATCH; i++) {
        labels[i] = i % CLASSES;
        for (int k = 0; k < CLASSES; k++)
            logits[i][k] = 3 * (float)random_normal((Random){ 1, (uint64_t)i }, (uint64_t)k);
    }
    cr_expect_float_eq(
        cross_entropy(logits, labels, ours),
        cross_entropy_loss(*logits, BATCH, CLASSES, (Targets){ .a = labels }, 0, *theirs), 1e-12);
    for (int i = 0; i < BATCH; i++)
        for (int k = 0; k < CLASSES; k++)
            cr_expect_float_eq((double)ours[i][k], (double)theirs[i][k], 1e-8);
}

static void write_batch(const char *path)
{
    static float images[BATCH][SIDE][SIDE];
    int labels[BATCH];
    Entry *entries = NULL;
    size_t count = 0;
    int64_t wide[BATCH];
    Error error;
    draw(0, images, labels);
    for (int i = 0; i < BATCH; i++)
        wide[i] = labels[i];
    entries_add(&entries, &count, "x", "F32", 4, (size_t[]){ BATCH, 1, SIDE, SIDE }, images,
                sizeof images);
    entries_add(&entries, &count, "labels", "I64", 1, (size_t[]){ BATCH }, wide, sizeof wide);
    cr_assert(safetensors_write(path, entries, count, NULL, 0, &error), "%s", error.text);
    entries_free(entries, count);
}

/* On one batch it computes what `fit` does from the same weights. */
Test(learn_example, is_fit_on_one_batch)
{
    char *folder = folder_new(), *batch = str_format("%s/batch", folder);
    double losses[STEPS];
    write_batch(batch);
    run_well("'%s/05_large_kernel' init --stem 8 --widths 8,16,32,64 --depths 1,1,1,1 --classes %d "
             "--input 1x%dx%d --seed 1 --output '%s/weights'",
             build_folder(), CLASSES, SIDE, SIDE, folder);
    run_well("'%s/05_large_kernel' fit --engine plain --weights '%s/weights' --batch '%s' "
             "--steps %d --lr 4e-3 --weight-decay 0.05 --output '%s/fitted'",
             build_folder(), folder, batch, STEPS, folder);
    Safetensors fitted = tensors_in("%s/fitted", folder);
    size_t count;
    float *wanted = floats_in(&fitted, "losses", &count);
    cr_assert_eq(count, (size_t)STEPS);
    learned("same", losses);
    for (int t = 0; t < STEPS; t++)
        cr_expect_float_eq(losses[t], (double)wanted[t], 1e-5, "step %d: %g, not %g", t + 1,
                           losses[t], (double)wanted[t]);
    safetensors_free(&fitted);
    free(wanted);
    free(batch);
    folder_remove(folder);
}

/* --- what one has to read -------------------------------------------------------------------- */

/* Links the example and a step with what they need of the library, as functions that the linker can
 * leave out one by one; lists where those that it kept begin, "path:line". No function is inlined,
 * and that nothing is missing shows that none of the rest of the library is needed. */
static Result functions_of(const char *folder, const char *step)
{
    return run("cd '%s' && ${CC:-cc} -std=gnu11 -O0 -g -ffunction-sections -Wl,--gc-sections "
               "-pthread -I\"$OLDPWD/common\" -o %s *.o "
               "\"$OLDPWD/steps/%s/main.c\" -lm && $(${CC:-cc} -print-prog-name=nm) -l %s | "
               "grep ' [tT] ' | cut -s -f 2 | grep -F \"$OLDPWD/\" | sort -u",
               folder, step, step, step);
}

/* How many lines a function has, from its name to the brace that ends it: comments within it are
 * counted, the one before it is not. */
static int lines_of_function(const char *path, int first)
{
    char *text = contents("%s", path), *at = text;
    int number = 1;
    for (const char *line; (line = next_line(&at)); number++)
        if (number >= first && *line == '}')
            break;
    free(text);
    return number - first + 1;
}

static int lines_of_functions(char *places)
{
    int sum = 0;
    for (char *place; (place = next_line(&places));) {
        char *colon = strrchr(place, ':');
        cr_assert(colon, "%s", place);
        *colon = 0;
        sum += lines_of_function(place, atoi(colon + 1));
    }
    return sum;
}

/* The pages say how many lines it is for step 05, in hundreds. */
static void expect_figure(const char *page, const char *before, int lines)
{
    char *text = contents("%s", page);
    char *figure = str_format("%s%d,%d00 ", before, (lines + 50) / 1000, (lines + 50) / 100 % 10);
    cr_expect(strstr(text, figure), "%s does not say '%s'", page, figure);
    free(figure);
    free(text);
}

Test(learn_example, is_read_in_1500_lines)
{
#ifdef __APPLE__
    cr_skip_test("Apple's linker does not say which functions it kept");
#endif
    char *folder = folder_new();
    run_well("cd '%s' && ${CC:-cc} -std=gnu11 -O0 -g -ffunction-sections -pthread "
             "-I\"$OLDPWD/common\" -c \"$OLDPWD\"/common/base/*.c \"$OLDPWD\"/common/graph/*.c "
             "\"$OLDPWD\"/common/ops/*.c \"$OLDPWD/common/engine/plain.c\" "
             "\"$OLDPWD/docs/examples/learn.c\"",
             folder);
    for (size_t i = 0; i < RUNGS; i++) {
        Result r = functions_of(folder, step_name(i));
        cr_assert_eq(r.status, 0, "%s", r.err);
        if (!*r.out)
            cr_skip_test("nm does not say where functions are");
        int lines = lines_of_functions(r.out);
        cr_expect(lines > 1000 && lines <= 1500, "%s: %d lines", step_name(i), lines);
        if (strcmp(step_name(i), "05_large_kernel") == 0) {
            expect_figure("docs/how_it_works.md", "bout ", lines);
            expect_figure("docs/zh/how_it_works.md", "约 ", lines);
        }
        result_free(&r);
    }
    folder_remove(folder);
}
