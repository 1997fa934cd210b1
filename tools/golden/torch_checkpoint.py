#!/usr/bin/env python3
"""Checkpoints as torch.save writes them, good, old and hostile, with the same tensors as safetensors.

Made with torch 2.15.0, safetensors 0.8.0:

    python tools/golden/torch_checkpoint.py Tests/FileFormatsTests/Fixtures/torch
"""
import collections
import os
import sys

import torch
from safetensors.torch import save_file


class Hostile:
    def __reduce__(self):
        return os.system, ("echo this must never run",)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    normal = lambda *shape: torch.randn(*shape, generator=generator)
    matrix, shared = normal(4, 6), normal(12)
    tensors = collections.OrderedDict([
        ("f32", matrix), ("f16", normal(5).half()), ("bf16", normal(2, 3).bfloat16()), ("f64", normal(3).double()),
        ("transposed", matrix.t()), ("columns", matrix[:, 1:4]), ("slice", shared[3:9]), ("whole", shared),
        ("ids", torch.arange(7).reshape(1, 7)), ("flags", torch.tensor([True, False, True])), ("bytes", torch.tensor([1, 2, 255], dtype=torch.uint8)),
        ("scalar", torch.tensor(2.5)), ("empty", torch.zeros(0, 3)), ("three", normal(2, 3, 4).permute(2, 0, 1)),
    ])
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, os.path.join(folder, "expected.safetensors"))
    path = lambda name: os.path.join(folder, name)
    # What a module gives has its version numbers as an attribute, and its tensors as parameters in older checkpoints.
    state = tensors.copy()
    state["f32"] = torch.nn.Parameter(state["f32"])
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    torch.save(state, path("state.bin"))
    torch.save({"state_dict": dict(tensors), "epoch": 3, "loss": 0.5, "names": ["a", "b"]}, path("nested.bin"))
    torch.save(dict(tensors), path("protocol4.bin"), pickle_protocol=4)
    torch.save(dict(tensors), path("legacy.bin"), _use_new_zipfile_serialization=False)
    torch.save({"weight": tensors["f16"], "payload": Hostile()}, path("hostile.bin"))


if __name__ == "__main__":
    main(sys.argv[1])
