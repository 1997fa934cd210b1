#!/usr/bin/env python3
"""Tiny random models of every decoder family and of T5's encoder, as fixtures of NetworksTests.

Made with torch 2.15.0, transformers 5.23.0, safetensors 0.8.0. Each folder holds what the library itself saves (config.json,
model.safetensors) and expected.safetensors: token ids of a few sequences one after the other, their offsets, hidden.0 ... hidden.L of shape
(tokens, hidden_size), the logits (tokens, vocabulary), and what greedy decoding with the library's cache writes behind each
sequence. Each sequence is computed alone, with attention computed step by step ("eager").

    python tools/golden/decoders.py Tests/NetworksTests/Fixtures/decoders
"""
import os
import sys

# Last, because this folder has a statistics.py of its own.
sys.path.append(sys.path.pop(0))

import torch
import transformers as t
from safetensors.torch import save_file

from families import randomize

# Longer than every window below and than the contexts that rotary scaling starts from.
LENGTHS = [1, 9, 2, 33, 16]
VOCABULARY = 96
WRITTEN = 12
# No size fills a vector register, heads share keys and values.
SHARED = dict(vocab_size=VOCABULARY, hidden_size=42, num_hidden_layers=3, intermediate_size=51, max_position_embeddings=64,
              bos_token_id=1, eos_token_id=2, pad_token_id=0, attn_implementation="eager")
GROUPED = dict(SHARED, num_attention_heads=6, num_key_value_heads=2, head_dim=10)
GEMMA = dict(SHARED, hidden_size=36, num_attention_heads=4, num_key_value_heads=2, head_dim=10)
T5 = dict(vocab_size=VOCABULARY, d_model=35, d_kv=7, d_ff=51, num_layers=3, num_heads=3, relative_attention_num_buckets=16,
          relative_attention_max_distance=24, attn_implementation="eager", dropout_rate=0.0)

FAMILIES = {
    "gpt2": (t.GPT2LMHeadModel, t.GPT2Config(vocab_size=VOCABULARY, n_embd=36, n_layer=3, n_head=3, n_inner=51, n_positions=64,
                                             bos_token_id=1, eos_token_id=1, attn_implementation="eager")),
    "gpt_neox": (t.GPTNeoXForCausalLM, t.GPTNeoXConfig(**{**SHARED, "hidden_size": 40}, num_attention_heads=4, rotary_pct=0.4)),
    "gpt_neox-sequential": (t.GPTNeoXForCausalLM, t.GPTNeoXConfig(
        **{**SHARED, "hidden_size": 40, "num_hidden_layers": 2}, num_attention_heads=4, rotary_pct=0.2, use_parallel_residual=False,
        attention_bias=False, tie_word_embeddings=True)),
    "llama": (t.LlamaForCausalLM, t.LlamaConfig(**GROUPED, rope_parameters={
        "rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 40})),
    "llama-linear": (t.LlamaForCausalLM, t.LlamaConfig(
        **{**GROUPED, "num_hidden_layers": 2}, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
        rope_parameters={"rope_type": "linear", "rope_theta": 300.0, "factor": 4.0})),
    "llama-yarn": (t.LlamaForCausalLM, t.LlamaConfig(**{**GROUPED, "num_hidden_layers": 2, "max_position_embeddings": 256}, rope_parameters={
        "rope_type": "yarn", "rope_theta": 300.0, "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 4.0,
        "beta_slow": 0.5})),
    "mistral": (t.MistralForCausalLM, t.MistralConfig(**{**SHARED, "hidden_size": 36}, num_attention_heads=3, num_key_value_heads=1,
                                                      sliding_window=7)),
    "qwen2": (t.Qwen2ForCausalLM, t.Qwen2Config(**{**SHARED, "hidden_size": 40}, num_attention_heads=4, num_key_value_heads=2,
                                                use_sliding_window=True, sliding_window=6, max_window_layers=1, tie_word_embeddings=True)),
    "qwen3": (t.Qwen3ForCausalLM, t.Qwen3Config(**{**SHARED, "num_attention_heads": 6}, num_key_value_heads=3, head_dim=14)),
    "gemma": (t.GemmaForCausalLM, t.GemmaConfig(**{**GEMMA, "num_hidden_layers": 2, "num_key_value_heads": 1})),
    # Caps so low that they show.
    "gemma2": (t.Gemma2ForCausalLM, t.Gemma2Config(**GEMMA, sliding_window=7, attn_logit_softcapping=2.0, final_logit_softcapping=3.0,
                                                   query_pre_attn_scalar=13)),
    "gemma3": (t.Gemma3ForCausalLM, t.Gemma3TextConfig(
        **{**GEMMA, "num_hidden_layers": 4}, sliding_window=5, query_pre_attn_scalar=20,
        layer_types=["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
        rope_parameters={"sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
                         "full_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 8.0}})),
    "gemma3-bidirectional": (t.Gemma3TextModel, t.Gemma3TextConfig(
        **GEMMA, sliding_window=8, query_pre_attn_scalar=20, use_bidirectional_attention=True,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"])),
    "t5": (t.T5EncoderModel, t.T5Config(**T5)),
    "t5-gated": (t.T5EncoderModel, t.T5Config(**{**T5, "num_layers": 2}, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
    "mt5": (t.MT5EncoderModel, t.MT5Config(**{**T5, "num_layers": 2})),
}


def expected(model, generator):
    writes = hasattr(model, "generate") and not isinstance(model, (t.T5EncoderModel, t.Gemma3TextModel))
    ids, offsets, layers, logits, written = [], [0], None, [], []
    for length in LENGTHS:
        sequence = torch.randint(5, VOCABULARY, (1, length), generator=generator)
        with torch.no_grad():
            result = model(input_ids=sequence, attention_mask=torch.ones_like(sequence), output_hidden_states=True)
        states = [state[0] for state in result.hidden_states]
        layers = [[s] for s in states] if layers is None else [a + [s] for a, s in zip(layers, states)]
        ids.append(sequence[0])
        offsets.append(offsets[-1] + length)
        if writes:
            logits.append(result.logits[0])
            # An end mark does not end it.
            model.generation_config.eos_token_id = None
            with torch.no_grad():
                out = model.generate(sequence, attention_mask=torch.ones_like(sequence), do_sample=False, max_new_tokens=WRITTEN)
            written.append(out[0, length:].to(torch.int32))
    tensors = {f"hidden.{i}": torch.cat(parts) for i, parts in enumerate(layers)}
    if writes:
        tensors |= {"logits": torch.cat(logits), "written": torch.stack(written)}
    return tensors | {"ids": torch.cat(ids).to(torch.int32), "offsets": torch.tensor(offsets, dtype=torch.int32)}


def main(folder):
    for name, (kind, config) in FAMILIES.items():
        generator = torch.Generator().manual_seed(20261126)
        model = kind(config).eval()
        randomize(model, generator)
        if name.startswith("gemma"):
            with torch.no_grad():
                for key, parameter in model.named_parameters():
                    if "norm" in key:
                        parameter.sub_(1)
        path = os.path.join(folder, name)
        model.save_pretrained(path)
        for extra in ("generation_config.json",):
            if os.path.exists(os.path.join(path, extra)):
                os.remove(os.path.join(path, extra))
        save_file({k: v.contiguous() for k, v in expected(model, generator).items()}, os.path.join(path, "expected.safetensors"))
        print(name, sum(p.numel() for p in model.parameters()), sorted(model.state_dict())[:3])


if __name__ == "__main__":
    main(sys.argv[1])
