// Vector loops that Swift's optimizer does not turn into vector code. Machine code is chosen at run time (target_clones).
//
// Names begin with kt_ (kernels of Kotonoha). Matrices are row-major and contiguous unless a stride is given. A row's result never
// depends on the other rows of the call.
//
//   CKernelsTyped.h      kernels of a number type, one source for float and double, so that what finite differences check in double is
//                        what runs in float
//   CKernelsQuantized.h  8-bit integers, and conversions of 16-bit numbers
//   CKernelsAnalysis.h   search, principal components, t-SNE, UMAP
//   CKernelsWords.h      training of word vectors
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
    KT_IDENTITY = 0,
    KT_GELU = 1,       // x * Phi(x), Phi by the error function
    KT_GELU_TANH = 2,  // its tanh approximation ("gelu_new", "gelu_pytorch_tanh")
    KT_RELU = 3,
    KT_TANH = 4,
    KT_SIGMOID = 5,
    KT_SILU = 6,       // x * sigmoid(x), "swish"
} kt_activation;

typedef enum {
    KT_MASK_NONE = 0,
    KT_MASK_CAUSAL = 1,  // query i sees keys 0...i + (keys - queries)
    KT_MASK_WINDOW = 2,  // query i sees keys with |i - j| <= window
    KT_MASK_CAUSAL_WINDOW = 3,  // of the keys that a causal mask shows, its own and the window before it
} kt_mask;

// Attention over packed sequences. Segment s has the queries query_offsets[s] ..< query_offsets[s + 1] and the keys
// key_offsets[s] ..< key_offsets[s + 1]; head h lies in columns h * head_size ..< (h + 1) * head_size of q and out, and in those of head
// h / key_group of k and v.
typedef struct {
    const int64_t *query_offsets, *key_offsets;
    int64_t segments, heads, head_size;
    int64_t key_group;  // query heads that share a head of keys and values; heads divides by it
    int64_t q_stride, k_stride, v_stride, out_stride;  // elements from one token to the next
    int64_t window;
    int32_t mask;
    double cap;  // scores become cap * tanh(score / cap) before the bias; 0 for none
    int64_t bias_columns;  // bias[h][i][j] = bias[(h * bias_columns + i) * bias_columns + j]; at least the longest segment
    // NULL, or each segment has a bias (heads, queries, keys) of its own, which begins here.
    const int64_t *bias_offsets;
} kt_attention_shape;

// Disentangled attention (He et al. 2021): what positions add to the score of query i and key j of one head,
// scale * (q_i . position_keys[m] + k_j . position_queries[m]) with m = row_of_distance[i - j]. Either term may be absent.
typedef struct {
    const int64_t *offsets;          // rows of segment s: offsets[s] ..< offsets[s + 1]
    const int64_t *score_offsets;    // its scores (heads, n, n) begin here
    int64_t segments, heads, head_size;
    int64_t stride;                  // elements from one token to the next in queries and keys
    int64_t position_stride;         // the same in position_keys and position_queries
    const int32_t *row_of_distance;  // valid from -(longest - 1) to longest - 1
} kt_disentangled_shape;

// Numbers that are the same for every element of a step.
typedef struct {
    double learning_rate, gradient_scale;
    double decay;            // multiplies the parameter: added to the gradient, or decoupled
    double momentum;         // of SGD; beta1 of Adam
    double beta2, epsilon;
    double correction1, correction2;  // 1 - beta^t
    int32_t nesterov, decoupled, first;
} kt_optimizer_step;

#define REAL float
#define F(name) name##_f
#include "CKernelsTyped.h"
#undef REAL
#undef F
#define REAL double
#define F(name) name##_d
#include "CKernelsTyped.h"
#undef REAL
#undef F

// Queries that the attention kernels take at once.
#define KT_ATTENTION_ROWS 8
// Most numbers in a vector: floats of 64 bytes. Rows of scratch are filled up to whole vectors.
#define KT_WIDEST_LANES 16

// Elements of scratch that the attention kernels of either type need for the longest segment.
int64_t kt_attention_scratch(int64_t longest_queries, int64_t longest_keys, int64_t head_size);

// Attention without bias and cap, under any mask but KT_MASK_WINDOW, operands rounded to bfloat16, for head sizes that are multiples of 16;
// scratch as kt_attention's. On x86-64 only for processors with AVX-512 and its bfloat16 products; elsewhere operands stay floats.
void kt_attention_halves(const kt_attention_shape *shape, const float *q, const float *k, const float *v, float scale, float *out,
                         float *scratch);

#include "CKernelsQuantized.h"
#include "CKernelsAnalysis.h"
#include "CounterRandom.h"
#include "CKernelsWords.h"
