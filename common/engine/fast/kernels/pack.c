#include "engine/fast/kernels/pack.h"

#include "base/ints.h"

/* --- panels ---------------------------------------------------------------------------------- */

Side panel_side_a(Matrix a, int m)
{
    return (Side){
        .data = a.data, .lane = a.row, .k = a.col, .patches = a.patches, .lanes = m, .width = MR
    };
}

Side panel_side_b(Matrix b, int n)
{
    return (Side){ .data = b.data,
                   .lane = b.col,
                   .k = b.row,
                   .patches = b.patches,
                   .taps_are_lanes = b.patches != NULL,
                   .lanes = n,
                   .width = NR };
}

int panel_step(const Side *s, int first)
{
    return s->width == MR ? AR : s->lanes - first <= VEC ? VEC : NR;
}

size_t panel_space(const Side *s, int count)
{
    return (size_t)(s->width == MR ? AR : NR) * (size_t)count;
}

/* --- transposing ----------------------------------------------------------------------------- */

/* The lane, numbered 0 … 2·VEC-1 over a stage's two vectors, from which lane l of a result comes.
 * They are mixed within quarters of four lanes, or in whole quarters: a processor has one
 * instruction for each. */
#define MIX(high, l) (((l)&1 ? VEC : 0) + ((l) & ~3) + ((l)&3) / 2 + 2 * (high))
#define GROUP(high, l) (2 * ((l) & ~3) + ((l)&3) + 4 * (high))
#define LANES4(f, d, l) f(d, l), f(d, l + 1), f(d, l + 2), f(d, l + 3)
#if VEC == 16
#define LANES(f, d) LANES4(f, d, 0), LANES4(f, d, 4), LANES4(f, d, 8), LANES4(f, d, 12)
#elif VEC == 8
#define LANES(f, d) LANES4(f, d, 0), LANES4(f, d, 4)
#else
#define LANES(f, d) LANES4(f, d, 0)
#endif

#define STAGE(v, d, from)                                                                          \
    UNROLL(i, VEC)                                                                                 \
        if (!(i & (d))) {                                                                          \
            Vec low = v[i], high = v[i + (d)];                                                     \
            v[i] = VEC_SHUFFLE(VecInt, low, high, LANES(from, 0));                                 \
            v[i + (d)] = VEC_SHUFFLE(VecInt, low, high, LANES(from, 1));                           \
        }

/* Swaps v[i][j] and v[j][i]: within four by four, then these blocks. */
ALWAYS_INLINE void transpose(Vec v[VEC])
{
    STAGE(v, 2, MIX)
    STAGE(v, 1, MIX)
#if VEC > 4
    STAGE(v, 4, GROUP)
#endif
#if VEC > 8
    STAGE(v, 8, GROUP)
#endif
}

/* The pointers of VEC lanes, each to steps side by side. ahead: bytes to what will be packed next.
 */
typedef struct {
    const float *lane[VEC];
    size_t ahead;
} Lanes;

/* Transposes VEC steps of VEC lanes; the first `steps` of them where not all of them are there. */
ALWAYS_INLINE void transpose_block(const Lanes *from, int k, int steps, bool whole, int row,
                                   float *to)
{
    Vec v[VEC];
    UNROLL(i, VEC) {
        const float *lane = from->lane[i] + k;
        v[i] = whole ? vec_load(lane) : vec_load_part(lane, steps);
        __builtin_prefetch((const void *)((uintptr_t)lane + from->ahead));
    }
    transpose(v);
    UNROLL(i, VEC)
        if (whole || i < steps)
            vec_store(to + (size_t)(k + i) * row, v[i]);
}

/* Transposes all steps of VEC lanes, to to[0 … count-1][0 … VEC-1] of `row` floats per step. */
static void pack_lanes(const Lanes *from, int count, int row, float *to)
{
    int k = 0;
    for (; k + VEC <= count; k += VEC)
        transpose_block(from, k, VEC, true, row, to);
    if (k < count)
        transpose_block(from, k, count - k, false, row, to);
}

/* --- matrices -------------------------------------------------------------------------------- */

static const float zeros[KC];

