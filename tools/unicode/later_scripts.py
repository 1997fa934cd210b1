#!/usr/bin/env python3
"""Prints the entries of Sources/Tokenizers/PreTokenization/LaterScripts.swift: what the Oniguruma inside tokenizers counts to a script and
Debian's, libonig.so.5, does not yet.

    python tools/unicode/later_scripts.py

Python 3.11 with tokenizers 0.23.3 and fonttools 4.60 (for the names of the scripts), Debian's libonig5 6.9.8.
"""
import ctypes

from fontTools.unicodedata import Scripts
from reference import matching

library = ctypes.CDLL("libonig.so.5")
UTF8, RUBY = (ctypes.addressof(ctypes.c_char.in_dll(library, name)) for name in ["OnigEncodingUTF8", "OnigSyntaxRuby"])
library.onig_initialize((ctypes.c_void_p * 1)(UTF8), 1)
library.onig_new.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_uint] + [ctypes.c_void_p] * 3
library.onig_match.argtypes = [ctypes.c_void_p] * 5 + [ctypes.c_uint]


def here(pattern, scalars):
    """The scalars that match in Debian's library; None if it does not know the property."""
    text = ctypes.create_string_buffer(pattern.encode())
    start, compiled, fault = ctypes.addressof(text), ctypes.c_void_p(), ctypes.create_string_buffer(256)
    if library.onig_new(ctypes.byref(compiled), start, start + len(text) - 1, 0, UTF8, RUBY, fault) != 0:
        return None
    found = set()
    for scalar in scalars:
        text = ctypes.create_string_buffer(chr(scalar).encode())
        start = ctypes.addressof(text)
        if library.onig_match(compiled, start, start + len(text) - 1, start, None, 0) > 0:
            found.add(scalar)
    return found


everything = [c for c in range(0xE0000) if not 0xD800 <= c <= 0xDFFF]
later = sorted(here(r"\p{Cn}", everything) - matching(r"\p{Cn}", everything))
for name in sorted(set(Scripts.NAMES.values())):
    pattern = r"\p{%s}" % name
    known = here(pattern, later)
    spans = []
    for scalar in sorted(matching(pattern, later) - known) if known is not None else []:
        if spans and spans[-1][1] == scalar - 1:
            spans[-1][1] = scalar
        else:
            spans.append([scalar, scalar])
    if spans:
        print(name.lower().replace("_", ""), "".join(r"\x{%x}" % a if a == b else r"\x{%x}-\x{%x}" % (a, b) for a, b in spans))
