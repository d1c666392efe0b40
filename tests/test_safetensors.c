/* safetensors: everything the format allows is read, everything else is refused with its reason,
 * what is written is read again, and a write that fails leaves the old file whole. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "base/stop.h"
#include "io/file.h"
#include "io/safetensors.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- files in memory ------------------------------------------------------------------------- */

/* A file of that header, of `stated` bytes, and `data` bytes counted up from 0. */
static char *build(const char *header, uint64_t stated, size_t length, size_t data, size_t *size)
{
    *size = 8 + length + data;
    char *bytes = malloc(*size);
    memcpy(bytes, &stated, 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data; i++)
        bytes[8 + length + i] = (char)i;
    return bytes;
}

static bool parse(const char *header, size_t data, Safetensors *file, Error *error)
{
    size_t size, length = strlen(header);
    char *bytes = build(header, length, length, data, &size);
    return safetensors_parse("file.st", bytes, size, file, error);
}

/* Where addresses have 32 bits, a larger number is refused before its meaning is. */
static const char *or_too_large(const char *reason)
{
    return sizeof(size_t) > 4 ? reason : "the number is too large";
}

static void refused(const char *header, size_t data, const char *reason)
{
    Safetensors file;
    Error error = { "" };
    cr_assert_not(parse(header, data, &file, &error), "accepted: %s", header);
    cr_expect(strstr(error.text, reason), "%s\n  gives:  %s\n  wanted: %s", header, error.text,
              reason);
    cr_expect(strncmp(error.text, "file.st: ", 9) == 0, "no file name: %s", error.text);
}

static void accepted(const char *header, size_t data, size_t count)
{
    Safetensors file;
    Error error = { "" };
    cr_assert(parse(header, data, &file, &error), "%s\n  gives: %s", header, error.text);
    cr_expect_eq(file.count, count);
    safetensors_free(&file);
}

#define U8(key, shape, begin, end)                                                                 \
    "\"" key "\":{\"dtype\":\"U8\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end "]}"

/* --- refused: the file ----------------------------------------------------------------------- */

static void refused_bytes(const void *bytes, size_t size, const char *reason)
{
    Safetensors file;
    Error error = { "" };
    char *copy = malloc(size + 1); /* +1: malloc(0) may be NULL */
    memcpy(copy, bytes, size);
    cr_assert_not(safetensors_parse("file.st", copy, size, &file, &error));
    cr_expect(strstr(error.text, reason), "%s, not %s", error.text, reason);
}

Test(safetensors, refuses_short_files)
{
    refused_bytes("", 0, "is empty");
    refused_bytes("\2", 1, "1 byte, too short");
    refused_bytes("\2\0\0\0\0\0\0", 7, "7 bytes, too short");
    refused_bytes("\0\0\0\0\0\0\0\0", 8, "'{' expected, but the text ends");
    refused_bytes("\3\0\0\0\0\0\0\0{}", 10, "a header of 3 bytes, past the end");
    refused_bytes("\377\377\377\377\377\377\377\377{}", 10, "18446744073709551615 bytes, more");
}

/* The limit is checked first, so that the reasons tell it from the end of the file. */
Test(safetensors, header_length_limit)
{
    refused_bytes("\1\xE1\xF5\5\0\0\0\0{}", 10, "a header of 100000001 bytes, more than 100000000");
    refused_bytes("\0\xE1\xF5\5\0\0\0\0{}", 10, "a header of 100000000 bytes, past the end");
}

Test(safetensors, refuses_what_cannot_be_read)
{
    Safetensors file;
    Error error;
    cr_assert_not(safetensors_read("tests", &file, &error));
    cr_expect_str_eq(error.text, "tests: cannot read it: it is a folder");
    cr_assert_not(safetensors_read("tests/no/such", &file, &error));
    cr_expect_str_eq(error.text, "tests/no/such: cannot open it: No such file or directory");
}

/* --- refused: the JSON ----------------------------------------------------------------------- */

Test(safetensors, refuses_other_json)
{
    refused("[]", 0, "does not start with '{'");
    refused(" {}", 0, "does not start with '{'");
    refused("null", 0, "does not start with '{'");
    refused("\xEF\xBB\xBF{}", 0, "does not start with '{'");
    refused("{", 0, "a string expected, but the text ends");
    refused("{} x", 0, "JSON at byte 3: nothing more expected, not 'x'");
    refused("{}{}", 0, "nothing more expected, not '{'");
    refused("{\"a\"}", 0, "':' expected, not '}'");
    refused("{a:{}}", 0, "a string expected, not 'a'");
    refused("{\"a\":1}", 0, "JSON at byte 5: '{' expected, not '1'");
    refused("{\"a\":[]}", 0, "'{' expected, not '['");
    refused("{\"a\":null}", 0, "'{' expected, not 'n'");
    refused("{\"a\":\"F32\"}", 0, "'{' expected, not '\"'");
    refused("{" U8("a", "1", "0", "1") ",}", 1, "a string expected, not '}'");
    refused("{" U8("a", "1", "0", "1") U8("b", "1", "1", "2") "}", 2, "'}' expected, not '\"'");
    refused("{" U8("a", "1,", "0", "1") "}", 1, "a whole number, 0 or more, expected, not ']'");
    refused("{\x01}", 0, "a string expected, not the byte 0x01");
    refused("{/**/}", 0, "a string expected, not '/'");
}

Test(safetensors, refuses_nesting)
{
    /* Deep nesting ends at its first bracket, not in a stack that overflows. */
    char deep[100001];
    memset(deep, '[', 100000);
    deep[100000] = 0;
    char *text = str_format("{\"a\":{\"dtype\":\"U8\",\"shape\":%s", deep);
    refused(text, 0, "a whole number, 0 or more, expected, not '['");
    free(text);
}

