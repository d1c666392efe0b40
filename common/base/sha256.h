/* SHA-256 (FIPS 180-4, section 6.2): equal for equal bytes, and in practice for no others. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[8];
    unsigned char block[64]; /* what is not a whole block yet */
    uint64_t bytes;          /* so far */
} Sha256;

/* The digest as lower-case hexadecimal digits. */
typedef struct {
    char text[65];
} Digest;

Sha256 sha256_new(void);
void sha256_add(Sha256 *sha, const void *bytes, size_t count);
Digest sha256_end(Sha256 *sha);

#endif
