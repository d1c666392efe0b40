/* field: what a network looks at, against what can be known without running it. */
#include "io/safetensors.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The gradients that field wrote, each in its place; -1 where it wrote none. */
enum { SIDE = 64 };

static void read_field(const char *path, double gradient[SIDE][SIDE])
{
    for (int i = 0; i < SIDE * SIDE; i++)
        gradient[i / SIDE][i % SIDE] = -1;
    char *text = contents("%s", path), *at = text;
    cr_assert_str_eq(next_line(&at), "y\tx\tgradient");
    for (char *line; (line = next_line(&at));) {
        char *part[3];
        cr_assert_eq(split(line, part, 3), 3);
        int y = atoi(part[0]), x = atoi(part[1]);
        cr_assert(y >= 0 && y < SIDE && x >= 0 && x < SIDE);
        gradient[y][x] = atof(part[2]);
    }
    free(text);
}

/* One block behind a 4x4 stem sees the patch in the middle and `reach` patches on each side of it:
 * exactly those pixels may move it, and over some images all of them do. */
static void expect_square(const char *step, int reach)
{
    char *folder = folder_new(), path[256];
    const char *network = "--preset small --depths 1,1,1,1";
    run_well("%s/%s init %s --seed 3 --output %s/w", build_folder(), step, network, folder);
    run_well("%s/%s field %s --weights %s/w --data shapes --limit 20 --stage 1 --output %s/f",
             build_folder(), step, network, folder, folder);
    snprintf(path, sizeof path, "%s/f", folder);
    double gradient[SIDE][SIDE];
    read_field(path, gradient);
    int first = 4 * (8 - reach), end = 4 * (9 + reach);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            bool inside = y >= first && y < end && x >= first && x < end;
            cr_expect(inside ? gradient[y][x] > 0 : gradient[y][x] == 0, "%s: %d,%d has %g", step,
                      y, x, gradient[y][x]);
        }
    folder_remove(folder);
}

Test(field, is_the_receptive_field_of_a_3x3_and_of_a_7x7_convolution)
{
    expect_square("02_patchify_stem", 1);
    expect_square("05_large_kernel", 3);
}

Test(field, writes_nothing_when_it_cannot)
{
    char *folder = folder_new();
    Result r = run("%s/05_large_kernel field --weights %s/none --data shapes --output %s/f",
                   build_folder(), folder, folder);
    cr_expect_eq(r.status, 1);
    cr_expect(strstr(r.err, "/none"), "%s", r.err);
    result_free(&r);
    r = run("test ! -e %s/f", folder);
    cr_expect_eq(r.status, 0);
    result_free(&r);
    r = run("%s/05_large_kernel field --weights w --data shapes --output f --stage 5",
            build_folder());
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "--stage"), "%s", r.err);
    result_free(&r);
    folder_remove(folder);
}

/* A pixel of step 00's first stage sees ten pixels of the image from the edge on: three of the
 * block, of the pool behind the stem, and of the stem's 7x7 convolution. */
Test(field, is_that_of_a_pixel_of_an_image)
{
    char *folder = folder_new(), path[256];
    double gradient[SIDE][SIDE];
    run_well(
        "awk 'BEGIN { print \"P2 28 28 255\"; for (i = 0; i < 784; i++) print i * 37 %% 256 }' "
        "> %s/image.pgm",
        folder);
    snprintf(path, sizeof path, "%s/f", folder);
    for (int corner = 0; corner < 2; corner++) {
        Result r = run("%s/00_resnet field %s/image.pgm --weights results/weights/"
                       "00_resnet.safetensors --stage 1 --at %d,%d --output %s/f",
                       build_folder(), folder, 15 * corner, 15 * corner, folder);
        cr_assert_eq(r.status, 0, "%s", r.err);
        cr_expect(
            strstr(r.out, corner ? "its pixel 15,15; mean over 1 image\n" : "its pixel 0,0;"));
        result_free(&r);
        read_field(path, gradient);
        double most = 0;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                bool inside = corner ? y >= 51 && x >= 51 : y <= 9 && x <= 9;
                cr_expect(inside || gradient[y][x] == 0, "%d,%d has %g", y, x, gradient[y][x]);
                most = fmax(most, gradient[y][x]);
            }
        cr_expect(most > 0);
    }
    expect_line(
        run("%s/00_resnet field %s/image.pgm --weights results/weights/00_resnet.safetensors "
            "--stage 1 --at 16,0 --output %s/g",
            build_folder(), folder, folder),
        2, "--at|16,0|16x16", "a pixel outside");
    expect_line(run("%s/00_resnet field %s/image.pgm --data shapes --weights results/weights/"
                    "00_resnet.safetensors --output %s/g",
                    build_folder(), folder, folder),
                2, "--data|image.pgm", "an image and a set");
    folder_remove(folder);
}