Test(safetensors, refuses_bad_numbers)
{
    const char *more = "a whole number, 0 or more, expected";
    refused("{" U8("a", "-1", "0", "1") "}", 1, more);
    refused("{" U8("a", "+1", "0", "1") "}", 1, more);
    refused("{" U8("a", "\"1\"", "0", "1") "}", 1, more);
    refused("{" U8("a", "true", "0", "1") "}", 1, more);
    refused("{" U8("a", "1.0", "0", "1") "}", 1, "written in digits expected, not '.'");
    refused("{" U8("a", "1e0", "0", "1") "}", 1, "written in digits expected, not 'e'");
    refused("{" U8("a", "1E0", "0", "1") "}", 1, "written in digits expected, not 'E'");
    refused("{" U8("a", "01", "0", "1") "}", 1, "the number starts with a 0");
    refused("{" U8("a", "1", "00", "1") "}", 1, "the number starts with a 0");
    refused("{" U8("a", "18446744073709551616", "0", "1") "}", 1, "the number is too large");
    refused("{" U8("a", "99999999999999999999", "0", "1") "}", 1, "the number is too large");
}

#define KEY(key) "{" U8(key, "0", "0", "0") "}"

Test(safetensors, refuses_bad_strings)
{
    refused("{\"a", 0, "the string does not end");
    refused("{\"a\\\"", 0, "the string does not end");
    refused("{\"a\\", 0, "an escape (one of \"\\/bfnrtu) expected, but the text ends");
    refused(KEY("a\\x"), 0, "an escape (one of \"\\/bfnrtu) expected, not 'x'");
    refused(KEY("a\nb"), 0, "a bare control character");
    refused(KEY("\\u12g4"), 0, "a hexadecimal digit expected, not 'g'");
    refused("{\"\\u12", 0, "a hexadecimal digit expected, but the text ends");
    refused(KEY("\\u0000"), 0, "a NUL character");
    refused(KEY("\\ud83d"), 0, "half a surrogate pair");
    refused(KEY("\\ud83dxude00"), 0, "half a surrogate pair");
    refused(KEY("\\ud83d\\nde00"), 0, "half a surrogate pair");
    refused(KEY("\\ud83d\\u0020"), 0, "half a surrogate pair");
    refused(KEY("\\ud83d\\ue000"), 0, "half a surrogate pair");
    refused(KEY("\\ude00"), 0, "half a surrogate pair");
    refused("{\"\\ud83d", 0, "half a surrogate pair");
}

Test(safetensors, refuses_bad_utf8)
{
    static const char *const bad[] = {
        "\x80", /* a continuation byte alone */
        "\xC0\xAF",
        "\xC1\xBF",
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",
        "\xED\xBF\xBF", /* surrogates */
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", /* above U+10FFFF */
        "\xFF",
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F\x98", /* cut off */
        "\xE2\x82\xC0",
        "\xF0\x9F\x98\x7F",
        "\xC3\x28",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *header = str_format(KEY("a%s"), bad[i]);
        refused(header, 0, "not valid UTF-8");
        free(header);
    }
    refused("{\"\xF0\x9F\x98", 0, "not valid UTF-8"); /* cut off by the header's end */
}

/* --- refused: the entries -------------------------------------------------------------------- */

#define ENTRY(fields) "{\"a\":{" fields "}}"
#define DTYPE "\"dtype\":\"U8\""
#define SHAPE "\"shape\":[1]"
#define OFFSETS "\"data_offsets\":[0,1]"

Test(safetensors, refuses_bad_fields)
{
    accepted(ENTRY(DTYPE "," SHAPE "," OFFSETS), 1, 1);
    accepted(ENTRY(OFFSETS "," SHAPE "," DTYPE), 1, 1);
    refused(ENTRY(""), 1, "'a': no dtype");
    refused(ENTRY(SHAPE "," OFFSETS), 1, "'a': no dtype");
    refused(ENTRY(DTYPE "," OFFSETS), 1, "'a': no shape");
    refused(ENTRY(DTYPE "," SHAPE), 1, "'a': no data_offsets");
    refused(ENTRY(DTYPE "," DTYPE "," SHAPE "," OFFSETS), 1, "'a': dtype comes twice");
    refused(ENTRY(DTYPE "," SHAPE "," SHAPE "," OFFSETS), 1, "'a': shape comes twice");
    refused(ENTRY(DTYPE "," SHAPE "," OFFSETS "," OFFSETS), 1, "'a': data_offsets comes twice");
    refused(ENTRY("\"dtype\":1," SHAPE "," OFFSETS), 1, "a string expected, not '1'");
    refused(ENTRY(DTYPE ",\"shape\":1," OFFSETS), 1, "'[' expected, not '1'");
    refused(ENTRY(DTYPE "," SHAPE ",\"data_offsets\":{}"), 1, "'[' expected, not '{'");
    refused(ENTRY(DTYPE "," SHAPE ",\"data_offsets\":[]"), 1, "are not two numbers");
    refused(ENTRY(DTYPE "," SHAPE ",\"data_offsets\":[0]"), 1, "are not two numbers");
    refused(ENTRY(DTYPE "," SHAPE ",\"data_offsets\":[0,1,1]"), 1, "more than two data_offsets");
    refused(ENTRY("\"dtype\":\"F31\"," SHAPE "," OFFSETS), 1, "'a': unknown dtype 'F31'");
    refused(ENTRY("\"dtype\":\"u8\"," SHAPE "," OFFSETS), 1, "'a': unknown dtype 'u8'");
    refused(ENTRY("\"dtype\":\"\"," SHAPE "," OFFSETS), 1, "'a': unknown dtype ''");
}

/* What a later version of the format may add is none of ours, whatever it is. */
#define BESIDES(value) ENTRY(DTYPE ",\"x\":" value "," SHAPE "," OFFSETS)

