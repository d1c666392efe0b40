/* The product C = A·B in blocks, after Goto and van de Geijn ("Anatomy of high-performance matrix
 * multiplication", 2008): panels of A and B are packed, and a tile of C is summed in registers.
 * (A is rather read where it lies, if it lies well.)
 *
 * C is cut into tasks, rectangles for whose rows one thread packs A, block of k after block; their
 * columns are shared by the threads that have nothing else to do. Each element is summed step by
 * step within a block and block after block, whatever task or tile it is in: so its bits depend on
 * neither the threads nor the cutting. */
#include "engine/fast/kernels/gemm.h"

#include "base/ints.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/gemm_tile.h"
#include "engine/fast/kernels/pack.h"
#include "engine/fast/kernels/vecmath.h"

/* MC rows of A and NC columns of B at a time: 450 and 500 KiB of packed panels, which stay in the
 * second cache. */
enum { MC = 200 / MR * MR, NC = 256, NONE = -1 };
enum {
    WORK_A = MC / MR * AR * KC,
    WORK_B = NC * KC,
    WORK = (WORK_A + WORK_B + LINE) / LINE * LINE + THREAD_GAP / sizeof(float)
};

/* The steps of k that a block has: as even as can be, from k alone. */
static int block_of(int k)
{
    int blocks = k > KC ? ceil_div(k, KC) : 1;
    return ceil_div(ceil_div(k > 0 ? k : 1, blocks), VEC) * VEC;
}

/* --- tasks ----------------------------------------------------------------------------------- */

typedef struct {
    const Gemm *g;
    Side a, b;
    bool in_place;     /* A is read where it lies, not packed */
    int block;         /* steps of k in a block */
    int rows, columns; /* of a task */
    int tasks_down, tasks_across;
    int shared; /* columns of a task that one thread takes at a time */
    int *held; /* by worker: the first of the rows whose panels of A it has, if of all k; or NONE */
} Plan;

/* A rectangle of C, and the block of k that is being added to it. */
typedef struct {
    int i, j, rows, columns;
    int k, count;
    bool first, last;
} Piece;

/* The columns that packed panels have. */
static size_t padded(int n)
{
    return size_mul((size_t)ceil_div(n, VEC), VEC);
}

/* A tile of C. */
typedef struct {
    int i, j, rows, columns, vecs; /* vecs·VEC columns are summed, `columns` of them are there */
} Tile;

/* Takes whole vectors, so that a column's arithmetic is the same at C's edge and inside. */
static void gelu_rows(const Tile *t, float *c, size_t row)
{
    for (int i = 0; i < t->rows; i++, c += row)
        for (int j = 0; j < t->vecs * VEC; j += VEC)
            vec_store(c + j, vec_gelu(vec_load(c + j)));
}

/* The ends of a tile: bias and residual join the first block's sums (the residual may be C, which
 * the partial sums overwrite), the activation comes after the last. */
static Ends ends_of(const Gemm *g, const Piece *p, const Tile *t)
{
    Ends e = { .plus_row = g->c_row, .to_row = g->c_row, .a_row = g->a.row };
    size_t at = (size_t)t->i * g->c_row + (size_t)t->j;
    e.to = g->c + at;
    if (g->accumulate || !p->first)
        e.plus = e.to;
    else if (g->residual)
        e.plus = g->residual + at;
    if (g->bias && p->first)
        e.bias = g->bias + t->j;
    e.relu = p->last && g->act == RELU;
    return e;
}

