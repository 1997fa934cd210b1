#define _GNU_SOURCE
#include "engine.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

// MARK: Engine and per-thread state

static dnnl_engine_t engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void make_engine(void) {
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
}

dnnl_engine_t kd_engine(void) { return engine; }

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;

static void forget(product *p) {
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    dnnl_memory_t memories[] = {p->source, p->weights, p->destination, p->bias, p->scratchpad};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    memset(p, 0, sizeof *p);
}

static void free_state(void *pointer) {
    thread_state *state = pointer;
    for (int i = 0; i < CACHED_PRODUCTS; i++) forget(&state->products[i]);
    if (state->stream) dnnl_stream_destroy(state->stream);
    free(state->tile_in);
    free(state->tile_out);
    free(state->scratchpad);
    free(state->no_bias);
    free(state);
}

static void make_state_key(void) { pthread_key_create(&state_key, free_state); }

thread_state *kd_current_state(void) {
    pthread_once(&engine_once, make_engine);
    pthread_once(&state_once, make_state_key);
    thread_state *state = pthread_getspecific(state_key);
    if (state || !engine) return state;
    state = calloc(1, sizeof *state);
    if (!state) return NULL;
    // One library thread per worker thread. The symbol comes with whatever OpenMP runtime oneDNN was linked to.
    void (*set_threads)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set_threads) set_threads(1);
    if (dnnl_stream_create(&state->stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        free(state);
        return NULL;
    }
    pthread_setspecific(state_key, state);
    return state;
}

void *kd_at_least(void **buffer, size_t *size, size_t wanted) {
    if (*size < wanted) {
        free(*buffer);
        *buffer = aligned_alloc(64, (wanted + 63) / 64 * 64);
        *size = *buffer ? wanted : 0;
    }
    return *buffer;
}

const float *kd_zeros(thread_state *state, int64_t count) {
    size_t wanted = (size_t)count * sizeof(float);
    bool grown = state->no_bias_size < wanted;
    if (!kd_at_least(&state->no_bias, &state->no_bias_size, wanted)) return NULL;
    if (grown) memset(state->no_bias, 0, wanted);
    return state->no_bias;
}

// MARK: Descriptors

dnnl_data_type_t kd_operand_type(int precision) {
    return precision == KD_F32 ? dnnl_f32 : precision == KD_BF16 ? dnnl_bf16 : dnnl_s8;
}

static dnnl_data_type_t result_type(int precision) { return precision == KD_S8 ? dnnl_s32 : dnnl_f32; }

size_t kd_operand_size(int precision) { return precision == KD_F32 ? 4 : precision == KD_BF16 ? 2 : 1; }

// What differs between oneDNN 2 and 3.
#if DNNL_VERSION_MAJOR >= 3
int kd_describe_matrix(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type, int64_t row_stride,
                           int64_t column_stride) {
    dnnl_dims_t dims = {rows, columns}, strides = {row_stride, column_stride};
    return dnnl_memory_desc_create_with_strides(desc, 2, dims, type, strides);
}

static int describe_any(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type) {
    dnnl_dims_t dims = {rows, columns};
    return dnnl_memory_desc_create_with_tag(desc, 2, dims, type, dnnl_format_tag_any);
}

void kd_drop(matrix_desc *desc) {
    if (*desc) dnnl_memory_desc_destroy(*desc);
    *desc = NULL;
}

static int copy_desc(matrix_desc *to, desc_in from) { return dnnl_memory_desc_clone(to, from); }

static int describe_product(dnnl_primitive_desc_t *chosen, desc_in a, desc_in b, desc_in bias, desc_in c,
                            dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(chosen, engine, a, b, bias, c, attributes);
}

static void add_to_result(dnnl_post_ops_t operations) { dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_data_type_undef); }
#else
int kd_describe_matrix(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type, int64_t row_stride,
                           int64_t column_stride) {
    dnnl_dims_t dims = {rows, columns}, strides = {row_stride, column_stride};
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides);
}

static int describe_any(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type) {
    dnnl_dims_t dims = {rows, columns};
    return dnnl_memory_desc_init_by_tag(desc, 2, dims, type, dnnl_format_tag_any);
}

void kd_drop(matrix_desc *desc) { (void)desc; }

static int copy_desc(matrix_desc *to, desc_in from) {
    *to = *from;
    return 0;
}

static int describe_product(dnnl_primitive_desc_t *chosen, desc_in a, desc_in b, desc_in bias, desc_in c,
                            dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t desc;
    dnnl_status_t status = dnnl_matmul_desc_init(&desc, a, b, bias, c);
    return status != dnnl_success ? status : dnnl_primitive_desc_create(chosen, &desc, attributes, engine, NULL);
}

static void add_to_result(dnnl_post_ops_t operations) { dnnl_post_ops_append_sum(operations, 1.0f); }
#endif

static dnnl_primitive_desc_t choose(const shape_key *key);

int kd_packed_layout(const shape_key *key, matrix_desc *wanted) {
    shape_key full = *key;
    full.m = KD_TILE_ROWS;
    dnnl_primitive_desc_t chosen = choose(&full);
    if (!chosen) return -1;
    int bad = copy_desc(wanted, dnnl_primitive_desc_query_md(chosen, dnnl_query_weights_md, 0));
    dnnl_primitive_desc_destroy(chosen);
    return bad ? -1 : 0;
}

