// Checks COneDNN with whatever oneDNN it is compiled against: every precision, layouts of weights and of operands, odd heights, accumulation, views of packed
// bytes; each against sums in double. tools/chroot/run compiles and runs it before anything larger is built.
#include "COneDNN.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float number(int i) { return (float)((i * 7919) % 1009) / 1009 - 0.5f; }

static unsigned short half(float x) {
    unsigned bits;
    memcpy(&bits, &x, 4);
    return (unsigned short)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static float whole(unsigned short h) {
    unsigned bits = (unsigned)h << 16;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static int failures;

static void check(const char *what, double found, double expected, double tolerance) {
    if (fabs(found - expected) <= tolerance * (1 + fabs(expected))) return;
    if (failures++ < 10) printf("%s: %.9g, expected %.9g\n", what, found, expected);
}

static void packed(kd_precision precision, int rows, int inputs, int outputs, int transposed) {
    float *w = malloc(sizeof(float) * inputs * outputs), *x = malloc(sizeof(float) * rows * inputs),
        *bias = malloc(sizeof(float) * outputs);
    unsigned short *wh = malloc(2 * inputs * outputs), *xh = malloc(2 * rows * inputs);
    signed char *wi = malloc(inputs * outputs), *xi = malloc(rows * inputs);
    void *y = malloc(4 * (size_t)rows * outputs);
    for (int i = 0; i < inputs * outputs; i++) w[i] = number(i), wh[i] = half(w[i]), wi[i] = (signed char)(w[i] * 250);
    for (int i = 0; i < rows * inputs; i++) x[i] = number(3 * i + 1), xh[i] = half(x[i]), xi[i] = (signed char)(x[i] * 250);
    for (int i = 0; i < outputs; i++) bias[i] = number(5 * i);
    // Element (i, o) lies at i * a + o * b.
    int a = transposed ? 1 : outputs, b = transposed ? inputs : 1;
    const void *weights = precision == KD_F32 ? (void *)w : precision == KD_BF16 ? (void *)wh : (void *)wi;
    const void *from = precision == KD_F32 ? (void *)x : precision == KD_BF16 ? (void *)xh : (void *)xi;
    kd_matrix *matrix = kd_pack(precision, inputs, outputs, weights, a, b);
    if (!matrix || kd_multiply(matrix, from, rows, y, precision == KD_S8 ? NULL : bias) != 0) {
        printf("precision %d: refused\n", precision);
        failures++;
        return;
    }
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < outputs; o++) {
            double sum = precision == KD_S8 ? 0 : bias[o];
            for (int i = 0; i < inputs; i++) {
                int at = i * a + o * b;
                sum += precision == KD_F32 ? (double)x[r * inputs + i] * w[at]
                    : precision == KD_BF16 ? (double)whole(xh[r * inputs + i]) * whole(wh[at]) : (double)xi[r * inputs + i] * wi[at];
            }
            check("packed", precision == KD_S8 ? ((int *)y)[r * outputs + o] : ((float *)y)[r * outputs + o], sum, precision == KD_S8 ? 0 : 2e-5);
        }
    // The packed bytes elsewhere, as from a file.
    size_t bytes;
    const void *data = kd_packed_bytes(matrix, &bytes);
    void *copy = aligned_alloc(64, (bytes + 63) / 64 * 64), *again = malloc(4 * (size_t)rows * outputs);
    memcpy(copy, data, bytes);
    kd_matrix *view = kd_view(precision, inputs, outputs, copy, bytes);
    if (!view || kd_multiply(view, from, rows, again, precision == KD_S8 ? NULL : bias) != 0 ||
        memcmp(again, y, 4 * (size_t)rows * outputs) != 0) {
        printf("precision %d: a view multiplies otherwise\n", precision);
        failures++;
    }
    if (kd_view(precision, inputs, outputs, copy, bytes - 64)) printf("a view of too few bytes was taken\n"), failures++;
    kd_release(view);
    kd_release(matrix);
    free(copy), free(again), free(w), free(x), free(bias), free(wh), free(xh), free(wi), free(xi), free(y);
}

static void general(bool ta, bool tb, bool accumulate, int m, int n, int k) {
    float *a = malloc(4 * m * k), *b = malloc(4 * k * n), *c = malloc(4 * m * n);
    for (int i = 0; i < m * k; i++) a[i] = number(i);
    for (int i = 0; i < k * n; i++) b[i] = number(2 * i);
    for (int i = 0; i < m * n; i++) c[i] = number(i + 7);
    if (kd_gemm(KD_F32, ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n, accumulate) != 0) printf("gemm refused\n"), failures++;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = accumulate ? number(i * n + j + 7) : 0;
            for (int l = 0; l < k; l++) sum += (double)a[ta ? l * m + i : i * k + l] * b[tb ? j * k + l : l * n + j];
            check("gemm", c[i * n + j], sum, 2e-5);
        }
    free(a), free(b), free(c);
}

int main(void) {
    printf("oneDNN %s, %s\n", kd_library_version(), kd_instruction_set());
    for (int precision = KD_F32; precision <= KD_S8; precision++) {
        if (!kd_is_fast(precision)) continue;
        for (int transposed = 0; transposed < 2; transposed++) {
            packed(precision, 1, 16, 16, transposed);
            packed(precision, 64, 384, 1536, transposed);
            packed(precision, 150, 100, 33, transposed);
        }
    }
    for (int way = 0; way < 8; way++) general(way & 1, way & 2, way & 4, 65, 33, 47);
    printf(failures ? "%d wrong\n" : "all right\n", failures);
    return failures != 0;
}
