// Unicode facts as the reference tokenizers know them: two-stage tables, constant data without any start-up cost.
// See tools/unicode/generate_tables.py for where each field comes from.
#pragma once
#include <stdint.h>

#define KN_UNICODE_BLOCK 64

typedef struct {
    uint16_t flags;            // Hugging Face tokenizers, see UnicodeScalars.swift
    uint16_t lowercaseDelta;   // index into kn_lowercase_deltas
    uint8_t pythonFlags;       // Python's unicodedata
    uint8_t combiningClass;    // as Hugging Face's normalizers know it
    uint8_t pythonCombiningClass;
    uint8_t script;            // 0 joins with every script
    uint8_t cluster;           // low four bits: grapheme break class; above: Indic conjunct break
    uint8_t category;          // general category as the reference's Oniguruma knows it
} kn_unicode_record;

typedef struct {
    uint16_t canonical;        // start in kn_mapping_pool
    uint16_t canonicalLength;  // 0: no canonical decomposition
    uint16_t compatible;
    uint16_t compatibleLength;
} kn_unicode_mapping;

typedef struct { uint32_t first, second, composed; } kn_unicode_composition;

extern const uint16_t kn_record_blocks[];
extern const uint16_t kn_record_indices[];
extern const kn_unicode_record kn_records[];
extern const int32_t kn_lowercase_deltas[];
extern const uint16_t kn_mapping_blocks[];
extern const uint16_t kn_mapping_indices[];
extern const kn_unicode_mapping kn_mappings[];
extern const uint32_t kn_mapping_pool[];
extern const kn_unicode_composition kn_compositions[];
extern const uint32_t kn_composition_count;

/// `codePoint` below 0x110000.
static inline const kn_unicode_record *kn_record(uint32_t codePoint) {
    return &kn_records[kn_record_indices[kn_record_blocks[codePoint / KN_UNICODE_BLOCK] * KN_UNICODE_BLOCK + codePoint % KN_UNICODE_BLOCK]];
}
static inline uint32_t kn_lowercase(uint32_t codePoint) {
    return codePoint + (uint32_t)kn_lowercase_deltas[kn_record(codePoint)->lowercaseDelta];
}
static inline const kn_unicode_mapping *kn_mapping(uint32_t codePoint) {
    return &kn_mappings[kn_mapping_indices[kn_mapping_blocks[codePoint / KN_UNICODE_BLOCK] * KN_UNICODE_BLOCK + codePoint % KN_UNICODE_BLOCK]];
}
static inline const uint32_t *kn_pool(uint32_t start) { return &kn_mapping_pool[start]; }
/// The primary composite of a canonical pair, 0 if absent. (Hangul is arithmetic and not in the table.)
static inline uint32_t kn_compose(uint32_t first, uint32_t second) {
    uint32_t low = 0, high = kn_composition_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const kn_unicode_composition *c = &kn_compositions[middle];
        if (c->first == first && c->second == second) return c->composed;
        if (c->first < first || (c->first == first && c->second < second)) low = middle + 1; else high = middle;
    }
    return 0;
}
