#pragma once
#include <oniguruma.h>

// Oniguruma's encodings and syntaxes are macros of addresses, which Swift does not import.
static inline OnigEncoding kn_onig_utf8(void) { return ONIG_ENCODING_UTF8; }
static inline int kn_onig_new(OnigRegex *regex, const OnigUChar *pattern, const OnigUChar *end, OnigErrorInfo *info) {
    return onig_new(regex, pattern, end, ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_RUBY, info);
}