Test(safetensors, skips_unknown_fields)
{
    static const char *const values[] = {
        "1",
        "-0.5e+3",
        "\"t\\n\"",
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[1, [\"a\"], {\"b\" : null}]",
        "{\"dtype\":1,\"y\":{}}",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char *header = str_format(BESIDES("%s"), values[i]);
        accepted(header, 1, 1);
        free(header);
    }
    refused(BESIDES(""), 1, "a value expected, not ','");
    refused(BESIDES("nul"), 1, "a value expected, not 'n'");
    refused(BESIDES("01"), 1, "the number starts with a 0");
    refused(BESIDES("1."), 1, "a digit expected");
    refused(BESIDES("-"), 1, "a digit expected");
    refused(BESIDES("1e"), 1, "a digit expected");
    refused(BESIDES("[1 2]"), 1, "']' expected, not '2'");
    refused(BESIDES("{1:2}"), 1, "a string expected, not '1'");
    char deep[201];
    memset(deep, '[', 200);
    deep[200] = 0;
    char *text = str_format(BESIDES("%s"), deep);
    refused(text, 1, "nested deeper than 100 levels");
    free(text);
}

Test(safetensors, refuses_bad_offsets)
{
    refused("{" U8("a", "1", "1", "0") "}", 1, "the offsets run backwards, 1 to 0");
    refused("{" U8("a", "2", "0", "2") "}", 1,
            "'a': ends at 2, past the end of the data at 1: a file cut short?");
    refused("{" U8("a", "0", "9", "9") "}", 1, "'a': ends at 9, past the end");
    refused("{" U8("a", "1", "18446744073709551614", "18446744073709551615") "}", 1,
            or_too_large("past the end"));
    refused("{" U8("a", "1", "1", "2") "}", 2, "'a': a hole of 1 byte before");
    refused("{" U8("a", "1", "0", "1") "," U8("b", "1", "2", "3") "}", 3,
            "'b': a hole of 1 byte before");
    refused("{" U8("a", "2", "0", "2") "," U8("b", "2", "1", "3") "}", 3, "'b': its data overlap");
    refused("{" U8("a", "2", "0", "2") "," U8("b", "2", "0", "2") "}", 2, "its data overlap");
    refused("{" U8("a", "3", "0", "3") "," U8("b", "0", "1", "1") "}", 3, "'b': its data overlap");
    refused("{" U8("a", "1", "0", "1") "}", 2, "file.st: 1 byte after the last tensor");
    refused("{}", 5, "5 bytes after the last tensor");
    refused("{" U8("a", "0", "0", "0") "}", 1, "1 byte after the last tensor");
}

#define ONES_8 "1,1,1,1,1,1,1,1"
#define ONES_64 ONES_8 "," ONES_8 "," ONES_8 "," ONES_8 "," ONES_8 "," ONES_8 "," ONES_8 "," ONES_8

Test(safetensors, refuses_bad_sizes)
{
    refused("{" U8("a", "2", "0", "1") "}", 1, "'a': 1 byte of data, but shape and dtype make 2");
    refused("{" U8("a", "0", "0", "1") "}", 1, "1 byte of data, but shape and dtype make 0");
    refused("{" U8("a", "", "0", "0") "}", 0, "0 bytes of data, but shape and dtype make 1");
    refused("{" U8("a", ONES_64 ",1", "0", "1") "}", 1, "'a': more than 64 dimensions");
    /* 2^32 * 2^32 is 0 in 64 bits, and so are 2^61 elements of 8 bits. */
    refused("{" U8("a", "4294967296,4294967296", "0", "0") "}", 0,
            or_too_large("the shape is too large"));
    refused("{" U8("a", "2305843009213693952", "0", "0") "}", 0,
            or_too_large("the shape is too large"));
    refused("{" U8("a", "4294967296,4294967296,0", "0", "0") "}", 0,
            or_too_large("the shape is too large"));
    refused(ENTRY("\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]"), 1,
            "do not fill whole bytes");
    refused(ENTRY("\"dtype\":\"F32\"," SHAPE "," OFFSETS), 1, "shape and dtype make 4");
}

Test(safetensors, refuses_duplicates)
{
    refused("{" U8("a", "1", "0", "1") "," U8("a", "1", "1", "2") "}", 2,
            "'a': the key comes twice");
    refused(
        "{" U8("a", "0", "0", "0") "," U8("b", "0", "0", "0") "," U8("\\u0061", "0", "0", "0") "}",
        0, "'a': the key comes twice");
    refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ comes twice");
    refused("{\"__metadata__\":{\"k\":\"1\",\"l\":\"\",\"k\":\"1\"}}", 0,
            "__metadata__: the key 'k' comes twice");
}

Test(safetensors, refuses_other_metadata)
{
    refused("{\"__metadata__\":[]}", 0, "'{' expected, not '['");
    refused("{\"__metadata__\":\"\"}", 0, "'{' expected");
    refused("{\"__metadata__\":{\"k\":1}}", 0, "a string expected, not '1'");
    refused("{\"__metadata__\":{\"k\":null}}", 0, "a string expected, not 'n'");
    refused("{\"__metadata__\":{\"k\":{}}}", 0, "a string expected, not '{'");
}

Test(safetensors, messages_show_no_control_characters)
{
    refused("{" U8("a\\u001b[2J", "2", "0", "1") "}", 1, "'a?[2J': 1 byte of data");
    /* A long key is cut between characters. */
    char key[301] = "";
    for (int i = 0; i < 150; i++)
        memcpy(key + 2 * i, "\xC3\xA9", 3);
    char *header = str_format("{\"%s\":{}}", key);
    refused(header, 0, "\xC3\xA9...': no dtype");
    free(header);
}

/* --- accepted -------------------------------------------------------------------------------- */

Test(safetensors, accepts)
{
    accepted("{}", 0, 0);
    accepted("{}      ", 0, 0);
    accepted("{}\n\t\r ", 0, 0);
    accepted(
        "{ \n\"a\" : {\t\"dtype\": \"U8\" ,\r\"shape\" : [ 1 , 1 ] , \"data_offsets\":[0, 1] } }",
        1, 1);
    accepted("{\"__metadata__\":{}}", 0, 0);
    accepted("{" U8("a", "", "0", "1") "}", 1, 1);                  /* rank 0 */
    accepted("{" U8("a", "1,1,1,1,1,1,1,1,1", "0", "1") "}", 1, 1); /* rank 9 */
    accepted("{" U8("a", ONES_64, "0", "1") "}", 1, 1);             /* rank 64 */
    accepted("{\"__metadata__\":null," U8("a", "1", "0", "1") "}", 1, 1);
    accepted("{\"__metadata__\" : null }", 0, 0);
    accepted("{" U8("a", "0", "0", "0") "}", 0, 1);     /* no elements */
    accepted("{" U8("a", "3,0,4", "0", "0") "}", 0, 1); /* no elements */
    if (sizeof(size_t) > 4)
        accepted("{" U8("a", "0,4294967296,4294967296", "0", "0") "}", 0, 1);  /* no elements */
    accepted("{" U8("b", "2", "1", "3") "," U8("a", "1", "0", "1") "}", 3, 2); /* any order */
    accepted("{" U8("b", "2", "0", "2") "," U8("e", "0", "0", "0") "}", 2, 2);
    accepted("{" U8("b", "2", "0", "2") "," U8("e", "0", "2", "2") "}", 2, 2);
    accepted("{" U8("", "1", "0", "1") "}", 1, 1); /* an empty key */
}

Test(safetensors, accepts_every_dtype)
{
    static const struct {
        const char *name;
        size_t bytes; /* of 8 elements */
    } all[] = { { "BOOL", 8 },    { "F4", 4 },          { "F6_E2M3", 6 },     { "F6_E3M2", 6 },
                { "U8", 8 },      { "I8", 8 },          { "F8_E5M2", 8 },     { "F8_E4M3", 8 },
                { "F8_E8M0", 8 }, { "F8_E4M3FNUZ", 8 }, { "F8_E5M2FNUZ", 8 }, { "I16", 16 },
                { "U16", 16 },    { "F16", 16 },        { "BF16", 16 },       { "I32", 32 },
                { "U32", 32 },    { "F32", 32 },        { "C64", 64 },        { "F64", 64 },
                { "I64", 64 },    { "U64", 64 } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Safetensors file;
        Error error = { "" };
        char *header =
            str_format("{\"a\":{\"dtype\":\"%s\",\"shape\":[8],\"data_offsets\":[0,%zu]}}",
                       all[i].name, all[i].bytes);
        cr_assert(parse(header, all[i].bytes, &file, &error), "%s", error.text);
        cr_expect_str_eq(file.entries[0].dtype, all[i].name);
        safetensors_free(&file);
        free(header);
    }
}

Test(safetensors, decodes_strings)
{
    Safetensors file;
    Error error = { "" };
    const char *header =
        "{\"__metadata__\":{\"k\\\"\\\\\\/\\b\\f\\n\\r\\t\":\"\\u00e9\\u20AC\\uFFFD\\uD83D"
        "\\uDE00\xF0\x9F\x98\x80\"},"
        "\"\\u0061b\":{\"\\u0064type\":\"U\\u0038\",\"shape\":[],"
        "\"data_offsets\":[0,1]}}";
    cr_assert(parse(header, 1, &file, &error), "%s", error.text);
    cr_expect_str_eq(safetensors_metadata(&file, "k\"\\/\b\f\n\r\t"),
                     "\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBD\xF0\x9F\x98\x80\xF0\x9F\x98\x80");
    cr_assert_not_null(safetensors_find(&file, "ab"));
    safetensors_free(&file);
}

Test(safetensors, any_alignment)
{
    /* The header's length puts the float at an odd place. */
    Safetensors file;
    Error error = { "" };
    float value = 0;
    size_t size;
    const char *header = "{\"abc\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} ";
    char *bytes = build(header, strlen(header), strlen(header), 4, &size);
    memcpy(bytes + size - 4, &(float){ 2.5f }, 4);
    cr_assert(safetensors_parse("file.st", bytes, size, &file, &error), "%s", error.text);
    cr_assert_neq((uintptr_t)file.entries[0].data % 4, 0);
    cr_assert(entry_floats(&file, &file.entries[0], &value, &error));
    cr_expect_eq(value, 2.5f);
    safetensors_free(&file);
}

/* --- looking up ------------------------------------------------------------------------------ */

Test(safetensors, finds_keys)
{
    Safetensors file;
    Error error = { "" };
    const char *header = "{" U8("b", "2", "1", "3") "," U8("c", "0", "3", "3") "," U8(
        "a", "1", "0", "1") "," U8("B", "1", "3", "4") "}";
    cr_assert(parse(header, 4, &file, &error), "%s", error.text);
    static const char *const order[] = { "a", "b", "c", "B" };
    for (size_t i = 0; i < 4; i++) {
        cr_expect_str_eq(file.entries[i].key, order[i]);
        cr_expect_eq(safetensors_find(&file, order[i]), &file.entries[i]);
    }
    cr_expect_eq(((const char *)safetensors_find(&file, "b")->data)[1], 2);
    cr_expect_null(safetensors_find(&file, ""));
    cr_expect_null(safetensors_find(&file, "ab"));
    cr_expect_null(safetensors_metadata(&file, "a"));
    safetensors_free(&file);
    cr_assert(parse("{}", 0, &file, &error));
    cr_expect_null(safetensors_find(&file, "a"));
    safetensors_free(&file);
}

/* --- numbers --------------------------------------------------------------------------------- */

/* A file with one tensor 'a' of that dtype and those bytes. */
static Safetensors tensor_of(const char *dtype, size_t elements, const void *bytes, size_t size)
{
    Safetensors file;
    Error error = { "" };
    size_t all;
    char *header = str_format("{\"a\":{\"dtype\":\"%s\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}",
                              dtype, elements, size);
    char *file_bytes = build(header, strlen(header), strlen(header), size, &all);
    memcpy(file_bytes + all - size, bytes, size);
    free(header);
    cr_assert(safetensors_parse("file.st", file_bytes, all, &file, &error), "%s", error.text);
    return file;
}

Test(safetensors, floats_of_every_size)
{
    static const double wide[] = { 1.5, -0.1, 1e-300, INFINITY, NAN, 3.4028235e38 };
    float out[6];
    Error error = { "" };
    Safetensors file = tensor_of("F64", 6, wide, sizeof wide);
    cr_assert(entry_floats(&file, &file.entries[0], out, &error), "%s", error.text);
    cr_expect(out[0] == 1.5f && out[1] == -0.1f && out[2] == 0 && isinf(out[3]) && isnan(out[4]) &&
              out[5] == 3.4028235e38f);
    safetensors_free(&file);
    file = tensor_of("F64", 1, &(double){ -1e39 }, 8);
    cr_expect_not(entry_floats(&file, &file.entries[0], out, &error));
    cr_expect_str_eq(error.text, "file.st: 'a': -1e+39 is too large for float32");
    safetensors_free(&file);
    file = tensor_of("BF16", 1, "\x80\xbf", 2);
    cr_assert(entry_floats(&file, &file.entries[0], out, &error), "%s", error.text);
    cr_expect_eq(out[0], -1);
    safetensors_free(&file);
}

Test(safetensors, whole_numbers_of_every_size)
{
    static const struct {
        const char *dtype, *bytes;
        size_t size;
        int64_t value;
    } all[] = {
        { "U8", "\xff", 1, 255 },
        { "I8", "\xff", 1, -1 },
        { "U16", "\1\x80", 2, 32769 },
        { "I16", "\1\x80", 2, -32767 },
        { "U32", "\0\0\0\x80", 4, INT64_C(1) << 31 },
        { "I32", "\0\0\0\x80", 4, -(INT64_C(1) << 31) },
        { "U64", "\xff\xff\xff\xff\xff\xff\xff\x7f", 8, INT64_MAX },
        { "I64", "\0\0\0\0\0\0\0\x80", 8, INT64_MIN },
    };
    int64_t out;
    Error error = { "" };
    Safetensors file;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        file = tensor_of(all[i].dtype, 1, all[i].bytes, all[i].size);
        cr_assert(entry_int64s(&file, &file.entries[0], &out, &error), "%s", error.text);
        cr_expect_eq(out, all[i].value, "%s: %lld", all[i].dtype, (long long)out);
        safetensors_free(&file);
    }
    file = tensor_of("U64", 1, "\0\0\0\0\0\0\0\x80", 8);
    cr_expect_not(entry_int64s(&file, &file.entries[0], &out, &error));
    cr_expect_str_eq(error.text, "file.st: 'a': a number is above 2^63 - 1");
    safetensors_free(&file);
}

Test(safetensors, refuses_the_wrong_dtype)
{
    static const char *const others[] = { "BOOL", "F8_E4M3", "C64" };
    float f;
    int64_t i;
    Error error;
    Safetensors file = tensor_of("U8", 1, "a", 1);
    cr_expect_not(entry_floats(&file, &file.entries[0], &f, &error));
    cr_expect_str_eq(error.text, "file.st: 'a': the dtype is U8, not F32, F16, BF16 or F64");
    safetensors_free(&file);
    file = tensor_of("F32", 1, "abcd", 4);
    cr_expect_not(entry_int64s(&file, &file.entries[0], &i, &error));
    cr_expect_str_eq(error.text, "file.st: 'a': the dtype is F32, not one of whole numbers (I64, "
                                 "I32, U8, ...)");
    safetensors_free(&file);
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        file = tensor_of(others[k], k < 2 ? 8 : 1, "abcdefgh", 8);
        cr_expect_not(entry_floats(&file, &file.entries[0], &f, &error), "%s", others[k]);
        cr_expect_not(entry_int64s(&file, &file.entries[0], &i, &error), "%s", others[k]);
        safetensors_free(&file);
    }
}

