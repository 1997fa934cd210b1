// Losses of structural probes; see probe.inc. p is (words, rank), row-major.
#pragma once
#include <stdint.h>

#define KT_DECLARE_PROBE(REAL, S)                                                                                        \
    void kt_probe_distances_##S(const REAL *p, int64_t words, int64_t rank, REAL *out);                                  \
    void kt_probe_depths_##S(const REAL *p, int64_t words, int64_t rank, REAL *out);                                     \
    double kt_probe_distance_loss_##S(const REAL *p, int64_t words, int64_t rank, const float *gold, REAL weight,        \
                                      REAL *gradient);                                                                   \
    double kt_probe_depth_loss_##S(const REAL *p, int64_t words, int64_t rank, const float *gold, REAL weight,           \
                                   REAL *gradient);

KT_DECLARE_PROBE(float, f)
KT_DECLARE_PROBE(double, d)
#undef KT_DECLARE_PROBE
