/* IDX files, plain and packed by gzip. */
#include "base/memory.h"
#include "io/idx.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 255 };
static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, /* 2x1x3 */
                                  1, 2, 3, 4, 5, 6 };

static void refused(const uint8_t *bytes, size_t size, int rank, const char *reason)
{
    Idx idx;
    Error error = { "" };
    uint8_t *copy = malloc(size + 1); /* of its own, so that reading past the end is seen */
    memcpy(copy + 1, bytes, size);
    cr_assert_not(idx_parse("file", copy + 1, size, rank, &idx, &error));
    cr_expect_null(idx.items);
    cr_expect(strstr(error.text, reason), "%s, not %s", error.text, reason);
    cr_expect(strncmp(error.text, "file: ", 6) == 0, "no file name: %s", error.text);
    free(copy);
}

Test(idx, labels)
{
    Idx idx;
    Error error = { "" };
    cr_assert(idx_parse("file", labels, sizeof labels, 1, &idx, &error), "%s", error.text);
    cr_expect(idx.rank == 1 && idx.count == 3 && idx.rows == 1 && idx.columns == 1);
    cr_expect_eq(memcmp(idx.items, labels + 8, 3), 0);
    idx_free(&idx);
}

Test(idx, images)
{
    Idx idx;
    Error error = { "" };
    cr_assert(idx_parse("file", images, sizeof images, 3, &idx, &error), "%s", error.text);
    cr_expect(idx.rank == 3 && idx.count == 2 && idx.rows == 1 && idx.columns == 3);
    cr_expect_eq(memcmp(idx.items, images + 16, 6), 0);
    idx_free(&idx);
}

Test(idx, refuses_other_magic)
{
    refused(labels, 0, 1, "is empty");
    refused(labels, 3, 1, "3 bytes, too short");
    refused(labels, sizeof labels, 3, "0x00000801, not 0x00000803 (IDX, images)");
    refused(images, sizeof images, 1, "0x00000803, not 0x00000801 (IDX, labels)");
    static const char page[] = "<!DOCTYPE html>\n",
                      pointer[] = "version https://git-lfs.github.com/";
    refused((const uint8_t *)page, sizeof page, 1, "is a web page, not the file");
    refused((const uint8_t *)pointer, sizeof pointer, 1, "is Git LFS's pointer to the file");
    for (int i = 0; i < 4; i++) {
        uint8_t other[sizeof labels];
        memcpy(other, labels, sizeof other);
        other[i] ^= 4; /* the third byte: another type than unsigned bytes */
        refused(other, sizeof other, 1, "the magic number is");
    }
}

Test(idx, refuses_other_sizes)
{
    refused(labels, 4, 1, "the file ends within the sizes");
    refused(labels, 7, 1, "the file ends within the sizes");
    refused(images, 15, 3, "the file ends within the sizes");
    refused(labels, 8, 1, "cut short: 3x1x1 bytes are needed, there are 0");
    refused(labels, sizeof labels - 1, 1, "3x1x1 bytes are needed, there are 2");
    refused(images, sizeof images - 1, 3, "cut short: 2x1x3 bytes are needed, there are 5");
    uint8_t longer[sizeof labels + 1] = { 0 };
    memcpy(longer, labels, sizeof labels);
    refused(longer, sizeof longer, 1, "1 byte after the last item");
    static const uint8_t none[] = { 0, 0, 8, 1, 0, 0, 0, 0 };
    refused(none, sizeof none, 1, "dimension 0 is 0");
    static const uint8_t flat[] = { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0 };
    refused(flat, sizeof flat, 3, "dimension 2 is 0");
    /* 2^31 * 2^31 * 4 is 0 in 64 bits. */
    static const uint8_t huge[] = { 0, 0, 8, 3, 128, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 4 };
    refused(huge, sizeof huge, 3, "cut short");
}

/* --- files ----------------------------------------------------------------------------------- */

static char directory[256];

static void directory_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/idx.XXXXXX", base && *base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
}

static void directory_remove(void)
{
    cr_expect_eq(rmdir(directory), 0, "%s is not empty", directory);
}

TestSuite(idx_files, .init = directory_make, .fini = directory_remove);

static char *write_file(const char *name, const void *bytes, size_t size)
{
    char *path = str_format("%s/%s", directory, name);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, size, f), size);
    cr_assert_eq(fclose(f), 0);
    return path;
}

static void expect_read(const char *path)
{
    Idx idx;
    Error error = { "" };
    cr_assert(idx_read(path, 1, &idx, &error), "%s", error.text);
    cr_expect(idx.count == 3 && memcmp(idx.items, labels + 8, 3) == 0);
    idx_free(&idx);
}

static void expect_refused(const char *path, const char *reason)
{
    Idx idx;
    Error error = { "" };
    cr_assert_not(idx_read(path, 1, &idx, &error));
    cr_expect(strstr(error.text, reason), "%s, not %s", error.text, reason);
    cr_expect(strncmp(error.text, path, strlen(path)) == 0, "no file name: %s", error.text);
}

/* labels, packed by gzip -n. */
static const uint8_t packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x63,
                                  0x60, 0xe0, 0x60, 0x64, 0x60, 0x60, 0x60, 0x66, 0x67, 0xf8, 0x0f,
                                  0x00, 0x8c, 0x45, 0x0d, 0x26, 0x0b, 0x00, 0x00, 0x00 };

Test(idx_files, plain)
{
    char *path = write_file("labels", labels, sizeof labels);
    expect_read(path);
    unlink(path);
    free(path);
}

/* A name that a shell or gzip could take for something else. */
Test(idx_files, gzip)
{
    char *path = write_file("-$(x) 'y'.gz", packed, sizeof packed);
    expect_read(path);
    cr_assert_eq(chdir(directory), 0);
    expect_read("-$(x) 'y'.gz");
    unlink(path);
    free(path);
}

/* What is packed is told by the file's first bytes. */
Test(idx_files, any_name)
{
    char *path = write_file("packed", packed, sizeof packed);
    expect_read(path);
    unlink(path);
    free(path);
    path = write_file("plain.gz", labels, sizeof labels);
    expect_read(path);
    unlink(path);
    free(path);
}

Test(idx_files, broken_gzip)
{
    char *path = write_file("labels.gz", packed, sizeof packed - 1);
    char *words = str_format("cannot unpack it (gzip: %s: unexpected end of file)", path);
    expect_refused(path, words);
    free(words);
    free(path);
    uint8_t other[sizeof packed];
    memcpy(other, packed, sizeof other);
    other[sizeof other - 6] ^= 1; /* the checksum */
    path = write_file("labels.gz", other, sizeof other);
    expect_refused(path, "crc error)");
    unlink(path);
    free(path);
}

Test(idx_files, without_gzip)
{
    char *path = write_file("labels.gz", packed, sizeof packed);
    setenv("PATH", directory, 1);
    expect_refused(path, "cannot unpack it (gzip: no such program)");
    unlink(path);
    free(path);
}

Test(idx_files, not_there)
{
    char *path = str_format("%s/none", directory), *gz = str_format("%s/none.gz", directory);
    expect_refused(path, "cannot open it: No such file or directory");
    expect_refused(gz, "cannot open it: No such file or directory");
    expect_refused(directory, "cannot read it: it is a folder");
    free(path);
    free(gz);
}
