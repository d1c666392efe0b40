#include "data/shapes.h"

#include "base/random.h"

#include <math.h>
#include <stdbool.h>

const char *const shapes_names[SHAPES_CLASSES] = { "disc", "ring",  "square",  "triangle",
                                                   "star", "cross", "stripes", "checkerboard",
                                                   "dots", "spiral" };

/* --- outlines ------------------------------------------------------------------------------------
 *
 * Each gives the distance, in pixels, of a point to the outline: negative inside. Exact near the
 * outline, which is all that the soft edge of one pixel needs. x and y are counted from the middle
 * of the shape, r is its size. */

typedef double Outline(double x, double y, double r);

/* Written out: the calls of libm's fmin, fmax and hypot would be half of the time in which the set
 * is drawn, and that is most of a short run's. */
static double smaller_of(double a, double b)
{
    return a < b ? a : b;
}

static double larger_of(double a, double b)
{
    return a > b ? a : b;
}

static double length(double x, double y)
{
    return sqrt(x * x + y * y);
}

static double disc(double x, double y, double r)
{
    return length(x, y) - r;
}

static double ring(double x, double y, double r)
{
    return fabs(length(x, y) - 0.75 * r) - 0.2 * r;
}

static double square(double x, double y, double r)
{
    return larger_of(fabs(x), fabs(y)) - 0.85 * r;
}

static double triangle(double x, double y, double r)
{
    double slant = 0.8660254037844386 * fabs(x) - 0.5 * y;
    return larger_of(slant, y) - 0.55 * r;
}

/* Brings a point beyond the line through the middle at this angle to the line's other side. */
static void fold(double *x, double *y, double angle)
{
    double beyond = *y * cos(angle) - *x * sin(angle);
    if (beyond > 0) {
        *x += 2 * beyond * sin(angle);
        *y -= 2 * beyond * cos(angle);
    }
}

/* Five points: folded into half of one of them, whose side is a straight line from the tip
 * (1.2 r away) to the notch (half as far). */
static double star(double x, double y, double r)
{
    y = fabs(y);
    fold(&x, &y, 3 * M_PI / 5);
    fold(&x, &y, 2 * M_PI / 5);
    fold(&x, &y, M_PI / 5);
    double tip = 1.2 * r, notch_x = 0.55 * r * cos(M_PI / 5), notch_y = 0.55 * r * sin(M_PI / 5);
    double side_x = notch_x - tip, side_y = notch_y;
    return ((x - tip) * side_y - y * side_x) / length(side_x, side_y);
}

static double cross(double x, double y, double r)
{
    double across = larger_of(fabs(x) - 1.05 * r, fabs(y) - 0.32 * r);
    double along = larger_of(fabs(x) - 0.32 * r, fabs(y) - 1.05 * r);
    return smaller_of(across, along);
}

/* Distance to the nearest edge of bands of equal width that repeat every `period`: a zigzag. */
static double bands(double x, double period)
{
    double place = x / period;
    return (fabs(place - rint(place)) - 0.25) * period;
}

static double stripes(double x, double y, double r)
{
    (void)y;
    return bands(x, 0.8 * r);
}

static double checkerboard(double x, double y, double r)
{
    double a = bands(x, 1.1 * r), b = bands(y, 1.1 * r), near = smaller_of(fabs(a), fabs(b));
    return (a < 0) == (b < 0) ? -near : near;
}

static double dots(double x, double y, double r)
{
    double period = 0.8 * r;
    x -= period * rint(x / period);
    y -= period * rint(y / period);
    return length(x, y) - 0.3 * period;
}

/* An arm that moves out by `period` a turn. */
static double spiral(double x, double y, double r)
{
    double period = 0.8 * r, away = length(x, y);
    return larger_of(bands(away - period * atan2(y, x) / (2 * M_PI), period), away - 1.5 * r);
}

static Outline *const outlines[SHAPES_CLASSES] = { disc,  ring,    square,       triangle, star,
                                                   cross, stripes, checkerboard, dots,     spiral };

/* --- an image ------------------------------------------------------------------------------- */

typedef struct {
    int class;
    double x, y, size, cosine, sine; /* place of the middle, in pixels from the image's */
    double back, back_x, back_y;     /* background: brightness in the middle, slope a pixel */
    double contrast, shade_x;        /* shape against background, and how that changes along it */
    double noise;                    /* standard deviation */
} Scene;

static double between(Random r, uint64_t i, double low, double high)
{
    return low + (high - low) * random_uniform(r, i);
}

/* Classes take turns in blocks of ten, each block in an order of its own. */
static int class_of(Random r, uint32_t i)
{
    uint32_t order[SHAPES_CLASSES];
    r.stream ^= random_stream("class") + i / SHAPES_CLASSES;
    random_permutation(r, order, SHAPES_CLASSES);
    return (int)order[i % SHAPES_CLASSES];
}

static Scene compose(Random r, int class)
{
    double angle = between(r, 0, -0.3, 0.3), slope = between(r, 1, 0, 2 * M_PI);
    double steepness = between(r, 2, 0, 1.5), contrast = between(r, 3, 90, 150);
    bool dark = random_below(r, 4, 2);
    return (Scene){
        .class = class,
        .x = between(r, 5, -2, 2),
        .y = between(r, 6, -2, 2),
        .size = between(r, 7, 9, 11),
        .cosine = cos(angle),
        .sine = sin(angle),
        .back = dark ? between(r, 8, 40 + contrast, 225) : between(r, 8, 30, 215 - contrast),
        .back_x = steepness * cos(slope),
        .back_y = steepness * sin(slope),
        .contrast = dark ? -contrast : contrast,
        .shade_x = between(r, 9, -0.02, 0.02),
        .noise = between(r, 10, 2, 8),
    };
}

static double clamp(double x, double low, double high)
{
    return smaller_of(larger_of(x, low), high);
}

/* Brightness of the point (x, y), counted from the image's middle, without noise. */
static double brightness(const Scene *s, double x, double y)
{
    double from_x = x - s->x, from_y = y - s->y;
    double along = s->cosine * from_x + s->sine * from_y;
    double across = s->cosine * from_y - s->sine * from_x;
    double covered = clamp(0.5 - outlines[s->class](along, across, s->size), 0, 1);
    double back = s->back + s->back_x * x + s->back_y * y;
    return back + covered * s->contrast * (1 + s->shade_x * along);
}

/* Near enough to normal, and quick: a sum of four bytes has the standard deviation 147.8. */
static double noise(uint64_t bits)
{
    int sum = (int)((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24 & 255));
    return (sum - 510) / 147.8;
}

int shapes_draw(int split, uint32_t i, uint8_t pixels[SHAPES_SIDE * SHAPES_SIDE])
{
    Random r = { (uint64_t)split, random_stream("shapes") };
    Scene scene = compose((Random){ random_bits(r, i), 0 }, class_of(r, i));
    Random grain = { random_bits(r, i), 1 };
    uint64_t bits = 0;
    for (int y = 0; y < SHAPES_SIDE; y++)
        for (int x = 0; x < SHAPES_SIDE; x++) {
            int at = y * SHAPES_SIDE + x;
            bits = at % 2 ? bits >> 32 : random_bits(grain, (uint64_t)at);
            double middle = (SHAPES_SIDE - 1) / 2.0;
            double value = brightness(&scene, x - middle, y - middle) + scene.noise * noise(bits);
            pixels[at] = (uint8_t)(clamp(value, 0, 255) + 0.5);
        }
    return scene.class;
}