/* Sums C's last columns through a tile of whole vectors. */
static void multiply_edge(const Piece *p, const Tile *t, SumTile *sum, const float *a,
                          const float *b, Ends e, bool gelu)
{
    float tile[MR * NR] __attribute__((aligned(64))), bias[NR] __attribute__((aligned(64)));
    int width = t->vecs * VEC;
    Ends through = { .bias = e.bias ? bias : NULL,
                     .to = tile,
                     .to_row = (size_t)width,
                     .relu = e.relu,
                     .a_row = e.a_row,
                     .ahead = e.ahead };
    for (int j = 0; e.bias && j < width; j += VEC)
        vec_store(bias + j, vec_load_upto(e.bias + j, t->columns - j));
    if (e.plus) {
        through.plus = tile;
        through.plus_row = through.to_row;
        for (int i = 0; i < t->rows; i++)
            for (int j = 0; j < width; j += VEC)
                vec_store(tile + i * width + j,
                          vec_load_upto(e.plus + i * e.plus_row + j, t->columns - j));
    }
    sum(p->count, a, b, &through);
    if (gelu)
        gelu_rows(t, tile, (size_t)width);
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < width; j += VEC)
            vec_store_upto(e.to + i * e.to_row + j, vec_load(tile + i * width + j), t->columns - j);
}

/* Multiplies all rows of a piece by the panel of B at column j. The first tiles fetch next_b, which
 * will be needed after it. cold: nobody has read A's rows yet; then every tile rather fetches
 * the next one's, if they lie side by side. */
static void multiply_panel(const Plan *plan, const Piece *p, int j, const float *a, const float *b,
                           const float *next_b, bool cold)
{
    const Gemm *g = plan->g;
    int width = panel_step(&plan->b, j), lines = NR / LINE;
    bool gelu = p->last && g->act == GELU;
    bool fetch_rows = cold && plan->in_place && g->a.row == (size_t)p->count;
    size_t panel = plan->in_place ? MR * g->a.row : panel_space(&plan->a, p->count);
    for (int i = 0; i < p->rows; i += MR, a += panel) {
        Tile t = { .i = p->i + i,
                   .j = j,
                   .rows = int_min(p->rows - i, MR),
                   .columns = int_min(g->n - j, width),
                   .vecs = width / VEC };
        SumTile *sum = gemm_tiles[t.rows - 1][plan->in_place][t.vecs - 1];
        Ends e = ends_of(g, p, &t);
        if (fetch_rows)
            e.ahead = i + MR < p->rows ? a + panel : next_b;
        else
            e.ahead = i / MR < lines ? next_b + (size_t)(i / MR) * p->count * LINE : b;
        if (t.columns < width) {
            multiply_edge(p, &t, sum, a, b, e, gelu);
            continue;
        }
        sum(p->count, a, b, &e);
        if (gelu)
            gelu_rows(&t, e.to, e.to_row);
    }
}

/* A task's rectangle in the step of one block of k. */
static Piece piece_of(const Plan *plan, int task, int step)
{
    const Gemm *g = plan->g;
    Piece p = { .i = task / plan->tasks_across * plan->rows,
                .j = task % plan->tasks_across * plan->columns,
                .k = step * plan->block };
    p.rows = int_min(plan->rows, g->m - p.i);
    p.columns = int_min(plan->columns, g->n - p.j);
    p.count = int_min(plan->block, g->k - p.k);
    p.first = p.k == 0;
    p.last = p.k + p.count == g->k;
    return p;
}

/* A worker's scratch memory: packed panels of A, then of B. */
static float *work_of(const Plan *plan, int worker)
{
    return at_line(plan->g->work + (size_t)worker * WORK);
}

static bool has_step(const Plan *plan, int step)
{
    return step == 0 || step * plan->block < plan->g->k;
}

/* Packs the rows of a step, for which all threads then share its columns. */
static int pack_rows(void *context, int task, int step, int worker)
{
    const Plan *plan = context;
    if (!has_step(plan, step))
        return 0;
    Piece p = piece_of(plan, task, step);
    if (!plan->in_place && (plan->held[worker] != p.i || !p.first || !p.last))
        panel_pack(&plan->a, p.i, p.i + p.rows, p.k, p.count, work_of(plan, worker));
    plan->held[worker] = p.first && p.last ? p.i : NONE;
    return ceil_div(p.columns, plan->shared);
}

