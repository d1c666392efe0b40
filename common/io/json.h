/* JSON (RFC 8259), read by pulling: the caller says what has to come next, and anything else is an
 * error that names the byte. So nothing is built that nobody asked for, and nothing nests deeper
 * than the caller looks. Strict: no comments, no trailing commas, only valid UTF-8. */
#ifndef IO_JSON_H
#define IO_JSON_H

#include "base/error.h"

#include <stddef.h>

typedef struct {
    const char *name; /* of the file, for messages */
    char *text;       /* strings are decoded where they stand: the text is used up by reading it */
    size_t size, at;
    Error *error;
} Json;

/* Fills the reader's error with "name: JSON at byte N: what"; returns false. */
bool json_fail(Json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An object: member() is called after each "key": and reads the value, or returns false with the
 * error set, which ends the reading. Whether a key may come twice is the caller's to check. */
typedef bool JsonMember(void *context, Json *json, char *key);
bool json_object(Json *json, JsonMember *member, void *context);

/* An array: item() reads one value. */
typedef bool JsonItem(void *context, Json *json);
bool json_array(Json *json, JsonItem *item, void *context);

/* A string, decoded to UTF-8, in the reader's own text and with a 0 byte after it. One that
 * contains a NUL character is refused: C could not tell its end. */
bool json_string(Json *json, char **string);

/* A whole number from 0 to SIZE_MAX, written as digits only. */
bool json_size(Json *json, size_t *number);

/* Takes `null` where it comes next, and says whether it did. */
bool json_null(Json *json);

/* Any value, of which nothing is kept; refused where it nests deeper than 100 levels. */
bool json_skip(Json *json);

/* Nothing but white space to the end. */
bool json_end(Json *json);

/* --- writing --------------------------------------------------------------------------------- */

/* Text that grows; start with { 0 }, free bytes. */
typedef struct {
    char *bytes;
    size_t used, room;
} JsonText;

void json_put(JsonText *text, const char *bytes, size_t size);

/* A string in quotes, escaped; false when it is not valid UTF-8 (nothing is put then). */
bool json_put_string(JsonText *text, const char *string);

#endif
