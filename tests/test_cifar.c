/* Binary files of CIFAR-10 and CIFAR-100. */
#include "base/memory.h"
#include "io/cifar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD = 3073 };

/* `count` images labelled 9, 8, …, whose bytes are their record's number plus their place. */
static uint8_t *records(size_t count)
{
    uint8_t *bytes = malloc(count * RECORD + 1);
    for (size_t i = 0; i < count; i++) {
        bytes[i * RECORD] = (uint8_t)(9 - i);
        for (size_t j = 0; j < CIFAR_IMAGE; j++)
            bytes[i * RECORD + 1 + j] = (uint8_t)(i + j);
    }
    return bytes;
}

static void expect_set(const Cifar *set, size_t count)
{
    cr_assert_eq(set->count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(set->labels[i], 9 - i);
        for (size_t j = 0; j < CIFAR_IMAGE; j++)
            cr_assert_eq(set->images[i * CIFAR_IMAGE + j], (uint8_t)(i + j));
    }
}

static void refused(CifarKind kind, const uint8_t *bytes, size_t size, const char *reason)
{
    Cifar set;
    Error error = { "" };
    cr_assert_not(cifar_parse("file", kind, bytes, size, &set, &error));
    cr_expect(strstr(error.text, reason), "%s, not %s", error.text, reason);
    cr_expect(strncmp(error.text, "file: ", 6) == 0, "no file name: %s", error.text);
    cr_expect(!set.labels && !set.images);
}

Test(cifar_file, parses)
{
    Cifar set;
    Error error = { "" };
    uint8_t *bytes = records(3);
    cr_assert(cifar_parse("file", CIFAR10, bytes, 3 * RECORD, &set, &error), "%s", error.text);
    expect_set(&set, 3);
    cifar_free(&set);
    free(bytes);
}

Test(cifar_file, refuses)
{
    uint8_t *bytes = records(2);
    refused(CIFAR10, bytes, 0, "is empty");
    refused(CIFAR10, bytes, 1, "1 byte is not a whole number of CIFAR-10's records");
    refused(CIFAR10, bytes, RECORD - 1, "not a whole number");
    refused(CIFAR10, bytes, 2 * RECORD - 1, "not a whole number");
    refused(CIFAR10, bytes, RECORD + 2,
            "3075 bytes are not a whole number of CIFAR-10's records of 3073");
    refused(CIFAR10, bytes, RECORD + 1, "but of CIFAR-100's, a byte longer");
    refused(CIFAR10,
            (const uint8_t *)"\x80\x04\x95"
                             "data",
            7, "is a Python pickle");
    bytes[RECORD] = 10; /* CIFAR-100's files have labels above 9 */
    refused(CIFAR10, bytes, 2 * RECORD, "image 1 has the label 10, above 9");
    bytes[0] = 255;
    refused(CIFAR10, bytes, 2 * RECORD, "image 0 has the label 255, above 9");
    free(bytes);
}

Test(cifar_file, files)
{
    char directory[256];
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/cifar10.XXXXXX", base && *base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    char *path = str_format("%s/data_batch_1.bin", directory);
    Cifar set;
    Error error = { "" };
    cr_expect_not(cifar_read(path, CIFAR10, &set, &error));
    cr_expect(strstr(error.text, "data_batch_1.bin: cannot open it: No such file"), "%s",
              error.text);
    uint8_t *bytes = records(2);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, RECORD, 2, f), 2);
    cr_assert_eq(fclose(f), 0);
    cr_assert(cifar_read(path, CIFAR10, &set, &error), "%s", error.text);
    expect_set(&set, 2);
    cifar_free(&set);
    free(bytes);
    unlink(path);
    free(path);
    cr_expect_eq(rmdir(directory), 0);
}

/* A group, a label, an image; CIFAR-10's labels are the groups' place. */
Test(cifar_file, of_a_hundred_classes)
{
    enum { LONG = RECORD + 1 };
    static uint8_t bytes[2 * LONG];
    Cifar set;
    Error error = { "" };
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251);
    memcpy(bytes, (uint8_t[]){ 19, 99 }, 2);
    memcpy(bytes + LONG, (uint8_t[]){ 3, 42 }, 2);
    cr_assert(cifar_parse("file", CIFAR100, bytes, sizeof bytes, &set, &error), "%s", error.text);
    cr_assert_eq(set.count, 2);
    cr_expect(set.labels[0] == 99 && set.labels[1] == 42);
    for (size_t i = 0; i < 2; i++)
        cr_expect_arr_eq(set.images + i * CIFAR_IMAGE, bytes + i * LONG + 2, CIFAR_IMAGE);
    cifar_free(&set);
    bytes[LONG + 1] = 100;
    refused(CIFAR100, bytes, sizeof bytes, "image 1 has the label 100, above 99");
    bytes[0] = 20;
    refused(CIFAR100, bytes, sizeof bytes, "image 0 has the group 20, above 19");
    refused(CIFAR100, bytes, RECORD,
            "3073 bytes are not a whole number of CIFAR-100's records of 3074, but of CIFAR-10's, "
            "a byte shorter");
    refused(CIFAR100, bytes, LONG - 2, "3072 bytes are not a whole number");
}