/* The rows of a piece: where they lie, or packed. */
static const float *rows_at(const Plan *plan, const Piece *p, int owner)
{
    const Matrix *a = &plan->g->a;
    return plan->in_place ? a->data + (size_t)p->i * a->row + p->k : work_of(plan, owner);
}

/* The piece that a share's owner will probably do after it; without columns: none. */
static Piece piece_after(const Plan *plan, const ParallelShare *share)
{
    int task = share->task, step = share->step + 1;
    if (!has_step(plan, step)) {
        task++;
        step = 0;
    }
    return task < plan->tasks_down * plan->tasks_across ? piece_of(plan, task, step) : (Piece){ 0 };
}

/* Columns of a piece that one thread takes. */
typedef struct {
    Piece piece;
    int first, end;
    bool guest; /* does another thread own the piece? */
    float *b;   /* their panels, where B is packed on the way */
} Item;

/* B's panel at column j of a piece: the item's, or another one where B was packed beforehand. */
static const float *panel_at(const Gemm *g, const Item *it, const Piece *p, int j)
{
    return g->packed_b ? g->packed_b + (size_t)p->k * padded(g->n) + (size_t)j * p->count
                       : it->b + (size_t)(j - it->first) * p->count;
}

/* The panel that the thread will probably need after an item's at column j: the item's next one,
 * that of the item it will take then (see parallel_tasks), or the first of the owner's next piece.
 * Where none is known, the one at j. */
static const float *panel_after(const Plan *plan, const Item *it, const Piece *after, int j)
{
    const Gemm *g = plan->g;
    const Piece *p = &it->piece;
    if (j + NR < it->end)
        return panel_at(g, it, p, j + NR);
    int then = it->guest ? it->first - plan->shared : it->end, end = p->j + p->columns;
    if (g->packed_b && then >= p->j && then < end)
        return panel_at(g, it, p, then);
    if (g->packed_b && then == end && after->columns)
        return panel_at(g, it, after, after->j);
    return panel_at(g, it, p, j);
}

static void multiply_columns(void *context, const ParallelShare *share, int item, int worker)
{
    const Plan *plan = context;
    Item it = { .piece = piece_of(plan, share->task, share->step),
                .guest = share->owner != worker,
                .b = work_of(plan, worker) + WORK_A };
    const Piece *p = &it.piece, after = piece_after(plan, share);
    const float *a = rows_at(plan, p, share->owner);
    it.first = p->j + item * plan->shared;
    it.end = int_min(it.first + plan->shared, p->j + p->columns);
    if (!plan->g->packed_b)
        panel_pack(&plan->b, it.first, it.end, p->k, p->count, it.b);
    for (int j = it.first; j < it.end; j += NR)
        multiply_panel(plan, p, j, a, panel_at(plan->g, &it, p, j),
                       panel_after(plan, &it, &after, j), j == p->j);
}

/* --- cutting C into tasks -------------------------------------------------------------------- */

/* The multiplications that are worth a thread, and the rows that are worth reading all of B for. */
enum { LEAST_TASK = 1 << 17, LEAST_ROWS = 6 * MR };

static void cut(Plan *plan, int down, int panels)
{
    const Gemm *g = plan->g;
    plan->rows = ceil_div(g->m, down);
    plan->columns = int_min(panels, ceil_div(g->n, NR)) * NR;
    plan->tasks_down = ceil_div(g->m, plan->rows);
    plan->tasks_across = ceil_div(g->n, plan->columns);
}

static double multiplications(const Plan *plan, int columns)
{
    return (double)plan->rows * columns * plan->g->k;
}

/* At least one for each thread, since what a task needs is packed by one thread; the threads share
 * the rest.
 */
static bool enough_tasks(const Plan *plan)
{
    return plan->tasks_down * plan->tasks_across >= thread_count() ||
           multiplications(plan, plan->columns) < 2 * LEAST_TASK;
}

/* Gives a task as many rows as the cache holds, then halves: of the rows, as every cut between
 * columns packs them once more, but of the longer side where a cut between rows packs B once more.
 */
