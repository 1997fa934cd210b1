#include "CKernels.h"
#include "elementary.h"

#define INLINE static inline __attribute__((always_inline))
#define NODES KT_SPLINE_NODES

typedef float lanes8 __attribute__((vector_size(32), aligned(4)));
#define AT8(p) (*(lanes8 *)(p))
#define GET8(p) (*(const lanes8 *)(p))

// Weights of the nodes at fraction t in [0, 1), by the recursion over the spline's order (de Boor 1972, as written for particle
// meshes by Essmann et al. 1995), and their derivatives by t. Lanes 6 and 7 are 0.
INLINE void spline_weights(float t, float *w, float *d) {
    w[0] = 1.0f - t;
    w[1] = t;
    for (int k = 3; k < NODES; k++) {
        float part = 1.0f / (float)(k - 1);
        w[k - 1] = part * t * w[k - 2];
        for (int j = 1; j < k - 1; j++)
            w[k - j - 1] = part * ((t + (float)j) * w[k - j - 2] + ((float)(k - j) - t) * w[k - j - 1]);
        w[0] = part * (1.0f - t) * w[0];
    }
    d[0] = -w[0];
    for (int j = 1; j < NODES - 1; j++) d[j] = w[j - 1] - w[j];
    d[NODES - 1] = w[NODES - 2];
    const int k = NODES;
    float part = 1.0f / (float)(k - 1);
    w[k - 1] = part * t * w[k - 2];
    for (int j = 1; j < k - 1; j++) w[k - j - 1] = part * ((t + (float)j) * w[k - j - 2] + ((float)(k - j) - t) * w[k - j - 1]);
    w[0] = part * (1.0f - t) * w[0];
    w[6] = w[7] = d[6] = d[7] = 0.0f;
}

KT_CLONES
void kt_spline_spread(const int32_t *order, int64_t first, int64_t last, const float *x, const float *y, float left, float bottom,
                      float per_unit, int64_t stride, float *grid) {
    for (int64_t e = first; e < last; e++) {
        int64_t i = order[e];
        float u = (x[i] - left) * per_unit, v = (y[i] - bottom) * per_unit, wx[8], wy[8], d[8];
        int64_t column = (int64_t)u, row = (int64_t)v;
        spline_weights(u - (float)column, wx, d);
        spline_weights(v - (float)row, wy, d);
        float *at = grid + (row - NODES + 1) * stride + column - NODES + 1;
        lanes8 across = GET8(wx);
        for (int r = 0; r < NODES; r++) AT8(at + r * stride) += wy[r] * across;
    }
}

KT_CLONES
double kt_spline_gather(const int32_t *order, int64_t first, int64_t last, const float *x, const float *y, float left, float bottom,
                        float per_unit, int64_t stride, const float *grid, float *fx, float *fy, double *values) {
#pragma clang fp reassociate(on) contract(fast)
    double total = 0;
    for (int64_t e = first; e < last; e++) {
        int64_t i = order[e];
        float u = (x[i] - left) * per_unit, v = (y[i] - bottom) * per_unit, wx[8], wy[8], dx[8], dy[8];
        int64_t column = (int64_t)u, row = (int64_t)v;
        spline_weights(u - (float)column, wx, dx);
        spline_weights(v - (float)row, wy, dy);
        const float *at = grid + (row - NODES + 1) * stride + column - NODES + 1;
        lanes8 value = {0}, slope = {0};
        for (int r = 0; r < NODES; r++) {
            lanes8 nodes = GET8(at + r * stride);
            value += wy[r] * nodes;
            slope += dy[r] * nodes;
        }
        lanes8 here = value * GET8(wx), by_x = value * GET8(dx), by_y = slope * GET8(wx);
        float sum = 0, sum_x = 0, sum_y = 0;
        for (int j = 0; j < NODES; j++) {
            sum += here[j];
            sum_x += by_x[j];
            sum_y += by_y[j];
        }
        total += (double)sum;
        if (values) values[i] = (double)sum;
        fx[i] = -0.5f * per_unit * sum_x;
        fy[i] = -0.5f * per_unit * sum_y;
    }
    return total;
}

KT_CLONES
void kt_spline_spread_line(int64_t n, const float *x, float left, float per_unit, float *grid) {
    for (int64_t i = 0; i < n; i++) {
        float u = (x[i] - left) * per_unit, w[8], d[8];
        int64_t column = (int64_t)u;
        spline_weights(u - (float)column, w, d);
        AT8(grid + column - NODES + 1) += GET8(w);
    }
}

KT_CLONES
double kt_spline_gather_line(int64_t n, const float *x, float left, float per_unit, const float *grid, float *fx, double *values) {
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        float u = (x[i] - left) * per_unit, w[8], d[8];
        int64_t column = (int64_t)u;
        spline_weights(u - (float)column, w, d);
        const float *at = grid + column - NODES + 1;
        float sum = 0, slope = 0;
        for (int j = 0; j < NODES; j++) {
            sum += w[j] * at[j];
            slope += d[j] * at[j];
        }
        total += (double)sum;
        if (values) values[i] = (double)sum;
        fx[i] = -0.5f * per_unit * slope;
    }
    return total;
}
