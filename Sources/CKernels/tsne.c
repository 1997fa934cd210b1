// Forces between the points of a t-SNE map (van der Maaten & Hinton 2008), each pair computed. Sums run in float within a block of
// sources and in double over the blocks, so that a point feels a hundred thousand others to seven digits.
#include "CKernels.h"
#include "elementary.h"

#define BLOCK 1024
#define INLINE static inline __attribute__((always_inline))

INLINE double log_d(double x) {
    int64_t bits;
    memcpy(&bits, &x, 8);
    int64_t e = (bits - 0x3FE6A09E667F3BCD) >> 52;
    bits -= e << 52;
    double m;
    memcpy(&m, &bits, 8);
    double s = (m - 1.0) / (m + 1.0), t = s * s, series = 2.0 / 21;
    series = series * t + 2.0 / 19;
    series = series * t + 2.0 / 17;
    series = series * t + 2.0 / 15;
    series = series * t + 2.0 / 13;
    series = series * t + 2.0 / 11;
    series = series * t + 2.0 / 9;
    series = series * t + 2.0 / 7;
    series = series * t + 2.0 / 5;
    series = series * t + 2.0 / 3;
    series = series * t + 2.0;
    return (double)e * 0.693147180559945309417 + s * series;
}

INLINE void repulsion(const float *tx, const float *ty, int64_t first, int64_t last, const float *sx, const float *sy, int64_t sources,
                      int32_t own, float a, float *fx, float *fy, double *z, const int plane, const int cauchy) {
#pragma clang fp reassociate(on) contract(fast)
    float inverse_a = 1.0f / a;
    for (int64_t i = first; i < last; i++) {
        float x = tx[i], y = plane ? ty[i] : 0.0f;
        double total_x = 0, total_y = 0, total = own ? -1.0 : 0.0;
        for (int64_t start = 0; start < sources; start += BLOCK) {
            int64_t end = start + BLOCK < sources ? start + BLOCK : sources;
            float block_x = 0, block_y = 0, block = 0;
            for (int64_t j = start; j < end; j++) {
                float dx = x - sx[j], dy = plane ? y - sy[j] : 0.0f;
                float base = 1.0f + (dx * dx + dy * dy) * inverse_a, inverse = 1.0f / base;
                float w = cauchy ? inverse : kt_exp_f(-a * kt_log_normal_f(base));
                float push = w * inverse;
                block += w;
                block_x += push * dx;
                if (plane) block_y += push * dy;
            }
            total += (double)block;
            total_x += (double)block_x;
            total_y += (double)block_y;
        }
        fx[i] = (float)total_x;
        if (plane) fy[i] = (float)total_y;
        z[i] = total;
    }
}

KT_CLONES
void kt_tsne_repulsion(const float *tx, const float *ty, int64_t first, int64_t last, const float *sx, const float *sy, int64_t sources,
                       int32_t own, float a, float *fx, float *fy, double *z) {
    if (ty && a == 1.0f) repulsion(tx, ty, first, last, sx, sy, sources, own, a, fx, fy, z, 1, 1);
    else if (ty) repulsion(tx, ty, first, last, sx, sy, sources, own, a, fx, fy, z, 1, 0);
    else if (a == 1.0f) repulsion(tx, ty, first, last, sx, sy, sources, own, a, fx, fy, z, 0, 1);
    else repulsion(tx, ty, first, last, sx, sy, sources, own, a, fx, fy, z, 0, 0);
}

KT_CLONES
void kt_tsne_attraction(const float *tx, const float *ty, int64_t first, int64_t last, const int64_t *offsets, const int32_t *columns,
                        const float *p, const float *sx, const float *sy, float a, float *fx, float *fy) {
#pragma clang fp reassociate(on) contract(fast)
    float inverse_a = 1.0f / a;
    for (int64_t i = first; i < last; i++) {
        float x = tx[i], total_x = 0, total_y = 0;
        if (ty) {
            float y = ty[i];
            for (int64_t e = offsets[i]; e < offsets[i + 1]; e++) {
                float dx = x - sx[columns[e]], dy = y - sy[columns[e]];
                float pull = p[e] / (1.0f + (dx * dx + dy * dy) * inverse_a);
                total_x += pull * dx;
                total_y += pull * dy;
            }
            fy[i] = total_y;
        } else {
            for (int64_t e = offsets[i]; e < offsets[i + 1]; e++) {
                float dx = x - sx[columns[e]];
                total_x += p[e] / (1.0f + dx * dx * inverse_a) * dx;
            }
        }
        fx[i] = total_x;
    }
}

