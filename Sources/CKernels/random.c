// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") and the normal numbers of
// Box & Muller (1958) made from it. Contraction is off and the elementary functions are our own, so that every clone rounds alike.
#include "CKernels.h"
#include "elementary.h"

#define INLINE static inline __attribute__((always_inline))

// The instruction, without the library's errno, which would keep the loop out of vector registers.
INLINE double square_root(double x) { return __builtin_elementwise_sqrt(x); }

INLINE void philox(uint32_t *x0, uint32_t *x1, uint32_t *x2, uint32_t *x3, uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * *x0, p1 = (uint64_t)0xCD9E8D57u * *x2;
        uint32_t y0 = (uint32_t)(p1 >> 32) ^ *x1 ^ k0, y2 = (uint32_t)(p0 >> 32) ^ *x3 ^ k1;
        *x1 = (uint32_t)p1;
        *x3 = (uint32_t)p0;
        *x0 = y0;
        *x2 = y2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

// log(x) for normal x > 0: x = 2^e m with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)); error below 1e-14.
INLINE double natural_log(double x) {
#pragma clang fp contract(off)
    int64_t bits;
    memcpy(&bits, &x, 8);
    int64_t e = (bits - 0x3FE6A09E667F3BCD) >> 52;
    bits -= e << 52;
    double m;
    memcpy(&m, &bits, 8);
    double s = (m - 1.0) / (m + 1.0), t = s * s, series = 2.0 / 19;
    series = series * t + 2.0 / 17;
    series = series * t + 2.0 / 15;
    series = series * t + 2.0 / 13;
    series = series * t + 2.0 / 11;
    series = series * t + 2.0 / 9;
    series = series * t + 2.0 / 7;
    series = series * t + 2.0 / 5;
    series = series * t + 2.0 / 3;
    series = series * t + 2.0;
    return (double)(int32_t)e * 0.693147180559945309417 + s * series;
}

// cos and sin of `turn` full circles, 0 <= turn < 1: the nearest quarter, and Taylor polynomials on |x| <= pi / 4.
INLINE void circle(double turn, double *cosine, double *sine) {
#pragma clang fp contract(off)
    double quarter = (double)(int32_t)(turn * 4.0 + 0.5), x = (turn * 4.0 - quarter) * 1.57079632679489661923, t = x * x;
    double s = 1.0 / 6227020800;
    s = s * t - 1.0 / 39916800;
    s = s * t + 1.0 / 362880;
    s = s * t - 1.0 / 5040;
    s = s * t + 1.0 / 120;
    s = s * t - 1.0 / 6;
    s = s * t * x + x;
    double c = -1.0 / 87178291200;
    c = c * t + 1.0 / 479001600;
    c = c * t - 1.0 / 3628800;
    c = c * t + 1.0 / 40320;
    c = c * t - 1.0 / 720;
    c = c * t + 1.0 / 24;
    c = c * t - 0.5;
    c = c * t + 1.0;
    int is_odd = quarter == 1.0 || quarter == 3.0;
    double a = is_odd ? s : c, b = is_odd ? c : s;
    *cosine = quarter == 1.0 || quarter == 2.0 ? -a : a;
    *sine = quarter == 2.0 || quarter == 3.0 ? -b : b;
}

KT_CLONES void kt_philox_normals(uint64_t key, uint32_t c1, uint32_t c2, uint32_t c3, double *out, int64_t quarter) {
#pragma clang fp contract(off)
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    double *out1 = out + quarter, *out2 = out + 2 * quarter, *out3 = out + 3 * quarter;
    for (int64_t j = 0; j < quarter; j++) {
        uint32_t x0 = (uint32_t)j, x1 = c1, x2 = c2, x3 = c3;
        philox(&x0, &x1, &x2, &x3, k0, k1);
        // Half a step above zero, so that the logarithm is finite: the largest number is 6.66.
        double radius = square_root(-2.0 * natural_log(((double)x0 + 0.5) * 0x1p-32)), cosine, sine;
        circle((double)x1 * 0x1p-32, &cosine, &sine);
        out[j] = radius * cosine;
        out1[j] = radius * sine;
        radius = square_root(-2.0 * natural_log(((double)x2 + 0.5) * 0x1p-32));
        circle((double)x3 * 0x1p-32, &cosine, &sine);
        out2[j] = radius * cosine;
        out3[j] = radius * sine;
    }
}

void kt_philox_block(const uint32_t counter[4], uint64_t key, uint32_t out[4]) {
    memcpy(out, counter, 16);
    philox(&out[0], &out[1], &out[2], &out[3], (uint32_t)key, (uint32_t)(key >> 32));
}

KT_CLONES void kt_spread_net(const int32_t *from, const double *weights, int64_t edges, const double *a, int64_t lanes,
                             double *restrict out) {
#pragma clang fp contract(off)
    for (int64_t i = 0; i < lanes; i++) out[i] = 0;
    for (int64_t e = 0; e < edges; e++) {
        const double *source = a + from[e] * lanes;
        double weight = weights[e];
        for (int64_t i = 0; i < lanes; i++) out[i] += weight * source[i];
    }
}

KT_CLONES void kt_spread_step(double *restrict a, const double *restrict net, const double *restrict noise, double keep, double v1,
                              double v2, int64_t n) {
#pragma clang fp contract(off)
    if (!noise) {
        for (int64_t i = 0; i < n; i++) a[i] = keep * a[i] + net[i];
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        double x = keep * a[i] + net[i];
        a[i] = x + square_root(v1 + v2 * (x * x)) * noise[i];
    }
}
