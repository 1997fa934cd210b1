#pragma once
#include <stddef.h>
#include <stdint.h>

/// Hands over to libFuzzer, which calls `target` with bytes of its own making until a limit among the arguments is reached. -1 where the
/// program was linked without it; tools/fuzz links it.
int kf_run(int argument_count, char **arguments, int (*target)(const uint8_t *bytes, size_t count));