/* --- what is there in safetensors' place ----------------------------------------------------- */

Test(safetensors, names_files_of_other_kinds)
{
#define KIND(text, reason) refused_bytes(text, sizeof text - 1, reason)
    KIND("PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\x12\0archive/data.pkl",
         "is a PyTorch file (.pth); in Python: ");
    KIND("PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0x.npy",
         "is a NumPy archive (.npz)");
    KIND("PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0x.txt",
         "is a zip archive");
    KIND("\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
         "is a PyTorch file (.pth) of the old");
    KIND("\x80\4\x95\x10\0\0\0\0\0\0\0", "is a Python pickle");
    KIND("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 114374272\n",
         "is Git LFS's pointer to the file");
    KIND("{\"metadata\": {\"total_size\": 1},\n \"weight_map\": {}}",
         "is the index of weights that lie in several files");
    KIND("{\"architectures\": [\"ConvNextForImageClassification\"]}", "is JSON");
    KIND("\n<!DOCTYPE html>\n<title>Sign in</title>", "is a web page");
    KIND("<html><head></head></html>", "is a web page");
    KIND("\x1f\x8b\x08\0\0\0\0\0\0\3abc", "is packed by gzip");
    KIND("\x89PNG\r\n\x1a\n\0\0", "is an image (PNG)");
    KIND("\x89HDF\r\n\x1a\n\0\0", "is an HDF5 file");
    KIND("\x93NUMPY\1\0v\0", "is a NumPy array");
    KIND("P5\n28 28\n255\n\0\1", "is an image (PNM)");
    KIND("\x08\x08\x12\x0d"
         "09_layer_norm\x32",
         "is an ONNX model");
    KIND("some text of 21 bytes", "is text");
    KIND("\1\2\3\4 nothing known", "a header of");
}