/* Packs lanes whose steps of k lie side by side. */
static void pack_transposed(const Side *s, int first, int row, int k, int count, float *to)
{
    for (int block = 0; block < row; block += VEC) {
        Lanes from = { .ahead = (size_t)s->width * s->lane * sizeof(float) };
        for (int i = 0; i < VEC; i++) {
            int at = first + block + i;
            bool there = at < s->lanes && block + i < s->width;
            from.lane[i] = there ? s->data + (size_t)at * s->lane + k : zeros;
        }
        pack_lanes(&from, count, row, to + block);
    }
}

static void pack_general(const Side *s, int first, int row, int k, int count, float *to)
{
    for (int step = 0; step < count; step++, to += row)
        for (int i = 0; i < row; i++)
            to[i] = first + i < s->lanes
                        ? s->data[(size_t)(first + i) * s->lane + (size_t)(k + step) * s->k]
                        : 0;
}

/* Copies steps whose lanes lie side by side, `there` of them. Reads past the panel, not past the
 * factor. */
ALWAYS_INLINE void copy_steps(const float *from, size_t k, int there, int row, int count, float *to)
{
    for (; count > 0; count--, from += k, to += row)
        UNROLL(v, row / VEC) {
            int at = v * VEC, left = there - at;
            vec_store(to + at, left > 0 ? vec_load_upto(from + at, left) : (Vec){ 0 });
        }
}

/* Packs a few steps of all panels, then the next ones, to read memory in its order. */
static void pack_copied(const Side *s, int first, int end, int k, int count, float *to)
{
    enum { STEPS = 8 };
    for (int step = 0; step < count; step += STEPS) {
        float *panel = to;
        for (int i = first; i < end; i += s->width, panel += panel_space(s, count)) {
            const float *from = s->data + (size_t)(k + step) * s->k + i;
            int steps = int_min(STEPS, count - step), row = panel_step(s, i);
            if (row == NR)
                copy_steps(from, s->k, s->lanes - i, NR, steps, panel + (size_t)step * NR);
            else
                copy_steps(from, s->k, s->lanes - i, VEC, steps, panel + (size_t)step * VEC);
        }
    }
}

/* --- patches --------------------------------------------------------------------------------- */

static void copy_floats(float *to, const float *from, int count)
{
    int i = 0;
    for (; i + VEC <= count; i += VEC)
        vec_store(to + i, vec_load(from + i));
    copy_part(to + i, from + i, count - i);
}

static void clear_floats(float *to, int count)
{
    int i = 0;
    for (; i + VEC <= count; i += VEC)
        vec_store(to + i, (Vec){ 0 });
    vec_store_part(to + i, (Vec){ 0 }, count - i);
}

/* The number of channels from (kx, c) on that lie side by side in memory, or are all outside the
 * image. */
static int run_length(const Patches *p, int kx, int c, bool inside, int ix)
{
    int taps = 1;
    if (inside && !p->flipped && p->s.in == p->channels)
        taps = int_min(p->s.kernel - kx, p->s.w - ix);
    return taps * p->channels - c;
}

/* Gathers the elements first … first+count-1 of an output pixel's patch. */
static void gather(const Patches *p, int pixel, int first, int count, float *to)
{
    int ox = pixel % p->s.out_w, row = pixel / p->s.out_w, oy = row % p->s.out_h,
        n = row / p->s.out_h;
    int tap = first / p->channels, c = first % p->channels;
    int ky = tap / p->s.kernel, kx = tap % p->s.kernel;
    while (count > 0) {
        int iy = oy * p->s.stride - p->s.pad + (p->flipped ? p->s.kernel - 1 - ky : ky);
        int ix = ox * p->s.stride - p->s.pad + (p->flipped ? p->s.kernel - 1 - kx : kx);
        bool inside = iy >= 0 && iy < p->s.h && ix >= 0 && ix < p->s.w;
        int run = int_min(count, run_length(p, kx, c, inside, ix));
        if (inside)
            copy_floats(to, p->x + (((size_t)n * p->s.h + iy) * p->s.w + ix) * p->s.in + c, run);
        else
            clear_floats(to, run);
        to += run;
        count -= run;
        c = 0;
        kx += ceil_div(run, p->channels);
        if (kx >= p->s.kernel) {
            kx = 0;
            ky++;
        }
    }
}

/* The corners at which the patches of some lanes' pixels begin: the image, and the first tap's row
 * and column. */
typedef struct {
    const float *image[VEC];
    int y[VEC], x[VEC], count;
} Corners;

