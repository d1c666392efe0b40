/* CIFAR-10's binary files. */
#include "base/memory.h"
#include "io/cifar10.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `count` images labelled 9, 8, …, whose bytes are their record's number plus their place. */
static uint8_t *records(size_t count)
{
    uint8_t *bytes = malloc(count * CIFAR10_RECORD + 1);
    for (size_t i = 0; i < count; i++) {
        bytes[i * CIFAR10_RECORD] = (uint8_t)(9 - i);
        for (size_t j = 0; j < CIFAR10_IMAGE; j++)
            bytes[i * CIFAR10_RECORD + 1 + j] = (uint8_t)(i + j);
    }
    return bytes;
}

static void expect_set(const Cifar10 *set, size_t count)
{
    cr_assert_eq(set->count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(set->labels[i], 9 - i);
        for (size_t j = 0; j < CIFAR10_IMAGE; j++)
            cr_assert_eq(set->images[i * CIFAR10_IMAGE + j], (uint8_t)(i + j));
    }
}

static void refused(const uint8_t *bytes, size_t size, const char *reason)
{
    Cifar10 set;
    Error error = { "" };
    cr_assert_not(cifar10_parse("file", bytes, size, &set, &error));
    cr_expect(strstr(error.text, reason), "%s, not %s", error.text, reason);
    cr_expect(strncmp(error.text, "file: ", 6) == 0, "no file name: %s", error.text);
    cr_expect(!set.labels && !set.images);
}

Test(cifar10, record_size)
{
    cr_expect_eq((int)CIFAR10_RECORD, 3073);
}

Test(cifar10, parses)
{
    Cifar10 set;
    Error error = { "" };
    uint8_t *bytes = records(3);
    cr_assert(cifar10_parse("file", bytes, 3 * CIFAR10_RECORD, &set, &error), "%s", error.text);
    expect_set(&set, 3);
    cifar10_free(&set);
    free(bytes);
}

Test(cifar10, refuses)
{
    uint8_t *bytes = records(2);
    refused(bytes, 0, "is empty");
    refused(bytes, 1, "1 byte is not a whole number of CIFAR-10's records");
    refused(bytes, CIFAR10_RECORD - 1, "not a whole number");
    refused(bytes, 2 * CIFAR10_RECORD - 1, "not a whole number");
    refused(bytes, CIFAR10_RECORD + 2,
            "3075 bytes are not a whole number of CIFAR-10's records of 3073");
    refused(bytes, CIFAR10_RECORD + 1, "but of CIFAR-100's, a byte longer");
    refused((const uint8_t *)"\x80\x04\x95"
                             "data",
            7, "is a Python pickle");
    bytes[CIFAR10_RECORD] = 10; /* CIFAR-100's files have labels above 9 */
    refused(bytes, 2 * CIFAR10_RECORD, "image 1 has the label 10, above 9");
    bytes[0] = 255;
    refused(bytes, 2 * CIFAR10_RECORD, "image 0 has the label 255, above 9");
    free(bytes);
}

Test(cifar10, files)
{
    char directory[256];
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/cifar10.XXXXXX", base && *base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    char *path = str_format("%s/data_batch_1.bin", directory);
    Cifar10 set;
    Error error = { "" };
    cr_expect_not(cifar10_read(path, &set, &error));
    cr_expect(strstr(error.text, "data_batch_1.bin: cannot open it: No such file"), "%s",
              error.text);
    uint8_t *bytes = records(2);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, CIFAR10_RECORD, 2, f), 2);
    cr_assert_eq(fclose(f), 0);
    cr_assert(cifar10_read(path, &set, &error), "%s", error.text);
    expect_set(&set, 2);
    cifar10_free(&set);
    free(bytes);
    unlink(path);
    free(path);
    cr_expect_eq(rmdir(directory), 0);
}
