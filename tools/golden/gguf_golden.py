#!/usr/bin/env python3
"""GGUF files by PyPI's gguf 0.19.0, for FileFormatsTests and NetworksTests.

    python -P tools/golden/gguf_golden.py Tests

kinds.gguf has a tensor of every kind that is read, and a norm of Gemma's; kinds.safetensors the values that gguf itself reads from it.
other.gguf has a kind that is not read. llama.gguf is the golden model llama-linear, its queries and keys reordered as llama.cpp's converter
does (convert_hf_to_gguf.py, LlamaModel.permute).
"""
import os
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Q, GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize
from safetensors.numpy import load_file, save_file

tests = sys.argv[1]
random = np.random.default_rng(4)


def finish(writer):
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file()
    writer.close()


path = os.path.join(tests, "FileFormatsTests/Fixtures/kinds.gguf")
writer = GGUFWriter(path, "gemma3")
writer.add_uint32("answer", 42), writer.add_float32("third", 1 / 3), writer.add_bool("yes", True), writer.add_string("greeting", "こんにちは")
writer.add_array("words", ["a", "犬", ""]), writer.add_array("numbers", [1, 2, 3])
for name, kind, shape in [("f32", Q.F32, (3, 5)), ("f16", Q.F16, (2, 7)), ("bf16", Q.BF16, (4, 3)), ("q8", Q.Q8_0, (2, 64)), ("q4", Q.Q4_0, (3, 32))]:
    values = random.standard_normal(shape).astype(np.float32)
    if kind == Q.F16:
        writer.add_tensor(name, values.astype(np.float16))
    elif kind == Q.F32:
        writer.add_tensor(name, values)
    else:
        writer.add_tensor(name, quantize(values, kind), raw_dtype=kind)
writer.add_tensor("blk.0.attn_norm.weight", np.array([1.5, 1.0, 0.25], dtype=np.float32))
finish(writer)
reader = GGUFReader(path)
save_file({t.name: np.ascontiguousarray(dequantize(t.data, t.tensor_type).astype(np.float32)) for t in reader.tensors}, path.replace(".gguf", ".gguf.safetensors"))

writer = GGUFWriter(os.path.join(tests, "FileFormatsTests/Fixtures/other.gguf"), "llama")
writer.add_tensor("blk.0.ffn_up.weight", quantize(random.standard_normal((2, 32)).astype(np.float32), Q.Q5_0), raw_dtype=Q.Q5_0)
finish(writer)

folder = os.path.join(tests, "NetworksTests/Fixtures/decoders/llama-linear")
tensors = load_file(os.path.join(folder, "model.safetensors"))
writer = GGUFWriter(os.path.join(tests, "SentenceEmbeddingTests/Fixtures/llama.gguf"), "llama")
writer.add_head_count(6), writer.add_head_count_kv(2)
names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)


def permute(weights, heads):
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


for name, values in tensors.items():
    if "q_proj" in name or "k_proj" in name:
        values = permute(values, 6 if "q_proj" in name else 2)
    target = names.get_name(name, try_suffixes=(".weight", ".bias"))
    writer.add_tensor(target, np.ascontiguousarray(values))
finish(writer)
