// Vector loops of the analyses: the best of many scores, and the forces between the points of a t-SNE or UMAP map.
// Included by CKernels.h. Each row's or point's result depends on no other row of the call.
#pragma once
#include <stdint.h>

// MARK: Best scores

// The `k` best of the scores seen so far for each row. A candidate is one number: the score's bits, made to sort as unsigned, above
// the complement of its id, so that a larger key is a better candidate and among equal scores the lower id is better.
// `capacity` >= k + KT_BEST_SLACK keys a row; a row's keys are in no order until kt_best_finish.
#define KT_BEST_SLACK 64

// Offers scores (rows x columns, `stride` floats from row to row) of the candidates first_id, first_id + 1, ... to each row.
// A score that is NaN or -infinity never enters. thresholds start at -infinity, counts at 0.
void kt_best_offer(const float *scores, int64_t rows, int64_t columns, int64_t stride, uint32_t first_id, int64_t k,
                   int64_t capacity, uint64_t *keys, int32_t *counts, float *thresholds);
// Puts the best k (or as many as there are) of each row first, best first.
void kt_best_finish(int64_t rows, int64_t k, int64_t capacity, uint64_t *keys, int32_t *counts);
// Puts the best k of *count > k keys first, in their order, and sets *count to k.
void kt_best_keep(int64_t k, uint64_t *keys, int32_t *count);
uint64_t kt_best_key(float score, uint32_t id);
float kt_best_score(uint64_t key);
uint32_t kt_best_id(uint64_t key);

// Indices of the elements >= threshold, in order; returns how many. `indices` has room for n.
int64_t kt_at_least(const float *x, int64_t n, float threshold, int32_t *indices);

// MARK: Scans

// scores (query_count x count): cosines of unit queries with rows (count x width), in float. `norms` holds the rows' lengths or is NULL. A row
// of zeros, or one that `valid` (may be NULL) marks 0, gets -infinity. Returns the first row that holds NaN or infinity, -1 where none does.
int64_t kt_scan_cosines(const float *queries, int64_t query_count, const float *rows, int64_t count, int64_t width, const float *norms,
                        const uint8_t *valid, float *scores);
// scores = scale of the row * query_scale * (query . code); sum |query| * 127 fits 32 bits. A scale of 0 stands for a row of zeros.
void kt_scan_int8(const int16_t *query, float query_scale, const int8_t *codes, int64_t count, int64_t width, const float *scales,
                  const uint8_t *valid, float *scores);
// low, high = scores -+ (errors * a + b); errors may be NULL for zeros.
void kt_scan_bounds(const float *scores, const float *errors, float a, float b, int64_t n, float *low, float *high);
// scores = sum of +-q over the components, the signs being the row's bits. q = least + step * u, bit p of every u in planes[p * words ...],
// words being the 64-bit words of a row; query_sum = sum of q.
void kt_scan_bits(const uint64_t *planes, int32_t plane_count, float least, float step, float query_sum, const uint8_t *bits, int64_t count,
                  int64_t bytes, const uint8_t *valid, float *scores);

// MARK: Rows

// y = (x - center) * scale, row by row; center may be NULL.
void kt_center_scale(const float *x, const float *center, float scale, int64_t n, float *y);
// sum of (x - y)^2, in double.
double kt_squared_distance(const float *x, const float *y, int64_t n);
// y = x - shift, in double.
void kt_shift_to_double(const float *x, const double *shift, int64_t n, double *y);

// MARK: t-SNE

// Kernel of the map: w(d) = (1 + d^2 / a)^-a; a = 1 is Student's t with one degree of freedom. Coordinates of one dimension pass
// y = NULL (and get no fy).

// Repulsion on the points first ..< last from all n: f = sum_j w_ij (1 + d_ij^2 / a)^-1 (y_i - y_j), z[i] = sum_(j != i) w_ij.
// `targets` are the points that feel, `sources` those that push; `own` says that they are the same points.
void kt_tsne_repulsion(const float *tx, const float *ty, int64_t first, int64_t last, const float *sx, const float *sy, int64_t sources,
                       int32_t own, float a, float *fx, float *fy, double *z);
// Attraction along the edges of rows first ..< last: f = sum_e p_e (1 + d_e^2 / a)^-1 (y_i - y_column(e)).
void kt_tsne_attraction(const float *tx, const float *ty, int64_t first, int64_t last, const int64_t *offsets, const int32_t *columns,
                        const float *p, const float *sx, const float *sy, float a, float *fx, float *fy);
