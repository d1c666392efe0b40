/* PNM images: all seven kinds are read, one or several in a file. */
#include "base/memory.h"
#include "io/image.h"
#include "io/pnm.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The image at *at of a copy of its own size, so that reading past the end is seen. */
static bool parse(const char *text, size_t size, size_t *at, Pnm *image, Error *error)
{
    char *copy = malloc(size + 1);
    memcpy(copy + 1, text, size);
    bool good = pnm_next("file", copy + 1, size, at, image, error);
    free(copy);
    return good;
}

static void accepted(const char *text, size_t size, Pnm wanted)
{
    Pnm image;
    Error error = { "" };
    size_t at = 0;
    cr_assert(parse(text, size, &at, &image, &error), "%s\n  gives: %s", text, error.text);
    cr_expect_eq(at, size, "%s\n  is read to byte %zu of %zu", text, at, size);
    cr_expect_eq(image.width, wanted.width);
    cr_expect_eq(image.height, wanted.height);
    cr_expect_eq(image.channels, wanted.channels);
    cr_expect_eq(image.maxval, wanted.maxval);
    for (int i = 0; i < wanted.width * wanted.height * wanted.channels; i++)
        cr_expect_eq(image.samples[i], wanted.samples[i], "sample %d of %s is %d", i, text,
                     image.samples[i]);
    pnm_free(&image);
}

static void refused(const char *text, size_t size, const char *reason)
{
    Pnm image;
    Error error = { "" };
    size_t at = 0;
    while (parse(text, size, &at, &image, &error)) { /* the one behind a good one may be meant */
        cr_assert(at < size, "accepted: %s", text);
        pnm_free(&image);
    }
    cr_expect(strstr(error.text, reason), "%s\n  gives:  %s\n  wanted: %s", text, error.text,
              reason);
    cr_expect(strncmp(error.text, "file: ", 6) == 0, "no file name: %s", error.text);
    cr_expect_null(image.samples);
}

#define TEXT(text) text, sizeof text - 1
#define IMAGE(w, h, c, max, ...) ((Pnm){ w, h, c, max, (uint16_t[]){ __VA_ARGS__ } })

/* --- accepted -------------------------------------------------------------------------------- */

Test(pnm, raw)
{
    accepted(TEXT("P5\n3 2\n255\n\0\1\2\3\4\377"), IMAGE(3, 2, 1, 255, 0, 1, 2, 3, 4, 255));
    accepted(TEXT("P6 1 2 255\n\1\2\3\4\5\6"), IMAGE(1, 2, 3, 255, 1, 2, 3, 4, 5, 6));
    accepted(TEXT("P5 2 1 256\n\0\1\1\0"), IMAGE(2, 1, 1, 256, 1, 256));
    accepted(TEXT("P6 1 1 65535\n\377\377\0\1\1\0"), IMAGE(1, 1, 3, 65535, 65535, 1, 256));
    accepted(TEXT("P5 2 1 1\n\0\1"), IMAGE(2, 1, 1, 1, 0, 1));
    accepted(TEXT("P5 1 1 255 \n"), IMAGE(1, 1, 1, 255, '\n')); /* one space ends the header */
    accepted(TEXT("P5 1 1 255\n#"), IMAGE(1, 1, 1, 255, '#'));
}

Test(pnm, bits)
{
    /* 1 is black. 10 pixels are two bytes per row; the last 6 bits are anything. */
    accepted(TEXT("P4 10 2\n\x81\x7F\0\xBF"), IMAGE(10, 2, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, /**/
                                                    1, 1, 1, 1, 1, 1, 1, 1, 0, 1));
    accepted(TEXT("P4 8 1\n\x0F"), IMAGE(8, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0));
    accepted(TEXT("P1\n3 2\n0 1 0\n1 0 1\n"), IMAGE(3, 2, 1, 1, 1, 0, 1, 0, 1, 0));
    accepted(TEXT("P1 3 2 010101"), IMAGE(3, 2, 1, 1, 1, 0, 1, 0, 1, 0));
}