/* A header's length may have the bytes of a magic number: what can be read is read. */
Test(safetensors, a_header_that_looks_like_gzip)
{
    enum { LENGTH = 0x8b1f };
    char *header = malloc(LENGTH + 1);
    memset(header, ' ', LENGTH);
    memcpy(header, "{}", 2);
    header[LENGTH] = 0;
    accepted(header, 0, 0);
    free(header);
}

/* --- files of other programs ----------------------------------------------------------------- */

Test(safetensors, reads_python)
{
    Safetensors file;
    Error error = { "" };
    float weight[6];
    int64_t labels[2], step;
    cr_assert(safetensors_read("tests/data/safetensors/python.safetensors", &file, &error), "%s",
              error.text);
    cr_expect_eq(file.count, 7);
    cr_expect_str_eq(safetensors_metadata(&file, "format"), "pt");
    cr_expect_str_eq(safetensors_metadata(&file, "note"), "\xC3\xA9\t\"x\"");
    cr_expect_null(safetensors_metadata(&file, ""));
    cr_expect_str_eq(safetensors_metadata(&file, "a"), "");
    const Entry *entry = safetensors_find(&file, "weight");
    cr_assert(entry && entry_floats(&file, entry, weight, &error));
    cr_expect(entry->rank == 2 && entry->shape[0] == 2 && entry->shape[1] == 3);
    cr_expect(weight[2] == -2.5f && isinf(weight[3]) && isnan(weight[4]) && weight[5] == 1e-45f);
    entry = safetensors_find(&file, "step");
    cr_assert(entry && entry->rank == 0 && entry_elements(entry) == 1);
    cr_assert(entry_int64s(&file, entry, &step, &error));
    cr_expect_eq(step, -7);
    cr_assert(entry_int64s(&file, safetensors_find(&file, "labels"), labels, &error));
    cr_expect(labels[0] == INT64_C(1) << 40 && labels[1] == -1);
    entry = safetensors_find(&file, "empty");
    cr_assert(entry && entry_elements(entry) == 0);
    cr_expect(entry_floats(&file, entry, weight, &error));
    entry = safetensors_find(&file, "\xD0\xBA\xD0\xBB\xD1\x8E\xD1\x87 \"q\"\\\n\xF0\x9F\x98\x80");
    cr_assert(entry && strcmp(entry->dtype, "BF16") == 0);
    safetensors_free(&file);
}