// The library's choice of kernel and of weight layout for a shape.
static dnnl_primitive_desc_t choose(const shape_key *key) {
    matrix_desc a = NO_DESC, b = NO_DESC, c = NO_DESC, bias = NO_DESC;
    dnnl_data_type_t type = kd_operand_type(key->precision);
    bool ta = key->flags & TRANSPOSE_A, tb = key->flags & TRANSPOSE_B;
    dnnl_primitive_desc_t chosen = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    int bad = kd_describe_matrix(&a, key->m, key->k, type, ta ? 1 : key->lda, ta ? key->lda : 1);
    if (key->flags & PACKED) bad |= key->m == KD_TILE_ROWS ? describe_any(&b, key->k, key->n, type) : kd_packed_layout(key, &b);
    else bad |= kd_describe_matrix(&b, key->k, key->n, type, tb ? 1 : key->ldb, tb ? key->ldb : 1);
    bad |= kd_describe_matrix(&c, key->m, key->n, result_type(key->precision), key->ldc, 1);
    if (key->flags & BIAS) bad |= kd_describe_matrix(&bias, 1, key->n, dnnl_f32, key->n, 1);
    if (bad || dnnl_primitive_attr_create(&attributes) != dnnl_success) goto done;
    // Our own scratchpad, one a thread: a primitive with the library's may not run on two threads at once.
    dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (key->flags & ACCUMULATE) {
        dnnl_post_ops_t add;
        dnnl_post_ops_create(&add);
        add_to_result(add);
        dnnl_primitive_attr_set_post_ops(attributes, add);
        dnnl_post_ops_destroy(add);
    }
    if (describe_product(&chosen, in(&a), in(&b), key->flags & BIAS ? in(&bias) : NULL, in(&c), attributes) != dnnl_success) chosen = NULL;
    dnnl_primitive_attr_destroy(attributes);
done:
    kd_drop(&a);
    kd_drop(&b);
    kd_drop(&c);
    kd_drop(&bias);
    return chosen;
}

uint64_t kd_hash_key(const shape_key *key) {
    const uint64_t parts[] = {(uint64_t)key->m, (uint64_t)key->n, (uint64_t)key->k, (uint64_t)key->lda, (uint64_t)key->ldb,
                              (uint64_t)key->ldc, (uint64_t)key->precision, (uint64_t)key->flags};
    uint64_t h = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) h = (h ^ parts[i]) * 0xFF51AFD7ED558CCDu, h ^= h >> 32;
    return h;
}

product *kd_product_for(thread_state *state, const shape_key *key) {
    product *p = NULL;
    uint64_t hash = kd_hash_key(key);
    for (uint64_t i = 0; i < CACHED_PLACES; i++) {
        product *place = &state->products[(hash + i) % CACHED_PRODUCTS];
        if (place->primitive && memcmp(&place->key, key, sizeof *key) == 0) return place;
        if (!p && !place->primitive) p = place;
    }
    if (!p) p = &state->products[hash % CACHED_PRODUCTS];
    forget(p);
    dnnl_primitive_desc_t chosen = choose(key);
    if (!chosen) return NULL;
    int bad = dnnl_primitive_create(&p->primitive, chosen);
    const struct { dnnl_memory_t *memory; dnnl_query_t what; } memories[] = {
        {&p->source, dnnl_query_src_md}, {&p->weights, dnnl_query_weights_md},
        {&p->destination, dnnl_query_dst_md}, {&p->scratchpad, dnnl_query_scratchpad_md},
    };
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        bad |= dnnl_memory_create(memories[i].memory, dnnl_primitive_desc_query_md(chosen, memories[i].what, 0), engine,
                                  DNNL_MEMORY_NONE);
    if (key->flags & BIAS)
        bad |= dnnl_memory_create(&p->bias, dnnl_primitive_desc_query_md(chosen, dnnl_query_weights_md, 1), engine,
                                  DNNL_MEMORY_NONE);
    size_t scratch = dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(chosen, dnnl_query_scratchpad_md, 0));
    dnnl_primitive_desc_destroy(chosen);
    if (scratch && !kd_at_least(&state->scratchpad, &state->scratchpad_size, scratch)) bad = 1;
    if (bad) {
        forget(p);
        return NULL;
    }
    p->key = *key;
    return p;
}

int kd_execute(thread_state *state, product *p, const void *a, const void *b, void *c, const float *bias) {
    int bad = dnnl_memory_set_data_handle(p->source, (void *)a);
    bad |= dnnl_memory_set_data_handle(p->weights, (void *)b);
    bad |= dnnl_memory_set_data_handle(p->destination, c);
    bad |= dnnl_memory_set_data_handle(p->scratchpad, state->scratchpad);
    if (p->bias) bad |= dnnl_memory_set_data_handle(p->bias, (void *)bias);
    if (bad) return -1;
    dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, p->source}, {DNNL_ARG_WEIGHTS, p->weights}, {DNNL_ARG_DST, p->destination},
        {DNNL_ARG_SCRATCHPAD, p->scratchpad}, {DNNL_ARG_BIAS, p->bias},
    };
    return dnnl_primitive_execute(p->primitive, state->stream, p->bias ? 5 : 4, arguments) == dnnl_success ? 0 : -1;
}