INLINE void attraction_all(const float *x, const float *y, int64_t first, int64_t last, int64_t n, const float *p, float a,
                           float *fx, float *fy,
                           const int plane) {
#pragma clang fp reassociate(on) contract(fast)
    float inverse_a = 1.0f / a;
    for (int64_t i = first; i < last; i++) {
        const float *row = p + i * n;
        double total_x = 0, total_y = 0;
        for (int64_t start = 0; start < n; start += BLOCK) {
            int64_t end = start + BLOCK < n ? start + BLOCK : n;
            float block_x = 0, block_y = 0;
            for (int64_t j = start; j < end; j++) {
                float dx = x[i] - x[j], dy = plane ? y[i] - y[j] : 0.0f;
                float pull = row[j] / (1.0f + (dx * dx + dy * dy) * inverse_a);
                block_x += pull * dx;
                if (plane) block_y += pull * dy;
            }
            total_x += (double)block_x;
            total_y += (double)block_y;
        }
        fx[i] = (float)total_x;
        if (plane) fy[i] = (float)total_y;
    }
}

KT_CLONES
void kt_tsne_attraction_all(const float *x, const float *y, int64_t first, int64_t last, int64_t n, const float *p, float a,
                            float *fx, float *fy) {
    if (y) attraction_all(x, y, first, last, n, p, a, fx, fy, 1);
    else attraction_all(x, y, first, last, n, p, a, fx, fy, 0);
}

KT_CLONES
double kt_tsne_attraction_all_energy(const float *x, const float *y, int64_t first, int64_t last, int64_t n, const float *p, double a) {
#pragma clang fp reassociate(on) contract(fast)
    double inverse_a = 1.0 / a, total = 0;
    for (int64_t i = first; i < last; i++) {
        const float *line = p + i * n;
        double row = 0;
        for (int64_t j = 0; j < n; j++) {
            double dx = (double)x[i] - (double)x[j], dy = y ? (double)y[i] - (double)y[j] : 0.0;
            row += (double)line[j] * log_d(1.0 + (dx * dx + dy * dy) * inverse_a);
        }
        total += row;
    }
    return total * a;
}

KT_CLONES
double kt_tsne_attraction_energy(const float *tx, const float *ty, int64_t first, int64_t last, const int64_t *offsets,
                                 const int32_t *columns, const float *p, const float *sx, const float *sy, double a) {
#pragma clang fp reassociate(on) contract(fast)
    double inverse_a = 1.0 / a, total = 0;
    for (int64_t i = first; i < last; i++) {
        double x = (double)tx[i], y = ty ? (double)ty[i] : 0.0;
        double row = 0;
        if (ty)
            for (int64_t e = offsets[i]; e < offsets[i + 1]; e++) {
                double dx = x - (double)sx[columns[e]], dy = y - (double)sy[columns[e]];
                row += (double)p[e] * log_d(1.0 + (dx * dx + dy * dy) * inverse_a);
            }
        else
            for (int64_t e = offsets[i]; e < offsets[i + 1]; e++) {
                double dx = x - (double)sx[columns[e]];
                row += (double)p[e] * log_d(1.0 + dx * dx * inverse_a);
            }
        total += row;
    }
    return total * a;
}