Test(safetensors, reads_pytorch)
{
    Safetensors file;
    Error error = { "" };
    cr_assert(safetensors_read("tests/data/safetensors/resnet_small.safetensors", &file, &error),
              "%s", error.text);
    for (size_t i = 0; i < file.count; i++)
        cr_expect_eq(safetensors_find(&file, file.entries[i].key), &file.entries[i]);
    cr_expect_gt(file.count, 10);
    safetensors_free(&file);
}

/* --- writing --------------------------------------------------------------------------------- */

static char directory[256];

static void directory_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/safetensors.XXXXXX", base && *base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
}

/* rmdir fails where anything is left: a test removes the files it wants to be there. */
static void directory_remove(void)
{
    cr_expect_eq(rmdir(directory), 0, "%s is not empty", directory);
}

static char *inside(const char *name)
{
    return str_format("%s/%s", directory, name);
}

TestSuite(writing, .init = directory_make, .fini = directory_remove);

static const float floats[] = { 1, -0.0f, INFINITY, NAN, 1e-45f, 3 };
static const int64_t whole[] = { INT64_MIN, INT64_MAX };
static const Entry some[] = {
    { .key = "odd", .dtype = "U8", .rank = 1, .shape = { 3 }, .data = "abc", .bytes = 3 },
    { .key = "z", .dtype = "F32", .rank = 2, .shape = { 2, 3 }, .data = floats, .bytes = 24 },
    { .key = "none", .dtype = "F32", .rank = 1, .shape = { 0 }, .data = NULL, .bytes = 0 },
    { .key = "a\"\\\n\x1F\xC3\xA9", .dtype = "I64", .rank = 1, .shape = { 2 }, whole, 16 },
    { .key = "scalar", .dtype = "F32", .rank = 0, .shape = { 0 }, .data = floats, .bytes = 4 },
};
static const Metadata facts[] = { { "z", "\"\t" }, { "a", "" } };
enum { SOME = sizeof some / sizeof *some };

Test(writing, exact_bytes)
{
    static const char wanted[] =
        "{\"__metadata__\":{\"k\":\"v\"},"
        "\"odd\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
        "\"z\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[3,27]},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[27,27]}}";
    char *path = inside("x"), *bytes;
    size_t size, length = sizeof wanted - 1, padded = (length + 7) / 8 * 8;
    Error error = { "" };
    Metadata fact = { "k", "v" };
    cr_assert(safetensors_write(path, some, 3, &fact, 1, &error), "%s", error.text);
    cr_assert(file_read(path, &bytes, &size, &error));
    uint64_t stated;
    cr_assert_eq(size, 8 + padded + 27);
    memcpy(&stated, bytes, 8);
    cr_expect_eq(stated, padded);
    cr_expect_eq(memcmp(bytes + 8, wanted, length), 0);
    for (size_t i = length; i < padded; i++)
        cr_expect_eq(bytes[8 + i], ' ');
    cr_expect_eq(memcmp(bytes + 8 + padded, "abc", 3), 0);
    cr_expect_eq(memcmp(bytes + 8 + padded + 3, floats, 24), 0);
    free(bytes);
    unlink(path);
    free(path);
}

Test(writing, round_trip)
{
    char *path = inside("x");
    Safetensors file;
    Error error = { "" };
    cr_assert(safetensors_write(path, some, SOME, facts, 2, &error), "%s", error.text);
    cr_assert(safetensors_read(path, &file, &error), "%s", error.text);
    cr_assert_eq(file.count, SOME);
    for (size_t i = 0; i < SOME; i++) {
        const Entry *entry = safetensors_find(&file, some[i].key);
        cr_assert_not_null(entry);
        cr_expect_str_eq(entry->dtype, some[i].dtype);
        cr_assert_eq(entry->rank, some[i].rank);
        for (int d = 0; d < entry->rank; d++)
            cr_expect_eq(entry->shape[d], some[i].shape[d]);
        cr_assert_eq(entry->bytes, some[i].bytes);
        cr_expect(!entry->bytes || memcmp(entry->data, some[i].data, entry->bytes) == 0);
    }
    cr_expect_str_eq(safetensors_metadata(&file, "z"), "\"\t");
    cr_expect_str_eq(safetensors_metadata(&file, "a"), "");
    safetensors_free(&file);
    unlink(path);
    free(path);
}

Test(writing, empty_file)
{
    char *path = inside("x"), *bytes;
    size_t size;
    Error error = { "" };
    cr_assert(safetensors_write(path, NULL, 0, NULL, 0, &error), "%s", error.text);
    cr_assert(file_read(path, &bytes, &size, &error));
    cr_assert_eq(size, 16);
    cr_expect_eq(memcmp(bytes, "\10\0\0\0\0\0\0\0{}      ", 16), 0);
    free(bytes);
    unlink(path);
    free(path);
}

static void write_refused(const Entry *entries, size_t count, const Metadata *metadata,
                          size_t metadata_count, const char *reason)
{
    char *path = inside("x");
    Error error = { "" };
    cr_assert_not(safetensors_write(path, entries, count, metadata, metadata_count, &error));
    cr_expect(strstr(error.text, reason), "%s, not %s", error.text, reason);
    cr_expect_neq(access(path, F_OK), 0, "something was written");
    free(path);
}

