"""Makes activations.safetensors: what forward hooks see in the article's networks of steps 05 and
09, in evaluation and in training, computed in float64 from the weights and batches of the reference
cases. Keys: "STEP/MODE/LAYER". Made with PyTorch 2.13.0.

python3 tests/data/activations.py tests/data/activations.safetensors
"""
import json
import os
import struct
import sys

import numpy as np
import torch

from article import Classifier

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = {"05_large_kernel": ("large_kernel", ["encoder.stem.1", "encoder.stages.1.0.block.0.2",
                                              "encoder.stages.2.1.block.2.1", "head.1"]),
         "09_layer_norm": ("layer_norm", ["encoder.stages.1.0.block.1", "encoder.stages.2.0.block.3",
                                          "encoder.stages.2.0.shortcut.0.2",
                                          "encoder.stages.3.0.block.4", "head.2"])}


def read(path):
    with open(path, "rb") as file:
        bytes_ = file.read()
    size, = struct.unpack("<Q", bytes_[:8])
    header = json.loads(bytes_[8:8 + size])
    kinds = {"F32": np.float32, "I64": np.int64}
    return {key: torch.from_numpy(np.frombuffer(
        bytes_[8 + size + e["data_offsets"][0]:8 + size + e["data_offsets"][1]],
        kinds[e["dtype"]]).reshape(e["shape"]).copy()).double()
        for key, e in header.items() if key != "__metadata__"}


out = {}
for name, (step, layers) in CASES.items():
    folder = os.path.join(HERE, "steps", name)
    batch = read(folder + "/batch.safetensors")["x"]
    weights = read(folder + "/weights.safetensors")
    for mode in "eval", "train":
        net = Classifier(step, 3, 4, [1, 2, 2, 1], [4, 8, 16, 32], num_classes=10).double()
        net.load_state_dict(weights, strict=False)
        net.train(mode == "train")
        modules = dict(net.named_modules())
        for layer in layers:
            modules[layer].register_forward_hook(
                lambda m, x, y, key=f"{name}/{mode}/{layer}": out.update({key: y}))
        with torch.no_grad():
            net(batch)

header, data = {}, b""
for key in sorted(out):
    bytes_ = out[key].to(torch.float32).numpy().tobytes()
    header[key] = {"dtype": "F32", "shape": list(out[key].shape),
                   "data_offsets": [len(data), len(data) + len(bytes_)]}
    data += bytes_
    print(key, list(out[key].shape), float(out[key].abs().mean()))
text = json.dumps(header).encode()
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
