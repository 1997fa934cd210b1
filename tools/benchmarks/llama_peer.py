#!/usr/bin/env python3
"""Prefill and greedy decoding of `kotonoha generate` beside llama.cpp, on random weights in the shape of Qwen3-0.6B.

    python tools/benchmarks/llama_peer.py make FOLDER TOKENIZER      FOLDER/model, FOLDER/bf16.gguf and FOLDER/q8_0.gguf (3 GB)
    python tools/benchmarks/llama_peer.py measure FOLDER KIND...     of kotonoha-f32, -bf16, -int8, llama-bf16, -q8_0,
                                                                     pytorch-f32, -bf16; three rounds in turn

TOKENIZER is a tokenizer.json of at most 151,936 tokens, for Kotonoha's folder alone: llama.cpp gets token ids. The weights of the three files
are not the same numbers, since only speed is compared. Prints tokens per second, the best of the rounds: a prompt of about 512 tokens, 128 tokens of one
stream, 32 tokens of each of 16 streams. llama.cpp (PyPI's xllamacpp 2026.10, a build for AVX2) is measured with the model loaded, by its own clock for
one stream; Kotonoha's figures are differences between whole runs, so that loading drops out. Two threads. Also needs NumPy, gguf 0.19.0, and for
PyTorch torch 2.13 and transformers 5.23.
KOTONOHA names the program where it is not .build/release/kotonoha.
"""
import concurrent.futures
import json
import os
import struct
import subprocess
import sys
import time

import numpy as np

PROGRAM = os.environ.get("KOTONOHA", ".build/release/kotonoha")
VOCABULARY, SIZE, LAYERS, HEADS, KEY_HEADS, HEAD, INNER = 151_936, 1024, 28, 16, 8, 128, 3072
PROMPT, ONE, STREAMS, EACH = 512, 128, 16, 32


def tensors():
    """Checkpoint name, GGUF name, shape; norms have one dimension."""
    yield "model.embed_tokens.weight", "token_embd.weight", (VOCABULARY, SIZE)
    yield "model.norm.weight", "output_norm.weight", (SIZE,)
    for i in range(LAYERS):
        for name, short, shape in [
            ("input_layernorm", "attn_norm", (SIZE,)), ("self_attn.q_proj", "attn_q", (HEADS * HEAD, SIZE)),
            ("self_attn.k_proj", "attn_k", (KEY_HEADS * HEAD, SIZE)), ("self_attn.v_proj", "attn_v", (KEY_HEADS * HEAD, SIZE)),
            ("self_attn.o_proj", "attn_output", (SIZE, HEADS * HEAD)), ("self_attn.q_norm", "attn_q_norm", (HEAD,)),
            ("self_attn.k_norm", "attn_k_norm", (HEAD,)), ("post_attention_layernorm", "ffn_norm", (SIZE,)),
            ("mlp.gate_proj", "ffn_gate", (INNER, SIZE)), ("mlp.up_proj", "ffn_up", (INNER, SIZE)), ("mlp.down_proj", "ffn_down", (SIZE, INNER)),
        ]:
            yield f"model.layers.{i}.{name}.weight", f"blk.{i}.{short}.weight", shape


def halves(count):
    """Random bf16 numbers of standard deviation 0.02: a million, repeated."""
    tile = (np.random.default_rng(0).standard_normal(1 << 20, dtype=np.float32) * 0.02).view(np.uint32) >> 16
    return np.resize(tile.astype(np.uint16), count)


def make_checkpoint(folder, tokenizer):
    os.makedirs(folder, exist_ok=True)
    with open(tokenizer, "rb") as source, open(os.path.join(folder, "tokenizer.json"), "wb") as file:
        file.write(source.read())
    configuration = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": SIZE, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KEY_HEADS, "head_dim": HEAD, "vocab_size": VOCABULARY, "hidden_act": "silu",
        "max_position_embeddings": 40960, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "tie_word_embeddings": True, "attention_bias": False}
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(configuration, file)
    header, offset = {}, 0
    for name, _, shape in tensors():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for _, _, shape in tensors():
            count = int(np.prod(shape))
            file.write((np.full(count, 0x3F80, np.uint16) if len(shape) == 1 else halves(count)).tobytes())


