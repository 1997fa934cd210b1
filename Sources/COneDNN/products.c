#include "engine.h"
#include <stdio.h>
#include <stdlib.h>

// MARK: Packed weights

kd_matrix *kd_pack(kd_precision precision, int64_t inputs, int64_t outputs, const void *source,
                   int64_t input_stride, int64_t output_stride) {
    if (!kd_current_state()) return NULL;
    kd_matrix *matrix = calloc(1, sizeof *matrix);
    if (!matrix) return NULL;
    *matrix = (kd_matrix){.inputs = inputs, .outputs = outputs, .input_stride = input_stride,
                          .output_stride = output_stride, .precision = precision};
    if (kd_repack(matrix, source) != 0) {
        kd_release(matrix);
        return NULL;
    }
    return matrix;
}

size_t kd_part_bytes(const kd_matrix *matrix, int parts) {
    kd_matrix part = *matrix;
    part.outputs /= parts;
    shape_key key = packed_key(&part);
    matrix_desc wanted = NO_DESC;
    size_t bytes = kd_packed_layout(&key, &wanted) ? 0 : dnnl_memory_desc_get_size(in(&wanted));
    kd_drop(&wanted);
    return bytes;
}

int kd_repack(kd_matrix *matrix, const void *source) {
    thread_state *state = kd_current_state();
    if (!state || matrix->is_view) return -1;
    matrix_desc wanted = NO_DESC, given = NO_DESC;
    shape_key key = packed_key(matrix);
    if (kd_packed_layout(&key, &wanted)) return -1;
    if (!matrix->data) {
        matrix->bytes = dnnl_memory_desc_get_size(in(&wanted));
        matrix->data = aligned_alloc(64, (matrix->bytes + 63) / 64 * 64);
    }
    dnnl_memory_t from = NULL, to = NULL;
    dnnl_primitive_desc_t reorder_desc = NULL;
    dnnl_primitive_t reorder = NULL;
    int bad = matrix->data ? 0 : 1;
    bad = bad ? bad : kd_describe_matrix(&given, matrix->inputs, matrix->outputs, kd_operand_type(matrix->precision), matrix->input_stride,
                                      matrix->output_stride);
    bad = bad ? bad : (int)dnnl_memory_create(&from, in(&given), kd_engine(), (void *)source);
    bad = bad ? bad : (int)dnnl_memory_create(&to, in(&wanted), kd_engine(), matrix->data);
    bad = bad ? bad : (int)dnnl_reorder_primitive_desc_create(&reorder_desc, in(&given), kd_engine(), in(&wanted), kd_engine(), NULL);
    bad = bad ? bad : (int)dnnl_primitive_create(&reorder, reorder_desc);
    if (!bad) {
        dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
        bad = dnnl_primitive_execute(reorder, state->stream, 2, arguments);
    }
    if (reorder) dnnl_primitive_destroy(reorder);
    if (reorder_desc) dnnl_primitive_desc_destroy(reorder_desc);
    if (from) dnnl_memory_destroy(from);
    if (to) dnnl_memory_destroy(to);
    kd_drop(&given);
    kd_drop(&wanted);
    return bad ? -1 : 0;
}

kd_matrix *kd_view(kd_precision precision, int64_t inputs, int64_t outputs, const void *packed, size_t bytes) {
    if (!kd_current_state() || (uintptr_t)packed % 64 != 0) return NULL;
    kd_matrix *matrix = calloc(1, sizeof *matrix);
    if (!matrix) return NULL;
    *matrix = (kd_matrix){.inputs = inputs, .outputs = outputs, .precision = precision, .bytes = bytes, .data = (void *)packed, .is_view = true};
    if (bytes > 0 && kd_part_bytes(matrix, 1) == bytes) return matrix;
    kd_release(matrix);
    return NULL;
}

const void *kd_packed_bytes(const kd_matrix *matrix, size_t *bytes) {
    *bytes = matrix->bytes;
    return matrix->data;
}

void kd_release(kd_matrix *matrix) {
    if (!matrix) return;
    if (!matrix->is_view) free(matrix->data);
    free(matrix);
}