static Corners corners_of(const Patches *p, int pixel, int count)
{
    Corners c = { .count = count };
    for (int i = 0; i < count; i++) {
        int ox = (pixel + i) % p->s.out_w, row = (pixel + i) / p->s.out_w;
        c.image[i] = p->x + (size_t)(row / p->s.out_h) * p->s.h * p->s.w * p->s.in;
        c.y[i] = row % p->s.out_h * p->s.stride - p->s.pad;
        c.x[i] = ox * p->s.stride - p->s.pad;
    }
    return c;
}

/* The lanes' pixels under one tap, from channel c on; zeros outside the image. */
static Lanes lanes_under(const Patches *p, const Corners *corners, int tap, int c)
{
    int last = p->s.kernel * p->s.kernel - 1, at = p->flipped ? last - tap : tap;
    int ky = at / p->s.kernel, kx = at % p->s.kernel;
    Lanes lanes = { .ahead = 0 };
    for (int i = 0; i < VEC; i++) {
        int y = corners->y[i] + ky, x = corners->x[i] + kx;
        bool inside = i < corners->count && y >= 0 && y < p->s.h && x >= 0 && x < p->s.w;
        lanes.lane[i] = inside ? corners->image[i] + ((size_t)y * p->s.w + x) * p->s.in + c : zeros;
    }
    return lanes;
}

/* Packs lanes that are pixels whose channels are whole vectors: transposed tap by tap, straight
 * from the image. */
static void pack_channels(const Side *s, int first, int row, int k, int count, float *to)
{
    const Patches *p = s->patches;
    for (int block = 0; block < row; block += VEC) {
        int there = int_min(int_min(s->width - block, VEC), s->lanes - first - block);
        Corners corners = corners_of(p, first + block, there > 0 ? there : 0);
        for (int at = 0, run; at < count; at += run) {
            int tap = (k + at) / p->channels, c = (k + at) % p->channels;
            run = int_min(count - at, p->channels - c);
            Lanes lanes = lanes_under(p, &corners, tap, c);
            pack_lanes(&lanes, run, row, to + (size_t)at * row + block);
        }
    }
}

/* Packs lanes that are pixels: each one's steps are gathered side by side, then transposed. */
static void pack_pixels(const Side *s, int first, int row, int k, int count, float *to)
{
    float buffer[VEC][KC + VEC]; /* rows on different cache sets */
    for (int block = 0; block < row; block += VEC) {
        Lanes from = { .ahead = 0 };
        for (int i = 0; i < VEC; i++) {
            int at = first + block + i;
            bool there = at < s->lanes && block + i < s->width;
            if (there)
                gather(s->patches, at, k, count, buffer[i]);
            from.lane[i] = there ? buffer[i] : zeros;
        }
        pack_lanes(&from, count, row, to + block);
    }
}

/* Packs lanes that are taps and channels: each step is a piece of a pixel's patch, gathered for
 * some panels of B at once, because finding the pixel takes longer than copying one panel's share.
 */
static void pack_taps(const Side *s, int first, int end, int k, int count, float *to)
{
    enum { PANELS = 8 };
    float piece[PANELS * NR] = { 0 };
    for (; first < end; first += PANELS * NR, to += PANELS * panel_space(s, count)) {
        int there = int_min(PANELS * NR, end - first);
        clear_floats(piece + there, PANELS * NR - there);
        for (int step = 0; step < count; step++) {
            gather(s->patches, k + step, first, there, piece);
            for (int i = 0; i < there; i += NR) {
                int row = panel_step(s, first + i);
                float *panel = to + (size_t)(i / NR) * panel_space(s, count);
                copy_floats(panel + (size_t)step * row, piece + i, row);
            }
        }
    }
}

/* --- whichever it is ------------------------------------------------------------------------- */

void panel_pack(const Side *s, int first, int end, int k, int count, float *to)
{
    if (s->patches && s->taps_are_lanes) {
        pack_taps(s, first, end, k, count, to);
        return;
    }
    if (!s->patches && s->lane == 1) {
        pack_copied(s, first, end, k, count, to);
        return;
    }
    for (; first < end; first += s->width, to += panel_space(s, count)) {
        int row = panel_step(s, first);
        if (s->patches && s->patches->channels % VEC == 0)
            pack_channels(s, first, row, k, count, to);
        else if (s->patches)
            pack_pixels(s, first, row, k, count, to);
        else if (s->k == 1)
            pack_transposed(s, first, row, k, count, to);
        else
            pack_general(s, first, row, k, count, to);
    }
}
