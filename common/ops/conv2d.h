/* What a linear layer has from the convolution: it is a 1x1 convolution of 1x1 pictures. */
#ifndef OPS_CONV2D_H
#define OPS_CONV2D_H

#include "graph/op.h"

void conv2d_forward(const Tensor *t, const Call *c);
void conv2d_backward(const Tensor *t, const Call *c);
size_t conv2d_work(const Tensor *t);
size_t conv2d_work_backward(const Tensor *t, bool dx);

#endif
