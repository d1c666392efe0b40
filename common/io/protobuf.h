/* A writer for Protocol Buffers' wire format: a message is a sequence of fields, each with a
 * number, a type and a value. Only what ONNX files need.
 * https://protobuf.dev/programming-guides/encoding */
#ifndef IO_PROTOBUF_H
#define IO_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

/* A message being written; initialised with { 0 }; free bytes. */
typedef struct {
    unsigned char *bytes;
    size_t used, capacity;
} Protobuf;

/* The largest message: readers count its bytes in an int. */
#define PROTOBUF_MOST ((size_t)INT32_MAX)

/* Appends a field. Fields are numbered from 1; a repeated field is appended once per value. */
void protobuf_int(Protobuf *message, int field, int64_t value);
void protobuf_float(Protobuf *message, int field, float value);
void protobuf_text(Protobuf *message, int field, const char *text);
void protobuf_bytes(Protobuf *message, int field, const void *bytes, size_t size);

/* Appends a message as a field of another and frees its bytes. */
void protobuf_message(Protobuf *message, int field, Protobuf *inner);

/* Appends bytes that are encoded fields. */
void protobuf_put(Protobuf *message, const void *bytes, size_t size);

/* Appends the start of a field of `size` bytes, which the caller writes separately: large data need
 * not be copied into the message. */
void protobuf_begin(Protobuf *message, int field, size_t size);

#endif
