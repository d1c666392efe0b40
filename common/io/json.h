/* A pull parser for JSON (RFC 8259): the caller says what must come next, and anything else is an
 * error that names the byte. Nothing is built that the caller does not ask for, and nesting is no
 * deeper than it expects. Strict: no comments, no trailing commas, only valid UTF-8. */
#ifndef IO_JSON_H
#define IO_JSON_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

typedef struct {
    const char *name; /* the file's, for messages */
    char *text;       /* modified by reading: strings are decoded in place */
    size_t size, at;
    Error *error;
} Json;

/* Sets the parser's error to "name: JSON at byte N: what"; returns false. */
bool json_fail(Json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads an object: member() is called after each "key": and reads the value, or returns false with
 * the error set, which stops the parser. The caller checks for duplicate keys. */
typedef bool JsonMember(void *context, Json *json, char *key);
bool json_object(Json *json, JsonMember *member, void *context);

/* Reads an array: item() reads one value. */
typedef bool JsonItem(void *context, Json *json);
bool json_array(Json *json, JsonItem *item, void *context);

/* Reads a string, decoded to UTF-8 inside the parser's text, with a 0 byte after it. A string that
 * contains a NUL character is refused: C could not tell its end. */
bool json_string(Json *json, char **string);

/* Reads a whole number from 0 to SIZE_MAX, written in digits only. */
bool json_size(Json *json, size_t *number);

/* Skips `null` if it comes next; returns true if it did. */
bool json_null(Json *json);

/* Skips any value; refuses nesting deeper than 100 levels. */
bool json_skip(Json *json);

/* Fails unless only white space follows. */
bool json_end(Json *json);

/* --- writing --------------------------------------------------------------------------------- */

/* Tests for valid UTF-8, all that a string in JSON may be. */
bool json_holds(const char *string);

/* Writes a string in quotes, escaped; its bytes are not checked. */
void json_put_string(FILE *out, const char *string);

#endif