def make_gguf(path, kind):
    import gguf
    writer = gguf.GGUFWriter(path, "qwen3", use_temp_file=False)
    writer.add_block_count(LAYERS), writer.add_context_length(40960), writer.add_embedding_length(SIZE), writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS), writer.add_head_count_kv(KEY_HEADS), writer.add_key_length(HEAD), writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6), writer.add_rope_freq_base(1e6), writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("gpt2"), writer.add_tokenizer_pre("qwen2"), writer.add_token_list([f"t{i}" for i in range(VOCABULARY)])
    writer.add_token_merges(["t 0"]), writer.add_token_types([1] * VOCABULARY)
    random = np.random.default_rng(1)
    for _, name, shape in tensors():
        if len(shape) == 1:
            writer.add_tensor(name, np.ones(shape, np.float32))
        elif kind == "bf16":
            writer.add_tensor(name, halves(int(np.prod(shape))).reshape(shape).view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            # Blocks of 32: a scale in f16 and 32 bytes.
            blocks = np.resize(random.integers(0, 256, 34 << 15, dtype=np.uint8).reshape(-1, 34), (int(np.prod(shape)) // 32, 34))
            blocks[:, :2] = np.array([3e-4], np.float16).view(np.uint8)
            writer.add_tensor(name, blocks.reshape(shape[0], -1), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file()
    writer.close()


def run(model, prompts, length, precision):
    begin = time.perf_counter()
    subprocess.run([PROGRAM, "generate", model, "-", "--format", "txt", "--max-length", str(length), "--precision", precision, "--threads", "2", "--quiet"],
                   input="".join(p + "\n" for p in prompts), text=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def kotonoha(folder, precision):
    model = os.path.join(folder, "model")
    prompt = " ".join("the dog sleeps in the snow while it rains".split()[i * i % 9] for i in range(PROMPT))
    found = subprocess.run([PROGRAM, "tokenize", "-", "--model", model, "--ids", "--quiet", "--format", "txt"], input=prompt + "\n", text=True, check=True,
                           stdout=subprocess.PIPE).stdout
    tokens = len(found.split())
    short = [f"the dog {i}" for i in range(STREAMS)]
    seconds = {"tokens": tokens}
    for name, prompts, length in [("load", short[:1], 1), ("decode", short[:1], ONE + 1), ("prefill", [prompt], 1), ("streams_load", short, 1),
                                  ("streams", short, EACH + 1)]:
        seconds[name] = run(model, prompts, length, precision)
        print(f"{name}: {seconds[name]:.2f} s", file=sys.stderr, flush=True)
    return seconds


def rates(rounds):
    """Of Kotonoha's runs: loading varies, so that differences are taken of the shortest runs."""
    seconds = {name: min(r[name] for r in rounds) for name in rounds[0]}
    return {"prefill": seconds["tokens"] / (seconds["prefill"] - seconds["load"]), "decode": ONE / (seconds["decode"] - seconds["load"]),
            "streams": STREAMS * EACH / (seconds["streams"] - seconds["streams_load"]), "load_s": seconds["load"]}


def llama(path):
    import xllamacpp
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.n_ctx, parameters.n_parallel, parameters.n_gpu_layers, parameters.verbosity = path, 1024 * STREAMS, STREAMS, 0, -1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 2
    begin = time.perf_counter()
    server = xllamacpp.Server(parameters)
    load = time.perf_counter() - begin
    random = np.random.default_rng(2)

    def ask(prompt, predicted):
        ids = random.integers(1000, 100_000, prompt).tolist()
        answer = server.handle_completions({"prompt": ids, "n_predict": predicted, "ignore_eos": True, "cache_prompt": False, "temperature": 0})
        return (json.loads(answer) if isinstance(answer, (str, bytes)) else answer)["timings"]

    ask(8, 2)
    result = {"prefill": ask(PROMPT, 1)["prompt_per_second"], "decode": ask(4, ONE)["predicted_per_second"]}
    seconds = []
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        for length in [1, EACH + 1]:
            begin = time.perf_counter()
            list(pool.map(lambda _: ask(4, length), range(STREAMS)))
            seconds.append(time.perf_counter() - begin)
    return result | {"streams": STREAMS * EACH / (seconds[1] - seconds[0]), "load_s": load}


def pytorch(folder, precision):
    """transformers' own greedy generation with its cache; the model is loaded."""
    import torch
    import transformers
    torch.set_num_threads(2)
    begin = time.perf_counter()
    model = transformers.AutoModelForCausalLM.from_pretrained(os.path.join(folder, "model"), dtype=getattr(torch, {"f32": "float32", "bf16": "bfloat16"}[precision]))
    load = time.perf_counter() - begin
    random = torch.Generator().manual_seed(2)

    def seconds(rows, prompt, predicted):
        ids = torch.randint(1000, 100_000, (rows, prompt), generator=random)
        begin = time.perf_counter()
        with torch.inference_mode():
            model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=predicted, min_new_tokens=predicted, do_sample=False, pad_token_id=0)
        return time.perf_counter() - begin

    seconds(1, 8, 2)
    return {"prefill": PROMPT / seconds(1, PROMPT, 1), "decode": ONE / (seconds(1, 4, ONE + 1) - seconds(1, 4, 1)),
            "streams": STREAMS * EACH / (seconds(STREAMS, 4, EACH + 1) - seconds(STREAMS, 4, 1)), "load_s": load}


def main():
    what, folder, *rest = sys.argv[1:]
    if what == "make":
        make_checkpoint(os.path.join(folder, "model"), rest[0])
        for kind in ["bf16", "q8_0"]:
            make_gguf(os.path.join(folder, f"{kind}.gguf"), kind)
    found = {kind: [] for kind in rest} if what == "measure" else {}
    for _ in range(3):
        for kind, rounds in found.items():
            peer, precision = kind.split("-")
            rounds.append(
                kotonoha(folder, precision) if peer == "kotonoha" else pytorch(folder, precision) if peer == "pytorch"
                else llama(os.path.join(folder, f"{precision}.gguf")))
            print(json.dumps({"peer": kind} | {k: round(v, 2) for k, v in rounds[-1].items()}), file=sys.stderr, flush=True)
    for kind, rounds in found.items():
        best = rates(rounds) if kind.startswith("kotonoha") else {k: (min if k == "load_s" else max)(r[k] for r in rounds) for k in rounds[0]}
        print(json.dumps({"peer": kind} | {k: round(v, 2) for k, v in best.items()}), flush=True)


if __name__ == "__main__":
    main()