Test(writing, refuses_what_the_reader_would)
{
    Entry e = { .key = "a", .dtype = "U8", .rank = 1, .shape = { 1 }, .data = "a", .bytes = 1 };
    Entry twice[] = { e, e }, bad = e;
    Metadata same[] = { { "k", "" }, { "k", "" } }, other = { "\xFF", "" }, value = { "k", "\xFF" };
    write_refused(twice, 2, NULL, 0, "'a': the key comes twice");
    bad.key = "__metadata__";
    write_refused(&bad, 1, NULL, 0, "keeps this key to itself");
    bad.key = "\xFF";
    write_refused(&bad, 1, NULL, 0, "not valid UTF-8");
    bad = e;
    bad.dtype = "X";
    write_refused(&bad, 1, NULL, 0, "unknown dtype 'X'");
    bad = e;
    bad.bytes = 2;
    write_refused(&bad, 1, NULL, 0, "2 bytes of data, but shape and dtype make 1");
    bad = e;
    bad.rank = 65;
    write_refused(&bad, 1, NULL, 0, "not 0 to 64 dimensions");
    bad.rank = -1;
    write_refused(&bad, 1, NULL, 0, "not 0 to 64 dimensions");
    write_refused(&e, 1, same, 2, "the key 'k' comes twice");
    write_refused(&e, 1, &other, 1, "not valid UTF-8");
    write_refused(&e, 1, &value, 1, "not valid UTF-8");
}

/* --- files replaced at once ------------------------------------------------------------------ */

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

static void expect_file(const char *path, const char *text)
{
    char *bytes;
    size_t size;
    Error error = { "" };
    cr_assert(file_read(path, &bytes, &size, &error), "%s", error.text);
    cr_expect_str_eq(bytes, text);
    free(bytes);
}

Test(writing, old_file_until_commit)
{
    char *path = inside("x");
    Error error = { "" };
    put_file(path, "old");
    FileWriter *writer = file_create(path, &error);
    cr_assert_not_null(writer, "%s", error.text);
    cr_assert(file_put(writer, "new", 3));
    expect_file(path, "old");
    cr_assert(file_commit(writer, &error), "%s", error.text);
    expect_file(path, "new");
    unlink(path);
    free(path);
}

/* Whatever stands beside the file is another's: a file called like a temporary, or what a killed
 * program of the same number left. */
Test(writing, names_that_are_taken)
{
    char *path = inside("x"), *ours = inside("x.tmp");
    char *killed = str_format("%s.%ld.tmp", path, (long)getpid());
    Error error = { "" };
    put_file(ours, "ours");
    put_file(killed, "killed");
    FileWriter *writer = file_create(path, &error);
    cr_assert_not_null(writer, "%s", error.text);
    cr_assert(file_put(writer, "new", 3) && file_commit(writer, &error), "%s", error.text);
    expect_file(path, "new");
    expect_file(killed, "killed");
    file_sweep(path);
    expect_file(ours, "ours");
    cr_expect_neq(access(killed, F_OK), 0);
    unlink(ours);
    unlink(path);
    free(ours);
    free(killed);
    free(path);
}

/* Two write one file at once: each puts a whole file in its place. */
Test(writing, two_writers)
{
    char *path = inside("x");
    Error error = { "" };
    FileWriter *a = file_create(path, &error), *b = file_create(path, &error);
    cr_assert(a && b, "%s", error.text);
    cr_assert(file_put(a, "half", 4) && file_put(b, "the other", 9));
    cr_expect(file_commit(b, &error), "%s", error.text);
    expect_file(path, "the other");
    cr_expect(file_put(a, " and half", 9) && file_commit(a, &error), "%s", error.text);
    expect_file(path, "half and half");
    unlink(path);
    free(path);
}

/* How the program ends while it writes: by this signal, or by exit for 0. stops: it notes the first
 * signal and goes on (base/stop.h), and a later one comes. */
static int end_while_writing(const char *path, int signal, bool stops)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        file_clean_at_end();
        if (stops)
            stop_catch();
        FileWriter *done = file_create(path, NULL), *writer = file_create(path, NULL);
        if (!done || !file_commit(done, NULL) || !writer || !file_put(writer, "new", 3))
            _exit(2);
        if (signal)
            raise(signal);
        if (stops) {
            usleep(600000);
            raise(signal);
        }
        exit(3);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* The suite's end finds a temporary that is left. */
Test(writing, the_programs_end)
{
    char *path = inside("x");
    signal(SIGINT, SIG_DFL); /* whatever runs the tests may ignore them */
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    cr_expect_eq(end_while_writing(path, 0, false), 3);
    cr_expect_eq(end_while_writing(path, SIGINT, false), -SIGINT);
    cr_expect_eq(end_while_writing(path, SIGTERM, false), -SIGTERM);
    cr_expect_eq(end_while_writing(path, SIGHUP, false), -SIGHUP);
    cr_expect_eq(end_while_writing(path, SIGTERM, true), -SIGTERM);
    signal(SIGHUP, SIG_IGN); /* as nohup has it */
    cr_expect_eq(end_while_writing(path, SIGHUP, false), 3);
    cr_expect_eq(end_while_writing(path, SIGHUP, true), 3);
    expect_file(path, "");
    unlink(path);
    free(path);
}

Test(writing, discard)
{
    char *path = inside("x");
    Error error = { "" };
    put_file(path, "old");
    FileWriter *writer = file_create(path, &error);
    cr_assert(file_put(writer, "new", 3));
    file_discard(writer);
    file_discard(NULL);
    expect_file(path, "old");
    unlink(path);
    free(path);
}

/* A disk that is full, as far as this process can tell. */
Test(writing, failure_leaves_the_old_file)
{
    char *path = inside("x");
    Error error = { "" };
    static char much[1 << 16];
    put_file(path, "old");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = { 1 << 12, 1 << 12 };
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    FileWriter *writer = file_create(path, &error);
    cr_assert_not_null(writer);
    cr_expect_not(file_put(writer, much, sizeof much));
    cr_expect_not(file_put(writer, "x", 1), "the failure is forgotten");
    cr_expect_not(file_commit(writer, &error));
    cr_expect(strstr(error.text, "/x: cannot write it: File too large"), "%s", error.text);
    expect_file(path, "old");
    unlink(path);
    free(path);
}

/* The same, noticed only when the last bytes leave the buffer. */
Test(writing, failure_at_the_end)
{
    char *path = inside("x");
    Error error = { "" };
    put_file(path, "old");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = { 0, 0 };
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    FileWriter *writer = file_create(path, &error);
    cr_assert_not_null(writer);
    cr_expect(file_put(writer, "new", 3));
    cr_expect_not(file_commit(writer, &error));
    cr_expect(strstr(error.text, "File too large"), "%s", error.text);
    expect_file(path, "old");
    unlink(path);
    free(path);
}

