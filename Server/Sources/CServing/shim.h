#pragma once

// What Swift does not see of C: a macro of zlib's, and a function of glibc's that needs a feature macro.

#include <stddef.h>
#include <zlib.h>

/// 31 asks for gzip's header.
static inline int kotonoha_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
}

void *memmem(const void *text, size_t textLength, const void *word, size_t wordLength);
