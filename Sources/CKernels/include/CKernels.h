// Vector loops that Swift's optimizer does not turn into vector code. Machine code is chosen at run time (target_clones).
//
// Matrices are row-major and contiguous unless a stride is given. Every kernel that exists for float (`_f`) and double (`_d`)
// comes from one source, so that what is checked in double by finite differences is what runs in float.
// A row's result never depends on the other rows of the call.
#pragma once
#include "CRecurrent.h"
#include <stddef.h>
#include <stdint.h>
#include "CKernelsDecoding.h"
#include "CKernelsEncoders.h"
#include "CKernelsQuantize.h"
#include "CKernelsWords.h"

#include "ProbeKernels.h"

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
} kt_mask;

// Attention over packed sequences. Segment s has the queries query_offsets[s] ..< query_offsets[s + 1] and the keys
// key_offsets[s] ..< key_offsets[s + 1]; head h lies in columns h * head_size ..< (h + 1) * head_size of q, k, v and out.
typedef struct {
    const int64_t *query_offsets, *key_offsets;
    int64_t segments, heads, head_size;
    int64_t q_stride, k_stride, v_stride, out_stride;  // elements from one token to the next
    int64_t window;
    int32_t mask;
    int64_t bias_columns;  // bias[h][i][j] = bias[(h * bias_columns + i) * bias_columns + j]; at least the longest segment
    // NULL, or each segment has a bias (heads, queries, keys) of its own, which begins here.
    const int64_t *bias_offsets;
} kt_attention_shape;

// Numbers that are the same for every element of a step.
typedef struct {
    double learning_rate, gradient_scale;
    double decay;            // multiplies the parameter: added to the gradient, or decoupled
    double momentum;         // of SGD; beta1 of Adam
    double beta2, epsilon;
    double correction1, correction2;  // 1 - beta^t
    int32_t nesterov, decoupled, first;
} kt_optimizer_step;

