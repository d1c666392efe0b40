/* PNM pictures: all six kinds are read. */
#include "base/memory.h"
#include "io/file.h"
#include "io/pnm.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A copy of its own size, so that reading past the end is seen. */
static bool parse(const char *text, size_t size, Pnm *picture, Error *error)
{
    char *copy = malloc(size + 1);
    memcpy(copy + 1, text, size);
    bool good = pnm_parse("file", copy + 1, size, picture, error);
    free(copy);
    return good;
}

static void accepted(const char *text, size_t size, Pnm wanted)
{
    Pnm picture;
    Error error = { "" };
    cr_assert(parse(text, size, &picture, &error), "%s\n  gives: %s", text, error.text);
    cr_expect_eq(picture.width, wanted.width);
    cr_expect_eq(picture.height, wanted.height);
    cr_expect_eq(picture.channels, wanted.channels);
    cr_expect_eq(picture.maxval, wanted.maxval);
    for (int i = 0; i < wanted.width * wanted.height * wanted.channels; i++)
        cr_expect_eq(picture.samples[i], wanted.samples[i], "sample %d of %s is %d", i, text,
                     picture.samples[i]);
    pnm_free(&picture);
}

static void refused(const char *text, size_t size, const char *reason)
{
    Pnm picture;
    Error error = { "" };
    cr_assert_not(parse(text, size, &picture, &error), "accepted: %s", text);
    cr_expect(strstr(error.text, reason), "%s\n  gives:  %s\n  wanted: %s", text, error.text,
              reason);
    cr_expect(strncmp(error.text, "file: ", 6) == 0, "no file name: %s", error.text);
    cr_expect_null(picture.samples);
}

#define TEXT(text) text, sizeof text - 1
#define PICTURE(w, h, c, max, ...) ((Pnm){ w, h, c, max, (uint16_t[]){ __VA_ARGS__ } })

/* --- accepted -------------------------------------------------------------------------------- */

Test(pnm, raw)
{
    accepted(TEXT("P5\n3 2\n255\n\0\1\2\3\4\377"), PICTURE(3, 2, 1, 255, 0, 1, 2, 3, 4, 255));
    accepted(TEXT("P6 1 2 255\n\1\2\3\4\5\6"), PICTURE(1, 2, 3, 255, 1, 2, 3, 4, 5, 6));
    accepted(TEXT("P5 2 1 256\n\0\1\1\0"), PICTURE(2, 1, 1, 256, 1, 256));
    accepted(TEXT("P6 1 1 65535\n\377\377\0\1\1\0"), PICTURE(1, 1, 3, 65535, 65535, 1, 256));
    accepted(TEXT("P5 2 1 1\n\0\1"), PICTURE(2, 1, 1, 1, 0, 1));
    accepted(TEXT("P5 1 1 255 \n"), PICTURE(1, 1, 1, 255, '\n')); /* one space ends the header */
    accepted(TEXT("P5 1 1 255\n#"), PICTURE(1, 1, 1, 255, '#'));
}

Test(pnm, bits)
{
    /* 1 is black. 10 pixels are two bytes a row; the last 6 bits are anything. */
    accepted(TEXT("P4 10 2\n\x81\x7F\0\xBF"),
             PICTURE(10, 2, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, /**/
                     1, 1, 1, 1, 1, 1, 1, 1, 0, 1));
    accepted(TEXT("P4 8 1\n\x0F"), PICTURE(8, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0));
    accepted(TEXT("P1\n3 2\n0 1 0\n1 0 1\n"), PICTURE(3, 2, 1, 1, 1, 0, 1, 0, 1, 0));
    accepted(TEXT("P1 3 2 010101"), PICTURE(3, 2, 1, 1, 1, 0, 1, 0, 1, 0));
}

Test(pnm, plain)
{
    accepted(TEXT("P2\n2 2\n15\n0 15\n 7\t3"), PICTURE(2, 2, 1, 15, 0, 15, 7, 3));
    accepted(TEXT("P3 1 1 65535 1 2 65535\n"), PICTURE(1, 1, 3, 65535, 1, 2, 65535));
    accepted(TEXT("P2 1 1 9 9 \r\n \n# the end\n"), PICTURE(1, 1, 1, 9, 9));
    accepted(TEXT("P2 1 1 9 # in between\n 9#"), PICTURE(1, 1, 1, 9, 9));
}

Test(pnm, header_space_and_comments)
{
    accepted(TEXT("P5#a\n#b 9\n 1#c\n\r\n\t\v\f2 # 7\n255\nab"), PICTURE(1, 2, 1, 255, 'a', 'b'));
    accepted(TEXT("P5\n1 2\n255# the line's end ends the header\nab"),
             PICTURE(1, 2, 1, 255, 'a', 'b'));
    accepted(TEXT("P5 0001 002 0255\nab"), PICTURE(1, 2, 1, 255, 'a', 'b'));
}

/* --- refused --------------------------------------------------------------------------------- */

