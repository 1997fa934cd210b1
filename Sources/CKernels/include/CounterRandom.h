// Random numbers by counter: the value at a place is a function of the key and the place, so any part can be computed by anybody.
#pragma once
#include <stdint.h>

// Standard normal numbers: out[0 ..< 4 * quarter], from the Philox4x32-10 blocks with counters (0 ..< quarter, c1, c2, c3).
// Block j gives out[j], out[j + quarter], out[j + 2 quarter] and out[j + 3 quarter]. The same bits on every processor.
void kt_philox_normals(uint64_t key, uint32_t c1, uint32_t c2, uint32_t c3, double *out, int64_t quarter);
// One block of Philox4x32-10, for tests against published vectors.
void kt_philox_block(const uint32_t counter[4], uint64_t key, uint32_t out[4]);

// Spreading activation in `lanes` trials side by side; matrices are (units, lanes). The same bits on every processor.
// out = sum of weights[e] * a[from[e]] over the edges of one unit.
void kt_spread_net(const int32_t *from, const double *weights, int64_t edges, const double *a, int64_t lanes, double *out);
// a = keep a + net, and where noise is not NULL, then a += sqrt(v1 + v2 a^2) noise.
void kt_spread_step(double *a, const double *net, const double *noise, double keep, double v1, double v2, int64_t n);