#define KT_DECLARE(REAL, S)                                                                                              \
    void kt_activate_##S(int32_t kind, const REAL *x, int64_t n, REAL *y);                                               \
    /* dx += dy * f'(x) */                                                                                               \
    void kt_activate_backward_##S(int32_t kind, const REAL *x, const REAL *dy, int64_t n, REAL *dx);                     \
    /* y = f(x) and dx = dy * f'(x) at once; dx may be dy */                                                             \
    void kt_activate_both_##S(int32_t kind, const REAL *x, const REAL *dy, int64_t n, REAL *y, REAL *dx);                \
    /* sum = x + residual (both may be NULL as output and input), y = gamma * (sum - mean) / sqrt(var + eps) + beta;     \
       beta, mean and rstd may be NULL */                                                                                \
    void kt_layer_norm_##S(const REAL *x, const REAL *residual, int64_t rows, int64_t columns, const REAL *gamma,        \
                           const REAL *beta, REAL epsilon, REAL *sum, REAL *y, REAL *mean, REAL *rstd);                  \
    /* dx = ..., dgamma += ..., dbeta += ... (dbeta may be NULL); x is the sum that was normalized */                   \
    void kt_layer_norm_backward_##S(const REAL *x, int64_t rows, int64_t columns, const REAL *gamma, const REAL *mean,   \
                                    const REAL *rstd, const REAL *dy, REAL *dx, REAL *dgamma, REAL *dbeta);              \
    void kt_softmax_##S(const REAL *x, int64_t rows, int64_t columns, REAL *y);                                          \
    void kt_log_softmax_##S(const REAL *x, int64_t rows, int64_t columns, REAL *y);                                      \
    /* the place of the largest of n > 0 numbers, the first of equal ones */                                              \
    int64_t kt_index_of_largest_##S(const REAL *x, int64_t n);                                                           \
    /* loss[r] = -sum_c t[c] log softmax(x)[c], t = (1 - smoothing) * one-hot + smoothing / columns; gradient (may be    \
       NULL, may be x) = softmax(x) - t. A target < 0 is left out: loss 0, gradient 0. */                                \
    void kt_cross_entropy_##S(const REAL *x, int64_t rows, int64_t columns, const int32_t *targets, REAL smoothing,      \
                              REAL *loss, REAL *gradient);                                                               \
    /* lse (queries x heads, may be NULL): log of the sum of exponentials of each row of scores, for the backward pass;  \
       scratch: kt_attention_scratch elements */                                                                         \
    void kt_attention_##S(const kt_attention_shape *shape, const REAL *q, const REAL *k, const REAL *v, const REAL *bias, \
                          REAL scale, REAL *out, REAL *lse, REAL *scratch);                                              \
    /* dq, dk, dv += ... with the strides of q, k, v; dbias (NULL or as bias) += ... */                                  \
    void kt_attention_backward_##S(const kt_attention_shape *shape, const REAL *q, const REAL *k, const REAL *v,         \
                                   const REAL *bias, REAL scale, const REAL *out, const REAL *lse, const REAL *dout,     \
                                   REAL *dq, REAL *dk, REAL *dv, REAL *dbias, REAL *scratch);                            \
    /* The attention weights themselves, (heads, queries, keys) of one segment; for pictures. */                         \
    void kt_attention_weights_##S(const kt_attention_shape *shape, int64_t segment, const REAL *q, const REAL *k,        \
                                  const REAL *bias, REAL scale, REAL *weights, REAL *scratch);                           \
    /* y[i] = 0 with probability rate, else x[i] / (1 - rate); the choice is a function of seed and i */                 \
    void kt_dropout_##S(const REAL *x, int64_t n, double rate, uint64_t seed, REAL *y);                                  \
    /* y[i] (+)= table[rows[i]] */                                                                                       \
    void kt_gather_rows_##S(const REAL *table, int64_t width, const int32_t *rows, int64_t n, int32_t add, REAL *y);     \
    /* table[rows[i] - first] += x[i] for rows in first ..< end, in the order of i */                                    \
    void kt_scatter_rows_##S(const REAL *x, int64_t width, const int32_t *rows, int64_t n, int64_t first, int64_t end, REAL *table); \
    void kt_fill_##S(REAL value, int64_t n, REAL *x);                                                                    \
    void kt_add_##S(const REAL *x, int64_t n, REAL *y);                    /* y += x */                                  \
    void kt_add_scaled_##S(REAL a, const REAL *x, int64_t n, REAL *y);     /* y += a * x */                              \
    void kt_scale_##S(REAL a, int64_t n, REAL *x);                         /* x *= a */                                  \
    void kt_add_product_##S(const REAL *a, const REAL *b, int64_t n, REAL *y); /* y += a * b, element by element */      \
    double kt_dot_##S(const REAL *x, const REAL *y, int64_t n);            /* in double */                               \
    void kt_add_column_sums_##S(const REAL *x, int64_t rows, int64_t columns, REAL *sums); /* sums += */                 \
    void kt_add_row_vector_##S(const REAL *v, int64_t rows, int64_t columns, REAL *x);     /* x[r] += v */               \
    int32_t kt_all_finite_##S(const REAL *x, int64_t n);                                                                 \
    /* One step of an optimizer over n elements of a parameter; g is first multiplied by gradient_scale. See optimizers.inc. */ \
    void kt_sgd_##S(REAL *p, const REAL *g, REAL *velocity, int64_t n, const kt_optimizer_step *step);                   \
    void kt_adagrad_##S(REAL *p, const REAL *g, REAL *sums, int64_t n, const kt_optimizer_step *step);                   \
    void kt_adam_##S(REAL *p, const REAL *g, REAL *m, REAL *v, int64_t n, const kt_optimizer_step *step);                \
    /* m and v as Adam's, direction = m^ / (sqrt(v^) + eps) + decay * p */                                               \
    void kt_lamb_direction_##S(const REAL *p, const REAL *g, REAL *m, REAL *v, int64_t n, const kt_optimizer_step *step, \
                               REAL *direction);

KT_DECLARE(float, f)
KT_DECLARE(double, d)
#undef KT_DECLARE

// Elements of scratch that the attention kernels need for the longest segment.
int64_t kt_attention_scratch(int64_t longest_queries, int64_t longest_keys, int64_t head_size);

// Attention without mask and bias, operands rounded to bfloat16, for head sizes that are multiples of 16; scratch as kt_attention's.
// Only on processors with AVX-512 and its bfloat16 products.
void kt_attention_halves(const kt_attention_shape *shape, const float *q, const float *k, const float *v, float scale, float *out,
                         float *scratch);

// Round to nearest even.
void kt_f32_to_bf16(const float *x, int64_t n, uint16_t *y);
void kt_bf16_to_f32(const uint16_t *x, int64_t n, float *y);
void kt_f16_to_f32(const uint16_t *x, int64_t n, float *y);
void kt_f32_to_f16(const float *x, int64_t n, uint16_t *y);

#include "AnalysisKernels.h"
