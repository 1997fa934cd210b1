#include "CSimdJSON.h"

#include <new>
#include <simdjson.h>

struct ksj_parser {
    simdjson::dom::parser parser;
};

ksj_parser *ksj_parser_new(void) {
    try {
        return new (std::nothrow) ksj_parser;
    } catch (...) {
        return nullptr;
    }
}

void ksj_parser_free(ksj_parser *parser) { delete parser; }

int ksj_parse(ksj_parser *parser, const uint8_t *bytes, size_t count) {
    try {
        return int(parser->parser.parse(bytes, count, true).error());
    } catch (...) {
        return int(simdjson::MEMALLOC);
    }
}

const char *ksj_error_text(int error) { return simdjson::error_message(simdjson::error_code(error)); }

const uint64_t *ksj_tape(const ksj_parser *parser) { return parser->parser.doc.tape.get(); }

const uint8_t *ksj_strings(const ksj_parser *parser) { return parser->parser.doc.string_buf.get(); }

bool ksj_validate_utf8(const uint8_t *bytes, size_t count) {
    return count == 0 || simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), count);
}
