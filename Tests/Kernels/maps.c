// Forces of t-SNE: all pairs, edges, trees and grids.
#include "CKernels.h"
#include "check.h"
#include <math.h>
#include <string.h>

// 1 + d^2 / a of two points; one dimension where y is NULL.
static double base(const float *x, const float *y, int64_t i, const float *sx, const float *sy, int64_t j, double a) {
    double dx = (double)x[i] - (double)sx[j], dy = y ? (double)y[i] - (double)sy[j] : 0;
    return 1 + (dx * dx + dy * dy) / a;
}

static void test_forces(int64_t n, int plane, float a) {
    float *x = numbers_f(n, 4), *y = plane ? numbers_f(n, 4) : NULL, *fx = room((size_t)n * sizeof *fx), *fy = room((size_t)n * sizeof *fy);
    double *wx = zeros(n), *wy = zeros(n), *wz = zeros(n), *z = room((size_t)n * sizeof *z), energy = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            if (i == j) continue;
            double b = base(x, y, i, x, y, j, (double)a), w = pow(b, -(double)a);
            wz[i] += w;
            wx[i] += w / b * ((double)x[i] - (double)x[j]);
            if (plane) wy[i] += w / b * ((double)y[i] - (double)y[j]);
        }
    begin("kt_tsne_repulsion", NEAR, 2e-6);
    kt_tsne_repulsion(x, y, 0, n, x, y, n, 1, a, fx, plane ? fy : NULL, z);
    if (n > 1) expect_f(fx, wx, n), expect_d(z, wz, n);
    if (n > 1 && plane) expect_f(fy, wy, n);

    // A tree of one root and leaves of four points: with reach 0 a cell far away counts as its middle, with an endless one nothing does.
    int64_t leaves = (n + 3) / 4;
    kt_cell *cells = room((size_t)(leaves + 1) * sizeof *cells);
    int32_t *order = room((size_t)n * sizeof *order);
    for (int64_t i = 0; i < n; i++) order[i] = (int32_t)(n - 1 - i);
    cells[0] = (kt_cell){0, 0, INFINITY, (int32_t)leaves + 1, 0, (int32_t)n, 0};
    for (int far = 0; far < 2; far++) {
        double *tx = zeros(n), *ty = zeros(n), *tz = zeros(n);
        for (int64_t l = 0; l < leaves; l++) {
            int64_t first = 4 * l, count = n - first < 4 ? n - first : 4;
            float mx = 0, my = 0;
            for (int64_t j = first; j < first + count; j++) mx += x[j] / (float)count, my += plane ? y[j] / (float)count : 0;
            cells[l + 1] = (kt_cell){mx, my, far ? 0 : INFINITY, (int32_t)l + 2, (int32_t)first, (int32_t)count, 1};
            for (int64_t i = 0; far && i < n; i++) {
                int64_t to = order[i];
                if (i < first || i >= first + count) {
                    double b = base(x, y, i, &mx, &my, 0, (double)a), w = (double)count * pow(b, -(double)a);
                    tz[to] += w;
                    tx[to] += w / b * ((double)x[i] - (double)mx);
                    if (plane) ty[to] += w / b * ((double)y[i] - (double)my);
                } else
                    for (int64_t j = first; j < first + count; j++) {
                        if (i == j) continue;
                        double b = base(x, y, i, x, y, j, (double)a), w = pow(b, -(double)a);
                        tz[to] += w;
                        tx[to] += w / b * ((double)x[i] - (double)x[j]);
                        if (plane) ty[to] += w / b * ((double)y[i] - (double)y[j]);
                    }
            }
        }
        for (int64_t i = 0; !far && i < n; i++) tx[order[i]] = wx[i], ty[order[i]] = wy[i], tz[order[i]] = wz[i];
        begin("kt_tree_repulsion", NEAR, 2e-6);
        kt_tree_repulsion(cells, (int32_t)leaves + 1, order, x, y, 0, n, a, fx, plane ? fy : NULL, z);
        if (n > 1) expect_f(fx, tx, n), expect_d(z, tz, n);
        if (n > 1 && plane) expect_f(fy, ty, n);
    }

    // Every third pair is an edge; the table has zeros where there is none.
    float *table = room((size_t)(n * n) * sizeof *table), *p = room((size_t)(n * n) * sizeof *p);
    int32_t *columns = room((size_t)(n * n) * sizeof *columns);
    int64_t *offsets = room((size_t)(n + 1) * sizeof *offsets), edges = 0;
    memset(wx, 0, (size_t)n * sizeof *wx);
    memset(wy, 0, (size_t)n * sizeof *wy);
    for (int64_t i = 0; i < n; i++) {
        offsets[i] = edges;
        for (int64_t j = 0; j < n; j++) {
            float weight = i != j && (i + j) % 3 ? (float)(below(1000) + 1) / 1024 : 0;
            table[i * n + j] = weight;
            if (weight == 0) continue;
            p[edges] = weight, columns[edges++] = (int32_t)j;
            double b = base(x, y, i, x, y, j, (double)a), pull = (double)weight / b;
            wx[i] += pull * ((double)x[i] - (double)x[j]);
            if (plane) wy[i] += pull * ((double)y[i] - (double)y[j]);
            energy += (double)weight * (double)a * log(b);
        }
    }
    offsets[n] = edges;
    begin("kt_tsne_attraction", NEAR, 2e-6);
    kt_tsne_attraction(x, y, 0, n, offsets, columns, p, x, y, a, fx, plane ? fy : NULL);
    expect_f(fx, wx, n);
    if (plane) expect_f(fy, wy, n);
    begin("kt_tsne_attraction_all", NEAR, 2e-6);
    kt_tsne_attraction_all(x, y, 0, n, n, table, a, fx, plane ? fy : NULL);
    expect_f(fx, wx, n);
    if (plane) expect_f(fy, wy, n);
    begin("kt_tsne_attraction_energy", NEAR, 1e-12);
    expect_one(kt_tsne_attraction_energy(x, y, 0, n, offsets, columns, p, x, y, (double)a), energy);
    begin("kt_tsne_attraction_all_energy", NEAR, 1e-12);
    expect_one(kt_tsne_attraction_all_energy(x, y, 0, n, n, table, (double)a), energy);
    tidy();
}

