#include "io/protobuf.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Wire types. */
enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

void protobuf_put(Protobuf *message, const void *bytes, size_t size)
{
    if (message->capacity - message->used < size) {
        message->capacity = size_mul(message->used + size, 2);
        message->bytes = mem_grow(message->bytes, message->capacity, 1);
    }
    if (size)
        memcpy(message->bytes + message->used, bytes, size);
    message->used += size;
}

/* Appends a varint: seven bits per byte, least significant first; the eighth bit says that more
 * follow. */
static void append_varint(Protobuf *message, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;
    do {
        bytes[size++] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value);
    protobuf_put(message, bytes, size);
}

static void append_tag(Protobuf *message, int field, int kind)
{
    append_varint(message, (uint64_t)field << 3 | (uint64_t)kind);
}

void protobuf_int(Protobuf *message, int field, int64_t value)
{
    append_tag(message, field, VARINT);
    append_varint(message, (uint64_t)value); /* negative numbers as two's complement */
}

void protobuf_float(Protobuf *message, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    append_tag(message, field, FIXED32);
    protobuf_put(message,
                 (unsigned char[]){ bits & 255, bits >> 8 & 255, bits >> 16 & 255, bits >> 24 }, 4);
}

void protobuf_begin(Protobuf *message, int field, size_t size)
{
    append_tag(message, field, LENGTH);
    append_varint(message, size);
}

void protobuf_bytes(Protobuf *message, int field, const void *bytes, size_t size)
{
    protobuf_begin(message, field, size);
    protobuf_put(message, bytes, size);
}

void protobuf_text(Protobuf *message, int field, const char *text)
{
    protobuf_bytes(message, field, text, strlen(text));
}

void protobuf_message(Protobuf *message, int field, Protobuf *inner)
{
    protobuf_bytes(message, field, inner->bytes, inner->used);
    free(inner->bytes);
    *inner = (Protobuf){ 0 };
}
