// Kernels of one number type, included by CKernels.h once for float (names end in _f) and once for double (_d).
//
// No include guard: the file is a template over REAL and F(name). What stands here is the only declaration in C; Swift's is
// Sources/Tensors/Kernels/KernelTable.swift, and the compiler checks the one against the other.

// MARK: Element by element

// y = f(x)
void F(kt_activate)(int32_t kind, const REAL *x, int64_t n, REAL *y);
// dx += dy * f'(x)
void F(kt_activate_backward)(int32_t kind, const REAL *x, const REAL *dy, int64_t n, REAL *dx);
// y = f(x) and dx = dy * f'(x) at once; dx may be dy.
void F(kt_activate_both)(int32_t kind, const REAL *x, const REAL *dy, int64_t n, REAL *y, REAL *dx);
// y[i] = 0 with probability rate, else x[i] / (1 - rate); the choice is a function of seed and i.
void F(kt_dropout)(const REAL *x, int64_t n, double rate, uint64_t seed, REAL *y);
void F(kt_fill)(REAL value, int64_t n, REAL *x);
// y += x
void F(kt_add)(const REAL *x, int64_t n, REAL *y);
// y += a * x
void F(kt_add_scaled)(REAL a, const REAL *x, int64_t n, REAL *y);
// y += a * b, element by element
void F(kt_add_product)(const REAL *a, const REAL *b, int64_t n, REAL *y);
// x *= a
void F(kt_scale)(REAL a, int64_t n, REAL *x);
// In double.
double F(kt_dot)(const REAL *x, const REAL *y, int64_t n);
int32_t F(kt_all_finite)(const REAL *x, int64_t n);
// The place of the largest of n > 0 numbers, the first of equal ones.
int64_t F(kt_index_of_largest)(const REAL *x, int64_t n);
// The places of the `wanted` largest values, largest first, of equals the first; returns how many there are.
int64_t F(kt_largest)(const REAL *x, int64_t n, int64_t wanted, int64_t *places);

// MARK: Row by row

// sum = x + residual (both may be NULL as output and input), y = gamma * (sum - mean) / sqrt(var + eps) + beta; beta, mean and rstd
// may be NULL.
void F(kt_layer_norm)(const REAL *x, const REAL *residual, int64_t rows, int64_t columns, const REAL *gamma, const REAL *beta,
                      REAL epsilon, REAL *sum, REAL *y, REAL *mean, REAL *rstd);
// dx = ..., dgamma += ..., dbeta += ... (dbeta may be NULL); x is the sum that was normalized.
void F(kt_layer_norm_backward)(const REAL *x, int64_t rows, int64_t columns, const REAL *gamma, const REAL *mean, const REAL *rstd,
                               const REAL *dy, REAL *dx, REAL *dgamma, REAL *dbeta);
void F(kt_softmax)(const REAL *x, int64_t rows, int64_t columns, REAL *y);
void F(kt_log_softmax)(const REAL *x, int64_t rows, int64_t columns, REAL *y);
// loss[r] = -sum_c t[c] log softmax(x)[c], t = (1 - smoothing) * one-hot + smoothing / columns; gradient (may be NULL, may be x) =
// softmax(x) - t. A target < 0 is left out: loss 0, gradient 0.
void F(kt_cross_entropy)(const REAL *x, int64_t rows, int64_t columns, const int32_t *targets, REAL smoothing, REAL *loss, REAL *gradient);
// A stretch of a softmax's scores passes by, x (rows x columns), the columns from `first` on. Kept of each row: top, the largest score
// so far, and best, its column (begin with -infinity and -1; of equal scores the first); total, the sum of exp(score - top) (begin with
// 0); at, the score of the column wanted[row].
void F(kt_scan_scores)(const REAL *x, int64_t rows, int64_t columns, int64_t first, const int32_t *wanted, REAL *top, REAL *total,
                       int32_t *best, REAL *at);
