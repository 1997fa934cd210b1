"""Small files written by the reference implementations, for the tests of FileFormats.

safetensors 0.4 or later, torch 2, numpy 1.26 or later
"""
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).resolve().parents[2] / "Tests/FileFormatsTests/Fixtures"
here.mkdir(parents=True, exist_ok=True)

values = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4) / 8 - 1.25
save_file(
    {
        "f32": values.float(),
        "f16": values.half(),
        "bf16": values.bfloat16(),
        "f64": values,
        "i64": torch.tensor([-1, 0, 1 << 40]),
    },
    here / "reference.safetensors",
    metadata={"format": "pt"},
)

array = values.numpy()
np.save(here / "f4.npy", array.astype("<f4"))
np.save(here / "f8-fortran.npy", np.asfortranarray(array))
np.save(here / "f2.npy", array.astype("<f2"))
with open(here / "v2.npy", "wb") as file:
    np.lib.format.write_array(file, array.astype("<f4"), version=(2, 0))