// The columns of a matrix, or of a part of one whose results have rows `stride` floats apart.
static int multiply_rows(thread_state *state, const kd_matrix *matrix, const void *x, int64_t rows, void *y, int64_t stride,
                         const float *bias) {
    size_t in_row = (size_t)matrix->inputs * kd_operand_size(matrix->precision), out_row = (size_t)matrix->outputs * 4;
    for (int64_t row = 0; row < rows;) {
        int64_t left = rows - row, height = left < KD_TILE_ROWS ? kd_tile_height(state, matrix, left) : KD_TILE_ROWS;
        const char *from = (const char *)x + (size_t)row * in_row;
        char *to = (char *)y + (size_t)(row * stride) * 4;
        bool fills = left >= height, fits = fills && (stride == matrix->outputs || height == 1);
        shape_key key = packed_key(matrix);
        key.m = height;
        product *p = kd_product_for(state, &key);
        char *in = fills ? NULL : kd_at_least(&state->tile_in, &state->tile_in_size, (size_t)height * in_row);
        char *out = fits ? to : kd_at_least(&state->tile_out, &state->tile_out_size, (size_t)height * out_row);
        if (!p || !out || !(fills || in)) return -1;
        size_t filled = (size_t)(fills ? height : left);
        if (!fills) {
            memcpy(in, from, filled * in_row);
            memset(in + filled * in_row, 0, ((size_t)height - filled) * in_row);
        }
        if (kd_execute(state, p, fills ? from : in, matrix->data, out, bias)) return -1;
        for (size_t i = 0; !fits && i < filled; i++) memcpy(to + i * (size_t)stride * 4, out + i * out_row, out_row);
        row += height;
    }
    return 0;
}

int kd_multiply_part(const kd_matrix *matrix, const void *x, int64_t rows, void *y, const float *bias, int part, int parts) {
    thread_state *state = kd_current_state();
    if (!state) return -1;
    if (!bias && matrix->precision != KD_S8 && !(bias = kd_zeros(state, matrix->outputs))) return -1;
    // Of parts another thread knows that they are alike: it asked for their number.
    if (rows == 1 && (parts > 1 ? kd_single_row_fits(matrix) : kd_takes_single_row(state, matrix))) {
        int64_t blocks = matrix->outputs / KD_BLOCK_COLUMNS;
        kd_row_product(matrix->precision, matrix->data, matrix->inputs, matrix->outputs, blocks * part / parts,
                       blocks * (part + 1) / parts, x, y, bias);
        return 0;
    }
    kd_matrix cut = column_part(matrix, part, parts);
    int64_t column = part * cut.outputs;
    return multiply_rows(state, &cut, x, rows, (char *)y + (size_t)column * 4, matrix->outputs, bias ? bias + column : NULL);
}

int kd_multiply(const kd_matrix *matrix, const void *x, int64_t rows, void *y, const float *bias) {
    return kd_multiply_part(matrix, x, rows, y, bias, 0, 1);
}

// MARK: General products

int kd_gemm(kd_precision precision, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
            const void *a, int64_t lda, const void *b, int64_t ldb, float *c, int64_t ldc, bool accumulate) {
    thread_state *state = kd_current_state();
    if (!state || precision == KD_S8) return -1;
    shape_key key = {.m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc, .precision = precision,
                     .flags = (transpose_a ? TRANSPOSE_A : 0) | (transpose_b ? TRANSPOSE_B : 0) | (accumulate ? ACCUMULATE : 0)};
    product *p = kd_product_for(state, &key);
    return p ? kd_execute(state, p, a, b, c, NULL) : -1;
}

// MARK: The processor

// On other processors the library gives the bits of dnnl_cpu_isa_t meanings of their own: Advanced SIMD of ARM has that of SSE 4.1.
#if defined(__x86_64__)
bool kd_is_fast(kd_precision precision) {
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
#define HAS(set) (((unsigned)isa & (unsigned)(set)) == (unsigned)(set))
    switch (precision) {
    case KD_F32: return true;
    case KD_BF16: return HAS(dnnl_cpu_isa_avx512_core_bf16);
    case KD_S8: return HAS(dnnl_cpu_isa_avx512_core_vnni) || HAS(dnnl_cpu_isa_avx2_vnni);
    }
    return false;
#undef HAS
}

const char *kd_instruction_set(void) {
    switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41: return "sse41";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
#if DNNL_VERSION_MAJOR >= 3
    case dnnl_cpu_isa_avx512_core_fp16: return "avx512_core_fp16";
#endif
    default: return "generic";
    }
}
#else
bool kd_is_fast(kd_precision precision) { return precision == KD_F32; }

const char *kd_instruction_set(void) {
#if defined(__aarch64__)
    return "aarch64";
#else
    return "generic";
#endif
}
#endif

const char *kd_library_version(void) {
    static char text[32];
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
    return text;
}
