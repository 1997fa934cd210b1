// Stochastic gradient descent on a UMAP map (McInnes, Healy & Melville 2018): drawn edges side by side in the lanes of vector registers.
#include "CKernels.h"
#include "elementary.h"

#define LANES 16
// Edges whose turn is looked at before the due ones among them are drawn.
#define CHUNK 1024
#define INLINE static inline __attribute__((always_inline))

// Keeps powers and quotients of equal points finite: multiplied by their difference, 0, they are 0.
#define LEAST 1e-30f

INLINE float clip(float x) {
    x = x < -4.0f ? -4.0f : x;
    return x > 4.0f ? 4.0f : x;
}

// Random bits of a place: the finalizer of a hash of 32 bits (two multiplications, three shifts), keyed before and between.
INLINE uint32_t scatter(uint32_t place, uint64_t key) {
    uint32_t h = place * 0x9E3779B9u + (uint32_t)key;
    h = (h ^ (h >> 16)) * 0x7FEB352Du ^ (uint32_t)(key >> 32);
    h = (h ^ (h >> 15)) * 0x846CA68Bu;
    return h ^ (h >> 16);
}

// Where a point is. Both numbers are read at once: half as many loads.
INLINE void load(const float *points, int64_t i, float *x, float *y, const int plane) {
    uint64_t pair = 0;
    memcpy(&pair, points + (plane ? 2 : 1) * i, plane ? 8 : 4);
    uint32_t low = (uint32_t)pair, high = (uint32_t)(pair >> 32);
    memcpy(x, &low, 4);
    memcpy(y, &high, 4);
}

// Draws LANES edges, of which the first `filled` count.
INLINE void draw(const kt_umap_forces f, const int32_t *edges, int64_t filled, const int32_t *heads, const int32_t *tails, float *points,
                 const float *others, uint32_t count, uint64_t key, uint32_t *place, const int plane) {
#pragma clang fp reassociate(on) contract(fast)
    const int d = plane ? 2 : 1;
    float x[LANES], y[LANES], other_x[LANES], other_y[LANES], start_x[LANES], start_y[LANES], pull_x[LANES], pull_y[LANES];
    int32_t head[LANES], drawn[LANES];
    for (int l = 0; l < LANES; l++) {
        int64_t i = heads[edges[l]], j = tails[edges[l]];
        head[l] = (int32_t)i;
        load(points, i, x + l, y + l, plane);
        load(points, j, other_x + l, other_y + l, plane);
    }
    memcpy(start_x, x, sizeof x);
    memcpy(start_y, y, sizeof y);
    for (int l = 0; l < LANES; l++) {
        float dx = x[l] - other_x[l], dy = y[l] - other_y[l], squared = dx * dx + dy * dy + LEAST;
        float power = kt_exp_f(f.b * kt_log_normal_f(squared));
        float force = -2.0f * f.a * f.b * power / (squared * (1.0f + f.a * power));
        pull_x[l] = f.rate * clip(force * dx);
        pull_y[l] = f.rate * clip(force * dy);
        x[l] += pull_x[l];
        y[l] += pull_y[l];
    }
    for (int32_t n = 0; n < f.negatives; n++) {
        for (int l = 0; l < LANES; l++) drawn[l] = (int32_t)(((uint64_t)scatter(*place + (uint32_t)l, key) * count) >> 32);
        *place += LANES;
        for (int l = 0; l < LANES; l++) {
            load(others, drawn[l], other_x + l, other_y + l, plane);
        }
        for (int l = 0; l < LANES; l++) {
            float dx = x[l] - other_x[l], dy = y[l] - other_y[l], squared = dx * dx + dy * dy + LEAST;
            float power = kt_exp_f(f.b * kt_log_normal_f(squared));
            // 0.001 keeps near points from flying apart.
            float force = 2.0f * f.repulsion * f.b / ((0.001f + squared) * (1.0f + f.a * power));
            force = drawn[l] == head[l] ? 0.0f : force;
            x[l] += f.rate * clip(force * dx);
            y[l] += f.rate * clip(force * dy);
        }
    }
    for (int l = 0; l < LANES; l++) {
        x[l] -= start_x[l];
        y[l] -= start_y[l];
    }
    // One after the other: edges may share a point.
    for (int64_t l = 0; l < filled; l++) {
        int64_t i = head[l], j = tails[edges[l]];
        points[d * i] += x[l];
        points[d * j] -= pull_x[l];
        if (plane) {
            points[d * i + 1] += y[l];
            points[d * j + 1] -= pull_y[l];
        }
    }
}

INLINE void pass(const kt_umap_forces f, int64_t first, int64_t last, const int32_t *heads, const int32_t *tails, const float *periods,
                 float *next, float now, int64_t width, float *points, const float *others, uint32_t count, uint64_t key, const int plane) {
    int32_t due[CHUNK + 2 * LANES];
    int64_t n = 0;
    uint32_t place = 0;
    for (int64_t start = first; start < last; start += CHUNK) {
        int64_t end = start + CHUNK < last ? start + CHUNK : last, at = 0;
        for (int64_t e = start; e < end; e++) {
            due[n] = (int32_t)e;
            n += next[e] <= now;
        }
        for (int64_t e = start; e < end; e++) next[e] += next[e] <= now ? periods[e] : 0.0f;
        if (n == 0) continue;
        // A lane that does not count repeats an edge.
        for (int64_t l = n; l < n + LANES; l++) due[l] = due[0];
        for (; at + width <= n; at += width) draw(f, due + at, width, heads, tails, points, others, count, key, &place, plane);
        if (end == last && at < n) draw(f, due + at, n - at, heads, tails, points, others, count, key, &place, plane);
        memmove(due, due + at, (size_t)(n - at) * sizeof due[0]);
        n -= at;
    }
}

KT_CLONES
void kt_umap_pass(kt_umap_forces forces, int64_t first, int64_t last, const int32_t *heads, const int32_t *tails, const float *periods,
                  float *next, float now, int32_t width, int32_t dimensions, float *points, const float *others, uint32_t count,
                  uint64_t key) {
    if (dimensions == 2) pass(forces, first, last, heads, tails, periods, next, now, width, points, others, count, key, 1);
    else pass(forces, first, last, heads, tails, periods, next, now, width, points, others, count, key, 0);
}