static void test_step(int64_t n, int plane) {
    float *given[10];
    double *want[10], sums[3] = {1, 2, 3}, wsums[3] = {1, 2, 3};
    // Attraction, repulsion, place, update and gain, each with x and y.
    for (int i = 0; i < 10; i++) {
        given[i] = numbers_f(n, i < 4 ? 1 : 0.5);
        if (i >= 8)
            for (int64_t j = 0; j < n; j++) given[i][j] = fabsf(given[i][j]) + 0.5f;
        want[i] = zeros(n);
        for (int64_t j = 0; j < n; j++) want[i][j] = (double)given[i][j];
    }
    kt_tsne_schedule schedule = {.exaggeration = 4, .inverse_z = 0.5f, .momentum = 0.75f, .rate = 0.25f, .least_gain = 0.5f,
                                 .longest_step = 0.75f};
    for (int64_t i = 0; i < n; i++) {
        double step[2] = {0}, direction[2] = {0};
        for (int k = 0; k <= plane; k++) {
            double d = direction[k] = 4 * want[k][i] - 0.5 * want[2 + k][i], gain = want[8 + k][i];
            gain = want[6 + k][i] * d < 0 ? gain + (double)0.2f : gain * (double)0.8f;
            want[8 + k][i] = gain < 0.5 ? 0.5 : gain;
            step[k] = 0.75 * want[6 + k][i] - 0.25 * want[8 + k][i] * d;
        }
        double length = sqrt(step[0] * step[0] + step[1] * step[1]);
        for (int k = 0; k <= plane; k++) {
            want[6 + k][i] = step[k] * (length > 0.75 ? 0.75 / length : 1);
            wsums[k] += want[4 + k][i] += want[6 + k][i];
        }
        wsums[2] += direction[0] * direction[0] + direction[1] * direction[1];
    }
    begin("kt_tsne_step", NEAR, 4e-6);
    kt_tsne_step(schedule, n, given[0], plane ? given[1] : NULL, given[2], plane ? given[3] : NULL, given[4], plane ? given[5] : NULL,
                 given[6], plane ? given[7] : NULL, given[8], plane ? given[9] : NULL, sums);
    for (int i = 4; i < 10; i++) expect_f(given[i], want[i], n);
    expect_d(sums, wsums, 3);
    begin("kt_tsne_center", SAME, 0);
    float *fresh = numbers_f(n, 1), *fresh_y = numbers_f(n, 1);
    for (int64_t i = 0; i < n; i++) {
        want[4][i] = (double)(float)(fresh[i] - 0.3f);
        want[5][i] = (double)(plane ? (float)(fresh_y[i] - 0.7f) : fresh_y[i]);
    }
    kt_tsne_center(n, 0.3f, 0.7f, fresh, plane ? fresh_y : NULL);
    expect_f(fresh, want[4], n);
    expect_f(fresh_y, want[5], n);
    tidy();
}

