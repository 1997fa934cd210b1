#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A thin C face of simdjson. No exception crosses it.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ksj_parser ksj_parser;

/// A parser that keeps its memory between documents. NULL when there is none left.
ksj_parser *ksj_parser_new(void);
void ksj_parser_free(ksj_parser *parser);

/// Parses one document. Returns 0, or an error that `ksj_error_text` names. The bytes need no padding.
int ksj_parse(ksj_parser *parser, const uint8_t *bytes, size_t count);
const char *ksj_error_text(int error);

/// The parsed document: simdjson's tape (doc/tape.md in its sources) and its string buffer, valid until the next parse.
const uint64_t *ksj_tape(const ksj_parser *parser);
const uint8_t *ksj_strings(const ksj_parser *parser);

/// True if the bytes are well-formed UTF-8.
bool ksj_validate_utf8(const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
