/* Data sets: drawn, read from files made here, held out, and what is said when one is not there. */
#include "base/memory.h"
#include "base/random.h"
#include "data/dataset.h"
#include "data/shapes.h"
#include "io/file.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- a folder of files ----------------------------------------------------------------------- */

static char folder[64];

static void folder_make(void)
{
    strcpy(folder, "/tmp/test_dataset_XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void folder_remove(void)
{
    char *command = str_format("rm -r -- '%s'", folder);
    cr_expect_eq(system(command), 0);
    free(command);
}

static void put(const char *file, const void *bytes, size_t size)
{
    char *path = str_format("%s/%s", folder, file);
    FILE *to = fopen(path, "wb");
    cr_assert_not_null(to);
    cr_assert_eq(fwrite(bytes, 1, size, to), size);
    cr_assert_eq(fclose(to), 0);
    free(path);
}

static void put_number(unsigned char *at, unsigned value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* Pixel j of image i is (7 i + j + salt) mod 256, label i is i mod 10. */
static void put_fashion(const char *prefix, unsigned count, unsigned labels, unsigned salt)
{
    size_t size = 16 + (size_t)count * 784;
    unsigned char *bytes = mem_alloc(size, 1);
    put_number(bytes, 0x803);
    put_number(bytes + 4, count);
    put_number(bytes + 8, 28);
    put_number(bytes + 12, 28);
    for (unsigned i = 0; i < count * 784; i++)
        bytes[16 + i] = (unsigned char)(7 * (i / 784) + i % 784 + salt);
    char *file = str_format("%s-images-idx3-ubyte", prefix);
    put(file, bytes, size);
    free(file);
    put_number(bytes, 0x801);
    put_number(bytes + 4, labels);
    for (unsigned i = 0; i < labels; i++)
        bytes[8 + i] = (unsigned char)(i % 10);
    file = str_format("%s-labels-idx1-ubyte", prefix);
    put(file, bytes, 8 + labels);
    free(file);
    free(bytes);
}

/* Byte j of image i is (5 i + j + salt) mod 256, label i is (i + salt) mod 10. */
static void put_cifar(const char *file, unsigned count, unsigned salt, size_t cut)
{
    unsigned char *bytes = mem_alloc(count, 3073);
    for (unsigned i = 0; i < count; i++) {
        bytes[i * 3073] = (unsigned char)((i + salt) % 10);
        for (unsigned j = 0; j < 3072; j++)
            bytes[i * 3073 + 1 + j] = (unsigned char)(5 * i + j + salt);
    }
    put(file, bytes, (size_t)count * 3073 - cut);
    free(bytes);
}

static void expect_error(const char *name, DatasetPart part, const char *first, const char *second)
{
    Dataset data;
    Error error = { "" };
    cr_assert(!dataset_open(name, &(DatasetWish){ 0 }, part, 0, &data, &error));
    cr_expect_not_null(strstr(error.text, first), "'%s' lacks '%s'", error.text, first);
    cr_expect_not_null(strstr(error.text, second), "'%s' lacks '%s'", error.text, second);
    cr_expect_null(data.pixels);
}

static Dataset open_set(const char *name, DatasetPart part, int limit)
{
    Dataset data;
    Error error = { "" };
    cr_assert(dataset_open(name, &(DatasetWish){ 0 }, part, limit, &data, &error), "%s",
              error.text);
    return data;
}

static void in_folder(const char *command)
{
    char *line = str_format("cd '%s' && %s", folder, command);
    cr_assert_eq(system(line), 0, "%s", line);
    free(line);
}

static void expect_pixel(const char *name, const char *variable, const char *where, size_t at,
                         int value)
{
    setenv(variable, where, 1);
    Dataset data = open_set(name, TRAINING_SET, 0);
    cr_expect_eq(data.pixels[at], value);
    dataset_free(&data);
}

/* --- shapes ---------------------------------------------------------------------------------- */

Test(shapes, every_ten_show_every_class_once)
{
    uint8_t pixels[784];
    for (uint32_t i = 0; i < 1000; i += 10) {
        int seen[SHAPES_CLASSES] = { 0 };
        for (uint32_t j = 0; j < 10; j++)
            seen[shapes_draw(0, i + j, pixels)]++;
        for (int c = 0; c < SHAPES_CLASSES; c++)
            cr_expect_eq(seen[c], 1);
    }
}

Test(shapes, an_image_depends_on_its_split_and_number_only)
{
    uint8_t first[784], again[784], other[784];
    for (uint32_t i = 0; i < 50; i++) {
        int class = shapes_draw(0, i, first);
        shapes_draw(1, i, other);
        cr_expect_neq(memcmp(first, other, 784), 0);
        shapes_draw(0, i + 1, other);
        cr_expect_neq(memcmp(first, other, 784), 0);
        cr_expect_eq(shapes_draw(0, i, again), class);
        cr_expect_eq(memcmp(first, again, 784), 0);
    }
}

Test(shapes, are_the_same_everywhere)
{
    uint8_t pixels[784];
    uint64_t hash = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < 400; i++) {
        hash = (hash ^ (uint64_t)shapes_draw(i % 2, i / 2, pixels)) * 0x100000001b3u;
        for (int j = 0; j < 784; j++)
            hash = (hash ^ pixels[j]) * 0x100000001b3u;
    }
    cr_expect_eq(hash, 0xa59ae70d5f5b5a4du, "0x%llx", (unsigned long long)hash);
}

Test(shapes, as_a_data_set)
{
    Dataset training = open_set("shapes", TRAINING_SET, 0), test = open_set("shapes", TEST_SET, 25);
    uint8_t pixels[784];
    cr_expect_eq(training.count, SHAPES_TRAINING);
    cr_expect_eq(training.classes, 10);
    cr_expect_eq(test.count, 25);
    for (uint32_t i = 0; i < 25; i++) {
        cr_expect_eq(test.labels[i], shapes_draw(1, i, pixels));
        cr_expect_eq(memcmp(test.pixels + i * 784, pixels, 784), 0);
    }
    double sum = 0, squares = 0, n = (double)training.count * 784;
    for (size_t i = 0; i < (size_t)training.count * 784; i++) {
        double value = training.pixels[i] / 255.0;
        sum += value;
        squares += value * value;
    }
    cr_expect_float_eq(training.mean[0], sum / n, 1e-6);
    cr_expect_float_eq(training.std[0], sqrt(squares / n - sum / n * (sum / n)), 1e-6);
    cr_expect_eq(test.mean[0], training.mean[0]);
    cr_expect_eq(test.std[0], training.std[0]);
    dataset_free(&training);
    dataset_free(&test);
}

/* --- Fashion-MNIST --------------------------------------------------------------------------- */

Test(fashion, files_are_read_plain_and_packed, .init = folder_make, .fini = folder_remove)
{
    put_fashion("train", 30, 30, 0);
    put_fashion("t10k", 12, 12, 3);
    setenv("FASHION_MNIST", folder, 1);
    for (int packed = 0; packed < 2; packed++) {
        Dataset training = open_set("fashion-mnist", TRAINING_SET, 20);
        Dataset test = open_set("fashion-mnist", TEST_SET, 0);
        cr_expect_eq(training.count, 20);
        cr_expect_eq(test.count, 12);
        cr_expect_eq(training.pixels[3 * 784 + 5], 26);
        cr_expect_eq(test.pixels[3 * 784 + 5], 29);
        cr_expect_eq(test.labels[11], 1);
        cr_expect_eq(test.mean[0], training.mean[0]);
        dataset_free(&training);
        dataset_free(&test);
        char *command = str_format("gzip '%s'/t*", folder);
        if (!packed)
            cr_assert_eq(system(command), 0);
        free(command);
    }
}

Test(fashion, what_is_wrong_is_told, .init = folder_make, .fini = folder_remove)
{
    char *missing = str_format("%s/nowhere", folder), *path;
    setenv("FASHION_MNIST", missing, 1);
    expect_error("fashion-mnist", TRAINING_SET, missing,
                 "$FASHION_MNIST names it as the folder: No such file or directory");
    setenv("FASHION_MNIST", folder, 1);
    expect_error("fashion-mnist", TRAINING_SET, folder,
                 "train-images-idx3-ubyte[.gz] is neither in it nor in FashionMNIST/raw or "
                 "fashion-mnist below it; it is empty. On Debian");
    in_folder("touch e a b d c .hidden");
    expect_error("fashion-mnist", TRAINING_SET, "; it holds a, b, c, d and 1 more. ",
                 "https://github.com/zalandoresearch/fashion-mnist");
    in_folder("touch fashion-mnist_train.csv");
    expect_error("fashion-mnist", TRAINING_SET, "fashion-mnist_train.csv is there: that is a table",
                 "IDX");
    put_fashion("train", 5, 5, 0);
    in_folder("rm train-labels*");
    expect_error("fashion-mnist", TRAINING_SET, folder, "train-labels-idx1-ubyte is missing");
    put_fashion("train", 5, 4, 0);
    expect_error("fashion-mnist", TRAINING_SET, "5 images", "4 labels");
    put_fashion("train", 4, 5, 0);
    expect_error("fashion-mnist", TRAINING_SET, "4 images", "5 labels");
    put_fashion("train", 5, 4, 0);
    put_fashion("t10k", 5, 5, 0);
    expect_error("fashion-mnist", TEST_SET, "5 images", "4 labels");
    path = str_format("%s/train-images-idx3-ubyte", folder);
    cr_assert_eq(truncate(path, 1000), 0);
    expect_error("fashion-mnist", TRAINING_SET, path, "cut short");
    free(path);
    put_fashion("train", 5, 5, 0);
    path = str_format("%s/train-labels-idx1-ubyte", folder);
    FILE *labels = fopen(path, "r+b");
    cr_assert_not_null(labels);
    fseek(labels, 10, SEEK_SET);
    fputc(10, labels);
    fclose(labels);
    expect_error("fashion-mnist", TRAINING_SET, "image 2", "label 10");
    free(path);
    free(missing);
}

/* Names as 7-Zip and mirrors write them, a packed file without its ending and a plain one with it,
 * and the folder that torchvision makes. */
Test(fashion, files_of_other_names, .init = folder_make, .fini = folder_remove)
{
    put_fashion("train", 30, 30, 0);
    expect_pixel("fashion-mnist", "FASHION_MNIST", folder, 3 * 784 + 5, 26);
    in_folder("mv train-images-idx3-ubyte train-images.idx3-ubyte");
    expect_pixel("fashion-mnist", "FASHION_MNIST", folder, 3 * 784 + 5, 26);
    in_folder("gzip train-images.idx3-ubyte");
    expect_pixel("fashion-mnist", "FASHION_MNIST", folder, 3 * 784 + 5, 26);
    in_folder("mv train-images.idx3-ubyte.gz train-images-idx3-ubyte");
    in_folder("mv train-labels-idx1-ubyte train-labels-idx1-ubyte.gz");
    expect_pixel("fashion-mnist", "FASHION_MNIST", folder, 3 * 784 + 5, 26);
    in_folder("mkdir -p FashionMNIST/raw && mv train* FashionMNIST/raw");
    expect_pixel("fashion-mnist", "FASHION_MNIST", folder, 3 * 784 + 5, 26);
    in_folder("mkdir -p data/fashion-mnist && mv FashionMNIST/raw/* data/fashion-mnist");
    cr_assert_eq(chdir(folder), 0);
    expect_pixel("fashion-mnist", "FASHION_MNIST", "", 3 * 784 + 5, 26);
}

Test(fashion, the_installed_one)
{
    Dataset data;
    Error error;
    unsetenv("FASHION_MNIST");
    if (!dataset_open("fashion-mnist", &(DatasetWish){ 0 }, TRAINING_SET, 0, &data, &error)) {
        cr_expect_not_null(strstr(error.text, "apt-get install dataset-fashion-mnist"));
        cr_skip_test("Fashion-MNIST is not installed");
    }
    int seen[10] = { 0 };
    for (int i = 0; i < data.count; i++)
        seen[data.labels[i]]++;
    for (int c = 0; c < 10; c++)
        cr_expect_eq(seen[c], 6000);
    cr_expect_float_eq(data.mean[0], 0.2860406, 1e-6);
    cr_expect_float_eq(data.std[0], 0.3530242, 1e-6);
    dataset_free(&data);
}

/* --- CIFAR-10 -------------------------------------------------------------------------------- */

Test(cifar, files_are_read_one_behind_the_other, .init = folder_make, .fini = folder_remove)
{
    setenv("CIFAR10", folder, 1);
    for (unsigned i = 1; i <= 5; i++) {
        char *file = str_format("data_batch_%u.bin", i);
        put_cifar(file, 3, 10 * i, 0);
        free(file);
    }
    put_cifar("test_batch.bin", 2, 1, 0);
    Dataset training = open_set("cifar10", TRAINING_SET, 0);
    Dataset test = open_set("cifar10", TEST_SET, 0);
    cr_expect_eq(training.count, 15);
    cr_expect_eq(training.channels, 3);
    cr_expect_eq(training.labels[3 * 4 + 2], 2);
    cr_expect_eq(training.pixels[(3 * 4 + 2) * 3072 + 17], 5 * 2 + 17 + 50);
    cr_expect_eq(test.count, 2);
    for (int c = 0; c < 3; c++)
        cr_expect_eq(test.std[c], training.std[c]);
    dataset_free(&training);
    dataset_free(&test);
    put_cifar("data_batch_4.bin", 3, 0, 1);
    expect_error("cifar10", TRAINING_SET, "data_batch_4.bin", "3073");
}

Test(cifar, files_below_and_packed, .init = folder_make, .fini = folder_remove)
{
    for (unsigned i = 1; i <= 5; i++) {
        char *file = str_format("data_batch_%u.bin", i);
        put_cifar(file, 3, 10 * i, 0);
        free(file);
    }
    in_folder("gzip data_batch_[13].bin && mv data_batch_3.bin.gz data_batch_3.bin && "
              "mkdir cifar-10-batches-bin && mv data* cifar-10-batches-bin");
    expect_pixel("cifar10", "CIFAR10", folder, (3 * 4 + 2) * 3072 + 17, 5 * 2 + 17 + 50);
    in_folder("mkdir data && mv cifar-10-batches-bin data");
    cr_assert_eq(chdir(folder), 0);
    expect_pixel("cifar10", "CIFAR10", "", (3 * 2 + 2) * 3072 + 17, 5 * 2 + 17 + 30);
    in_folder("rm data/*/data_batch_3.bin");
    expect_error("cifar10", TRAINING_SET, "data/cifar-10-batches-bin/data_batch_3.bin: cannot open",
                 "No such file");
}

Test(cifar, a_missing_one_says_how_to_get_it, .init = folder_make, .fini = folder_remove)
{
    cr_assert_eq(chdir(folder), 0);
    unsetenv("CIFAR10");
    expect_error("cifar10", TRAINING_SET,
                 "not in data/cifar-10-batches-bin, and $CIFAR10 names no other folder. Get",
                 "cifar-10-binary.tar.gz, from https://www.cs.toronto.edu/~kriz/cifar.html");
    in_folder("mkdir -p data/cifar-10-batches-py");
    expect_error("cifar10", TRAINING_SET, "not in data/cifar-10-batches-bin",
                 "data/cifar-10-batches-py is there: that is the Python version; the binary one is "
                 "wanted. Get");
    setenv("CIFAR10", "elsewhere", 1);
    expect_error("cifar10", TRAINING_SET,
                 "elsewhere: $CIFAR10 names it as the folder: No such file",
                 "https://www.cs.toronto.edu");
    in_folder("mkdir elsewhere && touch elsewhere/train.bin elsewhere/test.bin");
    expect_error("cifar10", TRAINING_SET, "elsewhere: $CIFAR10 names it, but data_batch_1.bin is",
                 "elsewhere/train.bin is there: that is CIFAR-100");
    in_folder("touch elsewhere/data_batch_1");
    expect_error("cifar10", TRAINING_SET, "elsewhere/data_batch_1 is there",
                 "that is the Python version; the binary one is wanted");
    setenv("CIFAR10", "elsewhere/train.bin", 1);
    expect_error("cifar10", TRAINING_SET, "elsewhere/train.bin", "Not a directory");
}

/* Record i of CIFAR-100: group i, label 10 i + 3, bytes 5 i + j. */
static void put_cifar100(const char *file, unsigned count)
{
    enum { RECORD = 3074 };
    unsigned char *bytes = mem_alloc(count, RECORD);
    for (unsigned i = 0; i < count; i++) {
        unsigned char *at = bytes + (size_t)i * RECORD;
        at[0] = (unsigned char)i;
        at[1] = (unsigned char)(10 * i + 3);
        for (unsigned j = 0; j < 3072; j++)
            at[2 + j] = (unsigned char)(5 * i + j);
    }
    put(file, bytes, (size_t)count * RECORD);
    free(bytes);
}

Test(cifar, a_hundred_classes, .init = folder_make, .fini = folder_remove)
{
    put_cifar100("train.bin", 4);
    put_cifar100("test.bin", 2);
    in_folder("gzip test.bin && mkdir cifar-100-binary && mv *.bin *.gz cifar-100-binary");
    setenv("CIFAR100", folder, 1);
    Dataset training = open_set("cifar100", TRAINING_SET, 0);
    Dataset test = open_set("cifar100", TEST_SET, 0);
    cr_expect(training.count == 4 && training.classes == 100 && test.count == 2);
    cr_expect_eq(training.labels[3], 33);
    cr_expect_str_eq(training.class_names[33], "forest");
    cr_expect_eq(training.pixels[3 * 3072 + 17], 5 * 3 + 17);
    cr_expect_eq(test.mean[2], training.mean[2]);
    dataset_free(&training);
    dataset_free(&test);
    setenv("CIFAR10", "cifar-100-binary", 1);
    cr_assert_eq(chdir(folder), 0);
    expect_error("cifar10", TRAINING_SET, "train.bin is there: that is CIFAR-100", "cifar100");
    unsetenv("CIFAR100");
    expect_error("cifar100", TRAINING_SET, "not in data/cifar-100-binary",
                 "cifar-100-binary.tar.gz, from https://www.cs.toronto.edu");
    in_folder("truncate -s 3073 cifar-100-binary/train.bin");
    setenv("CIFAR100", ".", 1);
    expect_error("cifar100", TRAINING_SET, "cifar-100-binary/train.bin: 3073 bytes",
                 "but of CIFAR-10's, a byte shorter");
}

Test(dataset, wrong_calls)
{
    expect_error("mnist", TRAINING_SET, "mnist",
                 "fashion-mnist, cifar10, cifar100, shapes and folder:PATH");
}

/* --- held out -------------------------------------------------------------------------------- */

Test(split, holds_out_a_tenth_and_loses_nothing)
{
    static const int counts[] = { 1, 9, 10, 257, 6000 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        Dataset data = { .count = counts[i] };
        DatasetSplit split = dataset_split(&data), again = dataset_split(&data);
        int *seen = mem_alloc((size_t)counts[i], sizeof *seen);
        cr_expect_eq(split.held_out_count, counts[i] / 10);
        cr_expect_eq(split.held_out_count + split.training_count, counts[i]);
        for (int j = 0; j < split.training_count; j++)
            seen[split.training[j]]++;
        for (int j = 0; j < split.held_out_count; j++) {
            cr_expect_eq(split.held_out[j], again.held_out[j]);
            seen[split.held_out[j]]++;
        }
        for (int j = 0; j < counts[i]; j++)
            cr_expect_eq(seen[j], 1);
        free(seen);
        dataset_split_free(&split);
        dataset_split_free(&again);
    }
}
