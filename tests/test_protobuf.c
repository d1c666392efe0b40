/* The wire format, byte by byte as its documents have it. */
#include "io/protobuf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void is(Protobuf *message, size_t size, const char *bytes)
{
    cr_assert_eq(message->used, size, "%zu bytes, not %zu", message->used, size);
    cr_expect_eq(memcmp(message->bytes, bytes, size), 0);
    free(message->bytes);
    *message = (Protobuf){ 0 };
}

Test(protobuf, numbers)
{
    Protobuf m = { 0 };
    protobuf_int(&m, 1, 150); /* the documents' example */
    is(&m, 3, "\x08\x96\x01");
    protobuf_int(&m, 1, 0);
    is(&m, 2, "\x08\x00");
    protobuf_int(&m, 16, 127);
    is(&m, 3, "\x80\x01\x7f");
    protobuf_int(&m, 2, -2);
    is(&m, 11, "\x10\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    protobuf_float(&m, 2, 1.5f); /* 0x3fc00000 */
    is(&m, 5, "\x15\x00\x00\xc0\x3f");
}

Test(protobuf, texts_and_messages)
{
    Protobuf m = { 0 }, inner = { 0 };
    protobuf_text(&m, 2, "testing");
    is(&m, 9, "\x12\x07testing");
    protobuf_text(&m, 2, "");
    is(&m, 2, "\x12\x00");
    protobuf_int(&inner, 1, 150);
    protobuf_message(&m, 3, &inner);
    cr_expect_null(inner.bytes);
    is(&m, 5, "\x1a\x03\x08\x96\x01");
    protobuf_begin(&m, 3, 300);
    is(&m, 3, "\x1a\xac\x02");
}