Test(pnm, plain)
{
    accepted(TEXT("P2\n2 2\n15\n0 15\n 7\t3"), IMAGE(2, 2, 1, 15, 0, 15, 7, 3));
    accepted(TEXT("P3 1 1 65535 1 2 65535\n"), IMAGE(1, 1, 3, 65535, 1, 2, 65535));
    accepted(TEXT("P2 1 1 9 9 \r\n \n# the end\n"), IMAGE(1, 1, 1, 9, 9));
    accepted(TEXT("P2 1 1 9 # in between\n 9#"), IMAGE(1, 1, 1, 9, 9));
}

Test(pnm, header_space_and_comments)
{
    accepted(TEXT("P5#a\n#b 9\n 1#c\n\r\n\t\v\f2 # 7\n255\nab"), IMAGE(1, 2, 1, 255, 'a', 'b'));
    accepted(TEXT("P5\n1 2\n255# the line's end ends the header\nab"),
             IMAGE(1, 2, 1, 255, 'a', 'b'));
    accepted(TEXT("P5 0001 002 0255\nab"), IMAGE(1, 2, 1, 255, 'a', 'b'));
}

#define PAM(w, h, depth, max, type)                                                                \
    "P7\nWIDTH " #w "\nHEIGHT " #h "\nDEPTH " #depth "\nMAXVAL " #max "\n" type "ENDHDR\n"

Test(pnm, pam)
{
    accepted(TEXT(PAM(2, 1, 1, 255, "TUPLTYPE GRAYSCALE\n") "ab"), IMAGE(2, 1, 1, 255, 'a', 'b'));
    accepted(TEXT(PAM(1, 1, 3, 255, "TUPLTYPE RGB\n") "abc"), IMAGE(1, 1, 3, 255, 'a', 'b', 'c'));
    accepted(TEXT(PAM(2, 1, 4, 255, "TUPLTYPE RGB_ALPHA\n") "abcdefgh"),
             IMAGE(2, 1, 3, 255, 'a', 'b', 'c', 'e', 'f', 'g'));
    accepted(TEXT(PAM(2, 1, 2, 1000, "TUPLTYPE GRAYSCALE_ALPHA\n") "\1\2\0\0\3\4\0\0"),
             IMAGE(2, 1, 1, 1000, 258, 772));
    /* 1 is white, as the maximum is everywhere but in P1 and P4. */
    accepted(TEXT(PAM(2, 1, 1, 1, "TUPLTYPE BLACKANDWHITE\n") "\0\1"), IMAGE(2, 1, 1, 1, 0, 1));
    accepted(TEXT(PAM(1, 1, 2, 1, "TUPLTYPE BLACKANDWHITE_ALPHA\n") "\1\0"), IMAGE(1, 1, 1, 1, 1));
    accepted(TEXT(PAM(1, 1, 3, 255, "") "abc"), IMAGE(1, 1, 3, 255, 'a', 'b', 'c'));
    accepted(TEXT("P7\r\n# any order\n\nMAXVAL 9\n  DEPTH 1 \r\nWIDTH 1\nHEIGHT\t1\nENDHDR\n\5"),
             IMAGE(1, 1, 1, 9, 5));
}

/* The bytes of an image, and what is found behind it. */
Test(pnm, several_in_a_file)
{
    static const char text[] = "P5 1 1 255\nP\nP6 1 1 255\nabc\0\0P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\n"
                               "MAXVAL 255\nENDHDR\nxP1 1 1 1 # the last\n\x1a";
    static const int wanted[] = { 'P', 'a', 'x', 0 };
    size_t at = 0;
    Pnm image;
    Error error = { "" };
    for (int i = 0; i < 4; i++) {
        cr_assert(parse(text, sizeof text - 1, &at, &image, &error), "%d: %s", i, error.text);
        cr_expect_eq(image.samples[0], wanted[i], "image %d", i);
        pnm_free(&image);
    }
    cr_expect_eq(at, sizeof text - 1);
}