// y[i] (+)= table[rows[i]]
void F(kt_gather_rows)(const REAL *table, int64_t width, const int32_t *rows, int64_t n, int32_t add, REAL *y);
// table[rows[i] - first] += x[i] for rows in first ..< end, in the order of i.
void F(kt_scatter_rows)(const REAL *x, int64_t width, const int32_t *rows, int64_t n, int64_t first, int64_t end, REAL *table);
// sums += the columns' sums
void F(kt_add_column_sums)(const REAL *x, int64_t rows, int64_t columns, REAL *sums);
// x[r] += v
void F(kt_add_row_vector)(const REAL *v, int64_t rows, int64_t columns, REAL *x);
// y (rows x width) = f(left half) * right half of x (rows x 2 width)
void F(kt_gate)(int32_t kind, const REAL *x, int64_t rows, int64_t width, REAL *y);
// dx += ...; scratch: 2 * width elements
void F(kt_gate_backward)(int32_t kind, const REAL *x, const REAL *dy, int64_t rows, int64_t width, REAL *dx, REAL *scratch);
// Rotary positions (Su et al. 2021): in each row, of each of `heads` heads, elements c and c + turned / 2 turn by the angle whose
// cosine and sine are at [positions[row] * turned / 2 + c]; elements from `turned` on stay; backward for sign = -1.
void F(kt_rotate)(REAL *x, int64_t rows, int64_t stride, int64_t heads, int64_t head_size, int64_t turned, const int32_t *positions,
                  const REAL *cosines, const REAL *sines, REAL sign);
// y = (offset + gamma) * x / sqrt(mean of squares + epsilon), for each of `heads` stretches of `size` elements in rows that lie x_stride
// and y_stride apart; y may be x. rstd (rows x heads) may be NULL.
void F(kt_rms_norm)(const REAL *x, int64_t x_stride, int64_t rows, int64_t heads, int64_t size, const REAL *gamma, REAL offset,
                    REAL epsilon, REAL *y, int64_t y_stride, REAL *rstd);
// dx = ..., dgamma += ...; dx may be dy.
void F(kt_rms_norm_backward)(const REAL *x, int64_t x_stride, int64_t rows, int64_t heads, int64_t size, const REAL *gamma, REAL offset,
                             const REAL *rstd, const REAL *dy, REAL *dx, int64_t d_stride, REAL *dgamma);
// Of each row of scores: log softmax(x)[target], the entropy of softmax(x) in nats, and how many scores are higher than the target's,
// plus 1. Sums in double.
void F(kt_token_scores)(const REAL *x, int64_t rows, int64_t columns, const int32_t *targets, double *log_probabilities, double *entropies,
                        int64_t *ranks);

// MARK: Attention

// lse (queries x heads, may be NULL): log of the sum of exponentials of each row of scores, for the backward pass; scratch:
// kt_attention_scratch elements.
void F(kt_attention)(const kt_attention_shape *shape, const REAL *q, const REAL *k, const REAL *v, const REAL *bias, REAL scale, REAL *out,
                     REAL *lse, REAL *scratch);
// dq, dk, dv += ... with the strides of q, k, v; dbias (NULL or as bias) += ...
void F(kt_attention_backward)(const kt_attention_shape *shape, const REAL *q, const REAL *k, const REAL *v, const REAL *bias, REAL scale,
                              const REAL *out, const REAL *lse, const REAL *dout, REAL *dq, REAL *dk, REAL *dv, REAL *dbias, REAL *scratch);
// The attention weights themselves, (heads, queries, keys) of one segment; for pictures.
void F(kt_attention_weights)(const kt_attention_shape *shape, int64_t segment, const REAL *q, const REAL *k, const REAL *bias, REAL scale,
                             REAL *weights, REAL *scratch);
// Attention of one query each: query i looks at the keys first_keys[i] ..< first_keys[i] + key_counts[i] (at least 1), rows of k and v
// that lie `stride` elements apart; key_group and cap as of kt_attention_shape; out (queries x heads * head_size); scratch: the largest
// number of keys, rounded up to 16.
void F(kt_attend_singly)(const REAL *q, int64_t q_stride, int64_t queries, const REAL *k, const REAL *v, int64_t stride,
                         const int64_t *first_keys, const int64_t *key_counts, int64_t heads, int64_t key_group, int64_t head_size,
                         REAL scale, REAL cap, REAL *out, REAL *scratch);