Test(pnm, refuses_other_headers)
{
    refused(TEXT(""), "not a PNM picture");
    refused(TEXT("P"), "not a PNM picture");
    refused(TEXT("Q5 1 1 255\na"), "not a PNM picture");
    refused(TEXT("P0 1 1 255\na"), "not a PNM picture");
    refused(TEXT("P7 1 1 255\na"), "not a PNM picture");
    refused(TEXT("\x89PNG\r\n"), "not a PNM picture");
    refused(TEXT("P51 1 255\na"), "byte 2: no white space after P5");
    refused(TEXT("P5"), "no width");
    refused(TEXT("P5 # 1 1 255"), "no width");
    refused(TEXT("P5 1"), "no height");
    refused(TEXT("P5 1 1 "), "no maximum value");
    refused(TEXT("P5 x 1 255\na"), "byte 3: the width is not a number");
    refused(TEXT("P5 -1 1 255\na"), "the width is not a number");
    refused(TEXT("P5 1x1 255\na"), "byte 4: no white space after the width");
    refused(TEXT("P5 1 1 255a"), "no white space after the maximum value");
    refused(TEXT("P5 0 1 255\n"), "the width is 0");
    refused(TEXT("P5 1 0 255\n"), "the height is 0");
    refused(TEXT("P5 1 1 0\n\0"), "the maximum value is 0");
    refused(TEXT("P5 1 1 65536\naa"), "the maximum value is above 65535");
    refused(TEXT("P5 32769 1 255\n"), "the width is above 32768");
    refused(TEXT("P5 1 99999999999999999999 255\n"), "the height is above 32768");
}

Test(pnm, refuses_other_sizes)
{
    refused(TEXT("P5 2 2 255\nabc"), "cut short: the picture needs 4 bytes, there are 3");
    refused(TEXT("P6 1 1 255\nab"), "needs 3 bytes, there are 2");
    refused(TEXT("P6 1 1 256\n\0\0\0\0\0"), "needs 6 bytes, there are 5");
    refused(TEXT("P4 9 1\na"), "needs 2 bytes, there are 1");
    refused(TEXT("P6 32768 32768 65535\n"), "needs 6442450944 bytes, there are 0");
    refused(TEXT("P3 32768 32768 65535\n1"), "needs 6442450943 bytes");
    refused(TEXT("P1 32768 32768\n1"), "needs 1073741824 bytes");
    refused(TEXT("P5 1 1 255\nab"), "1 bytes after the picture");
    refused(TEXT("P5 1 1 255\na\n"), "1 bytes after the picture");
    refused(TEXT("P4 8 1\nab"), "1 bytes after the picture");
    refused(TEXT("P2 1 1 9 1 2"), "1 bytes after the picture");
    refused(TEXT("P1 1 1 01"), "1 bytes after the picture");
    refused(TEXT("P2 2 2 9 1 2 3    "), "cut short: no sample");
    refused(TEXT("P1 2 2 011   "), "cut short: 3 of 4 pixels");
}

Test(pnm, refuses_other_samples)
{
    refused(TEXT("P5 2 1 9\n\x9\xA"), "byte 10: a sample of 10, above the maximum 9");
    refused(TEXT("P5 1 1 256\n\1\1"), "a sample of 257, above the maximum 256");
    refused(TEXT("P2 1 1 9 10"), "the sample is above 9");
    refused(TEXT("P2 1 1 9 -1"), "the sample is not a number");
    refused(TEXT("P2 2 1 9 1,1"), "no white space after the sample");
    refused(TEXT("P1 1 1 2"), "byte 7: a pixel is neither 0 nor 1");
}

/* --- files ----------------------------------------------------------------------------------- */

static char directory[256];

static void directory_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/pnm.XXXXXX", base && *base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
}

static void directory_remove(void)
{
    cr_expect_eq(rmdir(directory), 0, "%s is not empty", directory);
}

TestSuite(pnm_files, .init = directory_make, .fini = directory_remove);

Test(pnm_files, not_there)
{
    Pnm picture;
    Error error = { "" };
    cr_expect_not(pnm_read(directory, &picture, &error));
    cr_expect(strstr(error.text, "cannot read it: Is a directory"), "%s", error.text);
    char *path = str_format("%s/none", directory);
    cr_expect_not(pnm_read(path, &picture, &error));
    cr_expect(strstr(error.text, "/none: cannot open it: No such file"), "%s", error.text);
    free(path);
}

Test(pnm_files, standard_input)
{
    Pnm picture;
    Error error = { "" };
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "P5 1 1 255\na", 12), 12);
    close(ends[1]);
    cr_assert_eq(dup2(ends[0], 0), 0);
    cr_assert(pnm_read("-", &picture, &error), "%s", error.text);
    cr_expect(picture.width == 1 && picture.samples[0] == 'a');
    pnm_free(&picture);
    cr_expect_not(pnm_read("-", &picture, &error)); /* used up */
    cr_expect(strstr(error.text, "standard input: not a PNM picture"), "%s", error.text);
}
