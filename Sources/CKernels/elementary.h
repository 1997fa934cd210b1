// Elementary functions as straight-line code that the compiler can put into vector registers.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

// Elsewhere the compiler's baseline is what there is: 64-bit ARM always has vectors of 16 bytes and fused multiplication.
#if defined(__x86_64__)
#define KT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KT_CLONES
#endif

// exp(x) = 2^n exp(r) with x = n ln 2 + r and |r| <= ln 2 / 2: returns exp(r) by its Taylor polynomial of degree 7 (remainder 5e-9).
static inline float kt_exp_remainder(float x, float *n) {
    *n = __builtin_rintf(x * 1.44269504f);
    // ln 2 in two parts: the first has few enough digits that n times it is exact.
    float r = (x - *n * 0.693359375f) + *n * 2.12194440e-4f;
    float p = 1.9841270e-4f;
    p = p * r + 1.3888889e-3f;
    p = p * r + 8.3333333e-3f;
    p = p * r + 4.1666667e-2f;
    p = p * r + 1.6666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p;
}

// exp(x), relative error below 2 units in the last place; 0 below -87.3, clamped above 88.7.
static inline float kt_exp_f(float x) {
    float clamped = x < -87.33654f ? -87.33654f : x;
    clamped = clamped > 88.72283f ? 88.72283f : clamped;
    float n, p = kt_exp_remainder(clamped, &n);
    // 2^n in two halves, since 2^128 overflows a float.
    int32_t i = (int32_t)n, half = i >> 1;
    int32_t bits1 = (half + 127) << 23, bits2 = (i - half + 127) << 23;
    float power1, power2;
    memcpy(&power1, &bits1, 4);
    memcpy(&power2, &bits2, 4);
    float y = p * power1 * power2;
    return x < -87.33654f ? 0.0f : y;
}
static inline double kt_exp_d(double x) { return exp(x); }

// exp(x) for x <= 0 (but for rounding), as a softmax needs it: without what only large x needs.
static inline float kt_exp_below_f(float x) {
    float n, p = kt_exp_remainder(x < -87.0f ? -87.0f : x, &n);
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return x < -87.0f ? 0.0f : p * power;
}
static inline double kt_exp_below_d(double x) { return exp(x); }

// log(x) for normal positive x, by halves: x = 2^e m with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)).
static inline float kt_log_normal_f(float x) {
    int32_t bits;
    memcpy(&bits, &x, 4);
    int32_t e = (bits - 0x3F3504F3) >> 23;
    bits -= (int32_t)((uint32_t)e << 23);
    float m;
    memcpy(&m, &bits, 4);
    float s = (m - 1.0f) / (m + 1.0f), t = s * s;
    float series = 2.0f + t * (0.66666667f + t * (0.4f + t * (0.28571429f + t * 0.22222222f)));
    return (float)e * 0.69314718f + s * series;
}

// erf(x), absolute error below 4e-7: an odd rational function fitted (weighted least squares, iterated toward equal
// ripples) on [0, 3.95], beyond which erf rounds to 1.
static inline float kt_erf_f(float x) {
    x = x < -3.95f ? -3.95f : x;
    x = x > 3.95f ? 3.95f : x;
    float t = x * x;
    float p = 2.0258849e-6f;
    p = p * t + 2.8469288e-4f;
    p = p * t + 3.8083515e-3f;
    p = p * t + 5.2876025e-2f;
    p = p * t + 1.9155462e-1f;
    p = p * t + 1.1283791f;
    float q = 3.7831833e-5f;
    q = q * t + 1.1707736e-3f;
    q = q * t + 1.5055466e-2f;
    q = q * t + 1.1456142e-1f;
    q = q * t + 5.0309354e-1f;
    q = q * t + 1.0f;
    float y = x * p / q;
    y = y < -1.0f ? -1.0f : y;
    return y > 1.0f ? 1.0f : y;
}
static inline double kt_erf_d(double x) { return erf(x); }

// tanh(x) = 1 - 2 / (exp(2x) + 1), and its series near 0 where that cancels.
static inline float kt_tanh_f(float x) {
    float t = x * x;
    float small = x * (1.0f + t * (-0.33333333f + t * (0.13333333f - t * 0.053968254f)));
    float large = 1.0f - 2.0f / (kt_exp_f(2.0f * x) + 1.0f);
    return t < 0.01f ? small : large;
}
static inline double kt_tanh_d(double x) { return tanh(x); }
