// Word vectors: logistic steps of one input vector against rows of an output matrix.
#pragma once
#include <stdint.h>

// Floats to which a row of these matrices is filled up, with zeros.
#define KT_WORDS_LANES 16

// One stochastic gradient step for each group of up to `group` targets: p = sigmoid(x . o), o += rate (label - p) x, and x moves by the sum of
// rate (label - p) o over the group, as word2vec and fastText do. A target is 2 * row + label. Scores beyond +-limit count as certain, or
// are passed over where `skips` is set. `stride` is a multiple of KT_WORDS_LANES; rows are aligned to 64 bytes. Returns the sum of the
// groups' losses -log p(label), for reports, where `loss` is set, else 0.
double kt_words_step(float *x, float *output, int64_t stride, const uint32_t *targets, int64_t count, int64_t group, float rate,
                     float limit, int32_t skips, int32_t loss);

// x = mean of the rows `ids` of `table`.
void kt_words_mean(const float *table, int64_t stride, const uint32_t *ids, int64_t count, float *x);
// Rows `ids` of `table` += x - before.
void kt_words_spread(float *table, int64_t stride, const uint32_t *ids, int64_t count, const float *x, const float *before);
// row += x - before.
void kt_words_add_difference(float *row, int64_t stride, const float *x, const float *before);

// For every slot s and each of its parts r = parts[starts[s] ..< starts[s + 1]] with (r & mask) == residue, in this order:
// row r of `table` += x[s] - before[s]. Calls with different residues touch different rows.
void kt_words_scatter(float *table, int64_t stride, const uint32_t *parts, const int64_t *starts, int64_t slots, uint32_t residue,
                      uint32_t mask, const float *x, const float *before);