static void cut_into_tasks(Plan *plan)
{
    int down = ceil_div(plan->g->m, MC), panels = ceil_div(plan->g->n, NR);
    cut(plan, down, panels);
    while (!enough_tasks(plan)) {
        bool few = plan->rows < 2 * LEAST_ROWS, wide = plan->columns >= plan->rows;
        if (panels > 1 && (few || (wide && !plan->g->packed_b)))
            panels = ceil_div(panels, 2);
        else if (plan->rows > 1)
            down *= 2;
        else
            return;
        cut(plan, down, panels);
    }
}

/* Floats apart, or a multiple, at which rows meet in the same few sets of the first cache. Others
 * that lie along k are read in place: packing would only copy them. */
enum { COLLISION = 1024 };

static bool better_in_place(const Matrix *a)
{
    return !a->patches && a->col == 1 && a->row % COLLISION != 0;
}

size_t gemm_row(int k)
{
    return (size_t)k + (k % COLLISION ? 0 : LINE);
}

/* A panel of B, or as many as are worth a thread's time; about NC columns where they have to be
 * packed. */
static int shared_columns(const Plan *plan)
{
    if (!plan->g->packed_b)
        return ceil_div(ceil_div(plan->columns, ceil_div(plan->columns, NC)), NR) * NR;
    double panel = multiplications(plan, NR) / ceil_div(plan->g->k, plan->block);
    int worth = panel < LEAST_TASK ? (int)(LEAST_TASK / panel) + 1 : 1;
    return int_min(plan->columns, worth * NR);
}

static void multiply(const Gemm *g)
{
    Plan plan = { .g = g,
                  .a = panel_side_a(g->a, g->m),
                  .b = panel_side_b(g->b, g->n),
                  .block = block_of(g->k) };
    plan.in_place = better_in_place(&g->a);
    cut_into_tasks(&plan);
    plan.shared = shared_columns(&plan);
    int threads = thread_count(), held[threads];
    for (int i = 0; i < threads; i++)
        held[i] = NONE;
    plan.held = held;
    double worth = (double)g->m * g->n * g->k / LEAST_TASK;
    parallel_tasks(plan.tasks_down * plan.tasks_across, worth < threads ? (int)worth : threads,
                   pack_rows, multiply_columns, &plan);
}

/* --- B packed beforehand --------------------------------------------------------------------- */

size_t gemm_packed(int k, int n)
{
    return size_mul((size_t)k, padded(n));
}

typedef struct {
    Side b;
    int k, n, block, pieces; /* pieces of a block */
    float *packed;
} Packing;

/* Packs NC columns of one block of k. */
static void pack_piece(void *context, int item, int worker)
{
    (void)worker;
    const Packing *p = context;
    int at = item / p->pieces * p->block, first = item % p->pieces * NC;
    int count = int_min(p->block, p->k - at), end = int_min(first + NC, p->n);
    float *to = p->packed + (size_t)at * padded(p->n) + (size_t)first * count;
    panel_pack(&p->b, first, end, at, count, to);
}

/* Packs block of k after block, in each panel after panel. */
void gemm_pack(Matrix b, int k, int n, float *packed)
{
    Packing p = { panel_side_b(b, n), k, n, block_of(k), ceil_div(n, NC), packed };
    parallel_for(ceil_div(k, p.block) * p.pieces, pack_piece, &p);
}

/* --- the product ----------------------------------------------------------------------------- */

void gemm_run(const Gemm *g)
{
    if (g->m < 1 || g->n < 1)
        return;
    Gemm ready = *g;
    if (!g->packed_b && g->whole_b && gemm_whole(g->m, g->k, g->n)) {
        gemm_pack(g->b, g->k, g->n, g->whole_b);
        ready.packed_b = g->whole_b;
    }
    multiply(&ready);
}

size_t gemm_whole(int m, int k, int n)
{
    return m > MC ? gemm_packed(k, n) : 0;
}

size_t gemm_work(void)
{
    return size_mul((size_t)thread_count(), WORK) + LINE;
}