Test(pnm, what_may_follow_the_last)
{
    accepted(TEXT("P5 1 1 255\na\n"), IMAGE(1, 1, 1, 255, 'a'));
    accepted(TEXT("P5 1 1 255\na\0\0\0"), IMAGE(1, 1, 1, 255, 'a'));
    accepted(TEXT("P4 8 1\n\x0F \r\n\x1a"), IMAGE(8, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0));
}

/* --- refused --------------------------------------------------------------------------------- */

Test(pnm, refuses_other_headers)
{
    refused(TEXT(""), "not a PNM image, which starts with P1 to P7: it is empty");
    refused(TEXT("\1\2\3"), "not a PNM image: it does not start with P1 to P7");
    refused(TEXT("P"), "not a PNM image");
    refused(TEXT("Q5 1 1 255\na"), "not a PNM image");
    refused(TEXT("P0 1 1 255\na"), "not a PNM image");
    refused(TEXT("P8 1 1 255\na"), "not a PNM image");
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
    refused(TEXT("P5 2 2 255\nabc"), "cut short: the image needs 4 bytes, there are 3");
    refused(TEXT("P6 1 1 255\nab"), "needs 3 bytes, there are 2");
    refused(TEXT("P6 1 1 256\n\0\0\0\0\0"), "needs 6 bytes, there are 5");
    refused(TEXT("P4 9 1\na"), "needs 2 bytes, there are 1");
    bool wide = sizeof(size_t) > 4; /* else more than can be addressed */
    refused(TEXT("P6 32768 32768 65535\n"),
            wide ? "needs 6442450944 bytes, there are 0" : "needs 4294967295 bytes, there are 0");
    refused(TEXT("P3 32768 32768 65535\n1"),
            wide ? "needs 6442450943 bytes" : "needs 4294967294 bytes");
    refused(TEXT("P1 32768 32768\n1"), "needs 1073741824 bytes");
    refused(TEXT("P5 1 1 255\nab"), "neither the end nor another image");
    refused(TEXT("P4 8 1\nabc"), "byte 8: neither the end nor another image");
    refused(TEXT("P2 1 1 9 1 2"), "neither the end nor another image");
    refused(TEXT("P1 1 1 01"), "neither the end nor another image");
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

Test(pnm, refuses_other_pams)
{
    refused(TEXT("P7"), "the header has no ENDHDR");
    refused(TEXT("P7\nWIDTH 1\nHEIGHT 1\n"), "the header has no ENDHDR");
    refused(TEXT("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nENDHDR\na"), "no MAXVAL in the header");
    refused(TEXT("P7\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nENDHDR\na"), "no WIDTH in the header");
    refused(TEXT("P7 332\n#IMGINFO\n"), "'332' in the header is not a keyword of PAM");
    refused(TEXT(PAM(1, 1, 5, 255, "")), "the depth is above 4");
    refused(TEXT(PAM(0, 1, 1, 255, "")), "the width is 0");
    refused(TEXT(PAM(1, 32769, 1, 255, "")), "the height is above 32768");
    refused(TEXT(PAM(1, 1, 4, 255, "TUPLTYPE CMYK\n") "abcd"), "depth 4 of type CMYK: wanted are");
    refused(TEXT(PAM(1, 1, 3, 255, "TUPLTYPE GRAYSCALE\n") "abc"), "depth 3 of type GRAYSCALE");
    refused(TEXT(PAM(2, 1, 4, 255, "TUPLTYPE RGB_ALPHA\n") "abcdefg"),
            "needs 8 bytes, there are 7");
    refused(TEXT(PAM(1, 1, 2, 9, "") "\5\xA"), "a sample of 10, above the maximum 9");
}

/* Another format is called by its name, with what makes a PNM of it. */
Test(pnm, other_formats)
{
    static const char anytopnm[] = "anytopnm makes a PNM of it: anytopnm file | ";
    refused(TEXT("\x89PNG\r\n\x1a\n"), "file: a PNG; ");
    refused(TEXT("\x89PNG\r\n\x1a\n"), anytopnm);
    refused(TEXT("\xff\xd8\xff\xe0"), "file: a JPEG; ");
    refused(TEXT("GIF89a"), "file: a GIF; ");
    refused(TEXT("II*\0\x8\0\0\0"), "file: a TIFF; ");
    refused(TEXT("MM\0*"), "file: a TIFF; ");
    refused(TEXT("BM6\4"), "file: a BMP; ");
    refused(TEXT("RIFF\x8\0\0\0WEBPVP8 "),
            "a WebP; dwebp makes a PNM of it: dwebp -ppm -o - -- file | ");
    refused(TEXT("RIFF\x8\0\0\0WAVE"), "not a PNM image");
    /* Phones' own; the brands are those of ISO/IEC 23008-12 and of AVIF. */
    refused(TEXT("\0\0\0\x18"
                 "ftypheic"),
            "a HEIC; convert makes a PNM of it: convert file ppm:- | ");
    refused(TEXT("\0\0\0\x18"
                 "ftypmif1"),
            "a HEIC; ");
    refused(TEXT("\0\0\0\x1c"
                 "ftypavif"),
            "an AVIF; ");
    refused(TEXT("\0\0\0\x18"
                 "ftypisom"),
            "not a PNM image");
    refused(TEXT("P5 1 1 255\na\x89PNG\r\n\x1a\n"), "a PNG; ");
}

Test(pnm, files_of_other_kinds)
{
    refused(TEXT("<!DOCTYPE html>\n"), "starts with P1 to P7: it is a web page");
    refused(TEXT("version https://git-lfs.github.com/spec/v1\n"), ": it is Git LFS's pointer");
    refused(TEXT("\x1f\x8b\x08"), ": it is packed by gzip");
    refused(TEXT("PK\3\4x.txt"), ": it is a zip archive");
    refused(TEXT("P8 1 1 255\na"), ": it is text");
}

/* --- files ----------------------------------------------------------------------------------- */

static char *folder;

static void put(const char *name, const char *bytes, size_t size)
{
    char *path = str_format("%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    free(path);
}

/* What is wrong with a file of the folder. */
static void not_opened(const char *name, const char *reason)
{
    char *path = str_format("%s/%s", folder, name);
    ImageFile file;
    Error error = { "" };
    cr_expect_not(image_open(path, &file, &error));
    cr_expect(strstr(error.text, reason), "%s: %s", name, error.text);
    free(path);
}

Test(pnm_files, not_there)
{
    folder = folder_new();
    put("empty", "", 0);
    not_opened("", ": cannot read it: it is a folder");
    not_opened("none", "/none: cannot open it: No such file");
    not_opened("empty", "/empty: is empty");
    folder_remove(folder);
}

/* Each has its number from the second on; behind a bad one there is none. */
Test(pnm_files, one_after_the_other)
{
    folder = folder_new();
    put("three", TEXT("P5 1 1 255\naP5 1 1 255\nbP5 1 1 1\ncP5 1 1 255\nd"));
    char *path = str_format("%s/three", folder);
    ImageFile file;
    Image image;
    Error error;
    cr_assert(image_open(path, &file, &error), "%s", error.text);
    for (int i = 0; i < 2; i++) {
        cr_assert(image_more(&file) && image_next(&file, &image, &error), "%s", error.text);
        cr_expect_eq(image.pixels[0], 'a' + i);
        cr_expect_eq(file.count, i + 1);
        image_free(&image);
    }
    cr_assert(image_more(&file));
    cr_expect_not(image_next(&file, &image, &error));
    cr_expect(strstr(error.text, "/three#3: byte "), "%s", error.text);
    cr_expect_not(image_more(&file));
    image_close(&file);
    free(path);
    folder_remove(folder);
}

Test(pnm_files, standard_input)
{
    ImageFile file;
    Image image;
    Error error = { "" };
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "P5 1 1 255\na", 12), 12);
    close(ends[1]);
    cr_assert_eq(dup2(ends[0], 0), 0);
    cr_assert(image_open("-", &file, &error) && image_next(&file, &image, &error), "%s",
              error.text);
    cr_expect(image.width == 1 && image.pixels[0] == 'a');
    image_free(&image);
    image_close(&file);
    cr_expect_not(image_open("-", &file, &error)); /* used up */
    cr_expect_str_eq(error.text, "standard input: is empty");
}
