// One step of a recurrent network for n sequences at once, and the attention of recurrent decoders.
#pragma once
#include <stdint.h>

#define KT_DECLARE_RECURRENT(REAL, S)                                                                                    \
    /* LSTM. Sequence s reads row rows[s] of from_input (rows x 4 size: i, f, g, o) and row s of from_state (n x 4 size), \
       and turns state (n x 2 size: output, cell) into the next one; the state also goes to row rows[s] of states, the    \
       gates after their nonlinearities to row rows[s] of gates. */                                                      \
    void kt_lstm_##S(int64_t n, int64_t size, const int64_t *rows, const REAL *from_input, const REAL *from_state,       \
                     REAL *state, REAL *gates, REAL *states);                                                            \
    /* previous (n x 2 size): the state before the step. dstate (n x 2 size) comes in as the gradient from the later step \
       and leaves as that of the cell before, its output half zero: there dproducts (n x 4 size) times the recurrent     \
       weights is still to be added. dgates: dproducts in packed rows. */                                                \
    void kt_lstm_backward_##S(int64_t n, int64_t size, const int64_t *rows, const REAL *gates, const REAL *states,       \
                              const REAL *previous, const REAL *dstates, REAL *dstate, REAL *dgates, REAL *dproducts);   \
    /* GRU, gates in the order r, z, n (3 size); gates keeps r, z, n and the recurrent part of n (4 size). */            \
    void kt_gru_##S(int64_t n, int64_t size, const int64_t *rows, const REAL *from_input, const REAL *from_state,        \
                    REAL *state, REAL *gates, REAL *states);                                                             \
    void kt_gru_backward_##S(int64_t n, int64_t size, const int64_t *rows, const REAL *gates, const REAL *previous,      \
                             const REAL *dstates, REAL *dstate, REAL *dgates, REAL *dproducts);                          \
    /* out = softmax(score) * values in each segment, score = v . tanh(q + k), or q . k where v is NULL. q, k: rows x     \
       width; values, out: rows x value_width; weights: for each query as many as its segment has keys. */               \
    void kt_alignment_##S(int64_t segments, const int64_t *query_offsets, const int64_t *key_offsets, int64_t width,     \
                          int64_t value_width, const REAL *q, const REAL *k, const REAL *v, const REAL *values,          \
                          REAL *weights, REAL *out);                                                                     \
    void kt_alignment_backward_##S(int64_t segments, const int64_t *query_offsets, const int64_t *key_offsets,           \
                                   int64_t width, int64_t value_width, const REAL *q, const REAL *k, const REAL *v,      \
                                   const REAL *values, const REAL *weights, const REAL *out, const REAL *dout, REAL *dq, \
                                   REAL *dk, REAL *dv, REAL *dvalues);                                                   \
    /* The places of the `wanted` largest values, largest first, of equals the first; returns how many there are. */     \
    int64_t kt_largest_##S(const REAL *x, int64_t n, int64_t wanted, int64_t *places);

KT_DECLARE_RECURRENT(float, f)
KT_DECLARE_RECURRENT(double, d)
#undef KT_DECLARE_RECURRENT