Test(writing, rename_fails)
{
    /* The place becomes a directory while the file is being written. */
    char *path = inside("x");
    Error error = { "" };
    FileWriter *writer = file_create(path, &error);
    cr_assert_not_null(writer);
    cr_assert_eq(mkdir(path, 0777), 0);
    cr_expect_not(file_commit(writer, &error));
    cr_expect(strstr(error.text, "cannot write it: Is a directory"), "%s", error.text);
    rmdir(path);
    free(path);
}

Test(writing, places_that_cannot_be_written)
{
    Error error = { "" };
    cr_expect_null(file_create(directory, &error));
    cr_expect(strstr(error.text, "cannot create it: Is a directory"), "%s", error.text);
    char *path = inside("no/x");
    cr_expect_null(file_create(path, &error));
    cr_expect(strstr(error.text, "no/x: cannot create it: there is no such folder"), "%s",
              error.text);
    cr_expect_not(safetensors_write(path, some, SOME, NULL, 0, &error));
    cr_expect(strstr(error.text, "no/x: cannot create it: there is no such folder"), "%s",
              error.text);
    free(path);
}

Test(writing, straight)
{
    Error error = { "" };
    FileWriter *writer = file_create("/dev/null", &error);
    cr_assert_not_null(writer, "%s", error.text);
    cr_expect(file_put(writer, "x", 1) && file_commit(writer, &error), "%s", error.text);
    writer = file_create("/dev/full", &error);
    cr_assert_not_null(writer, "%s", error.text);
    file_put(writer, "x", 1);
    cr_expect_not(file_commit(writer, &error));
    cr_expect_str_eq(error.text, "/dev/full: cannot write it: No space left on device");
    cr_expect_eq(access("/dev/full", F_OK), 0);
}

Test(writing, links_and_permissions)
{
    char *path = inside("x"), *link = inside("link");
    struct stat status;
    Error error = { "" };
    put_file(path, "old");
    chmod(path, 0640);
    cr_assert_eq(symlink("x", link), 0);
    FileWriter *writer = file_create(link, &error);
    cr_assert_not_null(writer, "%s", error.text);
    cr_expect(file_put(writer, "new", 3) && file_commit(writer, &error), "%s", error.text);
    expect_file(path, "new");
    cr_expect(stat(path, &status) == 0 && (status.st_mode & 07777) == 0640);
    cr_expect(lstat(link, &status) == 0 && S_ISLNK(status.st_mode), "the link was replaced");
    unlink(link);
    unlink(path);
    free(link);
    free(path);
}

/* Not all that is in /dev is a device. */
Test(writing, shared_memory_is_a_folder_like_others)
{
    char path[] = "/dev/shm/safetensors.XXXXXX";
    Error error = { "" };
    int file = mkstemp(path);
    if (file < 0)
        cr_skip_test("no /dev/shm here");
    close(file);
    put_file(path, "old");
    FileWriter *writer = file_create(path, &error);
    cr_assert_not_null(writer, "%s", error.text);
    file_put(writer, "new", 3);
    expect_file(path, "old");
    file_discard(writer);
    expect_file(path, "old");
    unlink(path);
}

/* Standard output may be a regular file; /dev/stdout is written into it and does not replace it. */
Test(writing, standard_output)
{
    char *path = inside("x");
    struct stat before, after;
    Error error = { "" };
    put_file(path, "");
    FILE *out = fopen(path, "r+b");
    cr_assert(out && dup2(fileno(out), 1) == 1 && stat(path, &before) == 0);
    fclose(out);
    FileWriter *writer = file_create("/dev/stdout", &error);
    cr_assert_not_null(writer, "%s", error.text);
    cr_expect(file_put(writer, "new", 3) && file_commit(writer, &error), "%s", error.text);
    expect_file(path, "new");
    cr_expect(stat(path, &after) == 0 && after.st_ino == before.st_ino, "the file was replaced");
    unlink(path);
    free(path);
}

Test(writing, link_to_nothing)
{
    char *link = inside("link");
    Error error = { "" };
    cr_assert_eq(symlink("none", link), 0);
    cr_expect_null(file_create(link, &error));
    cr_expect(
        strstr(error.text, "/link: cannot create it: it is a link to a file that is not there"),
        "%s", error.text);
    struct stat status;
    cr_expect(lstat(link, &status) == 0 && stat(link, &status) != 0);
    unlink(link);
    free(link);
}

/* A file that may not be written is not replaced either, though its directory would allow it. */
Test(writing, read_only_file)
{
    char *path = inside("x");
    int status = 1;
    put_file(path, "old");
    chmod(path, 0444);
    chmod(directory, 0777);
    pid_t child = fork();
    if (child == 0) {
        Error error = { "" };
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        bool refused = !file_create(path, &error);
        _exit(refused && strstr(error.text, "cannot create it: Permission denied") ? 0 : 3);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    expect_file(path, "old");
    unlink(path);
    free(path);
}

/* More than fits at first, of a size that is known and of one that is not. */
Test(writing, long_files)
{
    enum { LONG = 300000 };
    char *path = inside("x"), *bytes, *much = malloc(LONG);
    size_t size;
    Error error = { "" };
    for (int i = 0; i < LONG; i++)
        much[i] = (char)(i * 7 >> 3);
    FileWriter *writer = file_create(path, &error);
    cr_assert(writer && file_put(writer, much, LONG) && file_commit(writer, &error));
    cr_assert(file_read(path, &bytes, &size, &error));
    cr_expect(size == LONG && memcmp(bytes, much, LONG) == 0 && bytes[LONG] == 0);
    free(bytes);
    unlink(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        writer = file_create(path, &error);
        _exit(writer && file_put(writer, much, LONG) && file_commit(writer, &error) ? 0 : 1);
    }
    cr_assert(file_read(path, &bytes, &size, &error));
    cr_expect(size == LONG && memcmp(bytes, much, LONG) == 0 && bytes[LONG] == 0);
    waitpid(child, NULL, 0);
    free(bytes);
    free(much);
    unlink(path);
    free(path);
}

Test(writing, name_without_a_directory)
{
    Error error = { "" };
    cr_assert_eq(chdir(directory), 0);
    cr_assert(safetensors_write("x", some, SOME, NULL, 0, &error), "%s", error.text);
    cr_expect_eq(unlink("x"), 0);
}