// The cardinal B-spline of degree 5 with support (0, 6), as a sum of truncated powers, and its derivative.
static double spline(double x, int derivative) {
    static const double choose[] = {1, -6, 15, -20, 15, -6, 1};
    double sum = 0;
    for (int i = 0; i < 7; i++)
        if (x > i) sum += choose[i] * (derivative ? pow(x - i, 4) / 24 : pow(x - i, 5) / 120);
    return sum;
}

static void test_splines(int64_t n) {
    int64_t stride = 16 + KT_SPLINE_SLACK, nodes = 16;
    float *x = numbers_f(n, 1), *y = numbers_f(n, 1), *fx = room((size_t)n * sizeof *fx), *fy = room((size_t)n * sizeof *fy);
    float *grid = numbers_f(nodes * stride, 1), *line = numbers_f(stride, 1);
    double *want = zeros(nodes * stride), *wline = zeros(stride), *wx = zeros(n), *wy = zeros(n), *on_line = zeros(n), *values = zeros(n);
    double *wvalues = zeros(n), *wline_values = zeros(n), total = 0, line_total = 0;
    int32_t *order = room((size_t)n * sizeof *order);
    for (int64_t i = 0; i < nodes * stride; i++) want[i] = (double)grid[i];
    for (int64_t i = 0; i < stride; i++) wline[i] = (double)line[i];
    // Places 5.25 ... 13.25 in units of the grid; node m has its weight at u - m.
    for (int64_t i = 0; i < n; i++) {
        order[i] = (int32_t)(n - 1 - i);
        double u = ((double)x[i] + 2.3125) * 4, v = ((double)y[i] + 2.3125) * 4;
        for (int64_t r = 0; r < nodes; r++)
            for (int64_t c = 0; c < nodes; c++) {
                double at = (double)grid[r * stride + c];
                wvalues[i] += at * spline(v - (double)r, 0) * spline(u - (double)c, 0);
                wx[i] -= 0.5 * 4 * at * spline(v - (double)r, 0) * spline(u - (double)c, 1);
                wy[i] -= 0.5 * 4 * at * spline(v - (double)r, 1) * spline(u - (double)c, 0);
                want[r * stride + c] += spline(v - (double)r, 0) * spline(u - (double)c, 0);
            }
        for (int64_t c = 0; c < nodes; c++) {
            wline_values[i] += (double)line[c] * spline(u - (double)c, 0);
            on_line[i] -= 0.5 * 4 * (double)line[c] * spline(u - (double)c, 1);
            wline[c] += spline(u - (double)c, 0);
        }
        total += wvalues[i];
        line_total += wline_values[i];
    }
    // Derivatives by alternating sums lose a few digits in the reference too.
    begin("kt_spline_gather", NEAR, 4e-6);
    double sum = kt_spline_gather(order, 0, n, x, y, -2.3125f, -2.3125f, 4, stride, grid, fx, fy, values);
    expect_f(fx, wx, n);
    expect_f(fy, wy, n);
    expect_d(values, wvalues, n);
    if (n > 1) expect_one(sum, total);
    begin("kt_spline_gather_line", NEAR, 4e-6);
    sum = kt_spline_gather_line(n, x, -2.3125f, 4, line, fx, values);
    expect_f(fx, on_line, n);
    expect_d(values, wline_values, n);
    if (n > 1) expect_one(sum, line_total);
    begin("kt_spline_spread", NEAR, 4e-6);
    kt_spline_spread(order, 0, n, x, y, -2.3125f, -2.3125f, 4, stride, grid);
    expect_f(grid, want, nodes * stride);
    begin("kt_spline_spread_line", NEAR, 4e-6);
    kt_spline_spread_line(n, x, -2.3125f, 4, line);
    expect_f(line, wline, stride);
    tidy();
}

void test_maps(void) {
    EACH_SIZE(n) {
        for (int plane = 0; plane < 2; plane++) {
            test_forces(n, plane, 1);
            test_forces(n, plane, 0.7f);
            test_step(n, plane);
        }
        test_splines(n);
    }
}