void F(kt_disentangled)(const kt_disentangled_shape *shape, const REAL *q, const REAL *k, const REAL *position_keys,
                        const REAL *position_queries, REAL scale, REAL *scores);
// Every gradient += ...
void F(kt_disentangled_backward)(const kt_disentangled_shape *shape, const REAL *q, const REAL *k, const REAL *position_keys,
                                 const REAL *position_queries, REAL scale, const REAL *dscores, REAL *dq, REAL *dk, REAL *dposition_keys,
                                 REAL *dposition_queries);

// MARK: Recurrent networks: one step for n sequences at once, and the attention of recurrent decoders

// LSTM. Sequence s reads row rows[s] of from_input (rows x 4 size: i, f, g, o) and row s of from_state (n x 4 size), and turns state
// (n x 2 size: output, cell) into the next one; the state also goes to row rows[s] of states, the gates after their nonlinearities to
// row rows[s] of gates.
void F(kt_lstm)(int64_t n, int64_t size, const int64_t *rows, const REAL *from_input, const REAL *from_state, REAL *state, REAL *gates,
                REAL *states);
// previous (n x 2 size): the state before the step. dstate (n x 2 size) comes in as the gradient from the later step and leaves as that
// of the cell before, its output half zero: there dproducts (n x 4 size) times the recurrent weights is still to be added. dgates:
// dproducts in packed rows.
void F(kt_lstm_backward)(int64_t n, int64_t size, const int64_t *rows, const REAL *gates, const REAL *states, const REAL *previous,
                         const REAL *dstates, REAL *dstate, REAL *dgates, REAL *dproducts);
// GRU, gates in the order r, z, n (3 size); gates keeps r, z, n and the recurrent part of n (4 size).
void F(kt_gru)(int64_t n, int64_t size, const int64_t *rows, const REAL *from_input, const REAL *from_state, REAL *state, REAL *gates,
               REAL *states);
void F(kt_gru_backward)(int64_t n, int64_t size, const int64_t *rows, const REAL *gates, const REAL *previous, const REAL *dstates,
                        REAL *dstate, REAL *dgates, REAL *dproducts);
// out = softmax(score) * values in each segment, score = v . tanh(q + k), or q . k where v is NULL. q, k: rows x width; values, out:
// rows x value_width; weights: for each query as many as its segment has keys.
void F(kt_alignment)(int64_t segments, const int64_t *query_offsets, const int64_t *key_offsets, int64_t width, int64_t value_width,
                     const REAL *q, const REAL *k, const REAL *v, const REAL *values, REAL *weights, REAL *out);
void F(kt_alignment_backward)(int64_t segments, const int64_t *query_offsets, const int64_t *key_offsets, int64_t width,
                              int64_t value_width, const REAL *q, const REAL *k, const REAL *v, const REAL *values, const REAL *weights,
                              const REAL *out, const REAL *dout, REAL *dq, REAL *dk, REAL *dv, REAL *dvalues);

// MARK: Optimizers: one step over n elements of a parameter; g is first multiplied by gradient_scale. See optimizers.inc.

void F(kt_sgd)(REAL *p, const REAL *g, REAL *velocity, int64_t n, const kt_optimizer_step *step);
void F(kt_adagrad)(REAL *p, const REAL *g, REAL *sums, int64_t n, const kt_optimizer_step *step);
void F(kt_adam)(REAL *p, const REAL *g, REAL *m, REAL *v, int64_t n, const kt_optimizer_step *step);
// m and v as Adam's, direction = m^ / (sqrt(v^) + eps) + decay * p
void F(kt_lamb_direction)(const REAL *p, const REAL *g, REAL *m, REAL *v, int64_t n, const kt_optimizer_step *step, REAL *direction);

// MARK: Losses of structural probes, see probe.inc; p is (words, rank)

void F(kt_probe_distances)(const REAL *p, int64_t words, int64_t rank, REAL *out);
void F(kt_probe_depths)(const REAL *p, int64_t words, int64_t rank, REAL *out);
double F(kt_probe_distance_loss)(const REAL *p, int64_t words, int64_t rank, const float *gold, REAL weight, REAL *gradient);
double F(kt_probe_depth_loss)(const REAL *p, int64_t words, int64_t rank, const float *gold, REAL weight, REAL *gradient);