KT_CLONES
void kt_tsne_step(kt_tsne_schedule schedule, int64_t n, const float *attraction_x, const float *attraction_y, const float *repulsion_x,
                  const float *repulsion_y, float *x, float *y, float *ux, float *uy, float *gain_x, float *gain_y, double *sums) {
#pragma clang fp reassociate(on) contract(fast)
    const float e = schedule.exaggeration, z = schedule.inverse_z, momentum = schedule.momentum, rate = schedule.rate;
    const float least = schedule.least_gain, longest = schedule.longest_step;
    double sum_x = 0, sum_y = 0, squares = 0;
    if (y) {
        for (int64_t i = 0; i < n; i++) {
            float dx = e * attraction_x[i] - z * repulsion_x[i], dy = e * attraction_y[i] - z * repulsion_y[i];
            // The update points downhill: where it and the gradient have opposite signs, they still agree.
            float gx = ux[i] * dx < 0.0f ? gain_x[i] + 0.2f : gain_x[i] * 0.8f,
                  gy = uy[i] * dy < 0.0f ? gain_y[i] + 0.2f : gain_y[i] * 0.8f;
            gx = gx < least ? least : gx;
            gy = gy < least ? least : gy;
            float sx = momentum * ux[i] - rate * gx * dx, sy = momentum * uy[i] - rate * gy * dy;
            float length = __builtin_sqrtf(sx * sx + sy * sy), shorten = length > longest ? longest / length : 1.0f;
            sx *= shorten;
            sy *= shorten;
            gain_x[i] = gx;
            gain_y[i] = gy;
            ux[i] = sx;
            uy[i] = sy;
            x[i] += sx;
            y[i] += sy;
            sum_x += (double)x[i];
            sum_y += (double)y[i];
            squares += (double)(dx * dx + dy * dy);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            float dx = e * attraction_x[i] - z * repulsion_x[i];
            float gx = ux[i] * dx < 0.0f ? gain_x[i] + 0.2f : gain_x[i] * 0.8f;
            gx = gx < least ? least : gx;
            float sx = momentum * ux[i] - rate * gx * dx;
            sx = sx > longest ? longest : sx;
            sx = sx < -longest ? -longest : sx;
            gain_x[i] = gx;
            ux[i] = sx;
            x[i] += sx;
            sum_x += (double)x[i];
            squares += (double)(dx * dx);
        }
    }
    sums[0] += sum_x;
    sums[1] += sum_y;
    sums[2] += squares;
}

void kt_tree_repulsion(const kt_cell *cells, int32_t cell_count, const int32_t *order, const float *sorted_x, const float *sorted_y,
                       int64_t first, int64_t last, float a, float *fx, float *fy, double *z) {
    float inverse_a = 1.0f / a;
    for (int64_t i = first; i < last; i++) {
        float x = sorted_x[i], y = sorted_y ? sorted_y[i] : 0.0f;
        double total_x = 0, total_y = 0, total = 0;
        int32_t c = 0;
        while (c < cell_count) {
            const kt_cell *cell = cells + c;
            float dx = x - cell->x, dy = y - cell->y, squared = dx * dx + dy * dy;
            int inside = i >= cell->first && i < (int64_t)cell->first + cell->count;
            if (!inside && squared > cell->reach) {
                float inverse = 1.0f / (1.0f + squared * inverse_a);
                float w = (float)cell->count * (a == 1.0f ? inverse : kt_exp_f(a * kt_log_normal_f(1.0f + squared * inverse_a) * -1.0f));
                total += (double)w;
                total_x += (double)(w * inverse * dx);
                total_y += (double)(w * inverse * dy);
                c = cell->skip;
            } else if (cell->leaf) {
                for (int64_t j = cell->first; j < (int64_t)cell->first + cell->count; j++) {
                    if (j == i) continue;
                    dx = x - sorted_x[j];
                    dy = sorted_y ? y - sorted_y[j] : 0.0f;
                    squared = dx * dx + dy * dy;
                    float inverse = 1.0f / (1.0f + squared * inverse_a);
                    float w = a == 1.0f ? inverse : kt_exp_f(a * kt_log_normal_f(1.0f + squared * inverse_a) * -1.0f);
                    total += (double)w;
                    total_x += (double)(w * inverse * dx);
                    total_y += (double)(w * inverse * dy);
                }
                c = cell->skip;
            } else {
                c++;
            }
        }
        int64_t to = order[i];
        fx[to] = (float)total_x;
        if (fy) fy[to] = (float)total_y;
        z[to] = total;
    }
}

KT_CLONES
void kt_tsne_center(int64_t n, float mean_x, float mean_y, float *x, float *y) {
    for (int64_t i = 0; i < n; i++) x[i] -= mean_x;
    if (y)
        for (int64_t i = 0; i < n; i++) y[i] -= mean_y;
}
