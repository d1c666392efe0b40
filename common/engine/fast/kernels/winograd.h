/* Dense 3x3 convolutions of stride 1 in fewer multiplications.
 *
 * Winograd's F(2x2, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural networks",
 * 2015): a tile of 2x2 outputs reads 4x4 inputs. Brought into another basis, input and kernel are
 * multiplied element by element, 16 products per tile and pair of channels instead of 36; brought
 * back, the 16 sums over the input channels are the 4 outputs. So the convolution becomes 16 matrix
 * products [tiles,in]·[in,out], and the changes of basis are additions alone, but for the kernel's,
 * which is made once. Rounding: about twice the error of the plain sum. */
#ifndef ENGINE_FAST_KERNELS_WINOGRAD_H
#define ENGINE_FAST_KERNELS_WINOGRAD_H

#include "engine/fast/kernels/conv.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether it is possible and worth it: a kernel of 3, stride 1, one group, whole vectors of
 * channels, not so few that the change of basis costs more than it saves, and images large enough
 * that more time goes into their tiles than into reading a weight that is 16/9 as large. (Of one
 * image: else a batch would have other last bits than its images alone.) */
bool winograd_fits(const ConvShape *s);

/* weight [out,3,3,in] in the other basis, packed for the products: how many floats, and the
 * packing.
 */
size_t winograd_packed(const ConvShape *s);
void winograd_pack(const ConvShape *s, const float *weight, float *packed);

/* Scratch memory for thread_count() threads, in floats. */
size_t winograd_work(const ConvShape *s);

/* Reads c->packed, not c->weight. */
void winograd_forward(const Conv *c);

#endif
