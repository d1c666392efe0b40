/* The activation a kernel applies to what it writes. */
#ifndef KERNELS_ACT_H
#define KERNELS_ACT_H

typedef enum { IDENTITY, RELU, GELU } Act;

#endif