// sum over the edges of rows first ..< last of p_e * (-log w_e), in double.
double kt_tsne_attraction_energy(const float *tx, const float *ty, int64_t first, int64_t last, const int64_t *offsets,
                                 const int32_t *columns, const float *p, const float *sx, const float *sy, double a);
// The same over all pairs of n points: p is (n, n) with zeros on the diagonal.
void kt_tsne_attraction_all(const float *x, const float *y, int64_t first, int64_t last, int64_t n, const float *p, float a,
                            float *fx, float *fy);
double kt_tsne_attraction_all_energy(const float *x, const float *y, int64_t first, int64_t last, int64_t n, const float *p, double a);

// One step of gradient descent with momentum and gains (Jacobs 1988) on n points. The direction is d = exaggeration * attraction -
// repulsion * inverse_z, a quarter of the gradient; u = momentum * u - rate * gain * d, no longer than longest_step; y += u.
// sums += {sum of new x, sum of new y, sum of |d|^2}.
typedef struct {
    float exaggeration, inverse_z, momentum, rate, least_gain, longest_step;
} kt_tsne_schedule;
void kt_tsne_step(kt_tsne_schedule schedule, int64_t n, const float *attraction_x, const float *attraction_y, const float *repulsion_x,
                  const float *repulsion_y, float *x, float *y, float *ux, float *uy, float *gain_x, float *gain_y, double *sums);
// x -= mean_x, y -= mean_y (y may be NULL).
void kt_tsne_center(int64_t n, float mean_x, float mean_y, float *x, float *y);

// Quintic B-splines on a grid: weights of the six nodes floor(u) - 5 + j, u being the place in units of the grid's spacing.
#define KT_SPLINE_NODES 6
// A row of the grid needs this many floats beyond its last node: nodes are touched eight at a time.
#define KT_SPLINE_SLACK 8
// Adds the points order[first ..< last] to the grid (row-major, `stride` floats a row): place u = (x - left) * per_unit, v likewise for y.
void kt_spline_spread(const int32_t *order, int64_t first, int64_t last, const float *x, const float *y, float left, float bottom,
                      float per_unit, int64_t stride, float *grid);
// f = -1/2 of the gradient of the grid's function at each point; values (may be NULL) the function itself; returns the sum of its values.
double kt_spline_gather(const int32_t *order, int64_t first, int64_t last, const float *x, const float *y, float left, float bottom,
                        float per_unit, int64_t stride, const float *grid, float *fx, float *fy, double *values);
// The same on a line.
void kt_spline_spread_line(int64_t n, const float *x, float left, float per_unit, float *grid);
double kt_spline_gather_line(int64_t n, const float *x, float left, float per_unit, const float *grid, float *fx, double *values);

// A cell of a Barnes-Hut tree, in depth-first order: its subtree is the cells up to `skip`, its points are sorted[first ..< first + count].
typedef struct {
    float x, y;     // middle of its points
    float reach;    // squared side / angle squared: farther away than that it counts as one point
    int32_t skip, first, count;
    int32_t leaf;
} kt_cell;
// As kt_tsne_repulsion with own = 1, for the sorted points first ..< last; results go to fx[order[i]], fy[order[i]], z[order[i]]. y and fy may be NULL.
void kt_tree_repulsion(const kt_cell *cells, int32_t cell_count, const int32_t *order, const float *sorted_x, const float *sorted_y,
                       int64_t first, int64_t last, float a, float *fx, float *fy, double *z);

// MARK: UMAP

// The curve 1 / (1 + a d^2b), the weight of pushing away, the learning rate, and the points that each drawn edge pushes away.
typedef struct {
    float a, b, repulsion, rate;
    int32_t negatives;
} kt_umap_forces;
// Draws the edges first ..< last whose turn, next[e], is no later than `now`, and adds periods[e] to it. A drawn edge moves both its ends
// together, then its head away from `negatives` of the `count` points of `others`, which stay; a head never feels itself. No coordinate of a
// step exceeds 4 * rate. points and others have `dimensions` (1 or 2) numbers a point. `width` edges at once (1 ... 16), in order, start
// from the same positions, and what they move is added up. The random numbers depend on `key` and on which edge of the pass it is.
void kt_umap_pass(kt_umap_forces forces, int64_t first, int64_t last, const int32_t *heads, const int32_t *tails, const float *periods,
                  float *next, float now, int32_t width, int32_t dimensions, float *points, const float *others, uint32_t count,
                  uint64_t key);
