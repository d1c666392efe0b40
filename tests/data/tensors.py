"""Reads and writes safetensors files: the same tensors give the same bytes."""
import json
import struct

import numpy as np
import torch

KINDS = {"F32": np.float32, "I64": np.int64, "U8": np.uint8}


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for key, entry in json.loads(data[8:start]).items():
        if key != "__metadata__":
            first, end = entry["data_offsets"]
            values = np.frombuffer(data[start + first : start + end], KINDS[entry["dtype"]])
            tensors[key] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def encode(tensors):
    """Floats become float32. The data begin at a multiple of 8."""
    header, data = {}, b""
    for key, tensor in tensors.items():
        tensor = tensor.detach()
        values = (tensor.float() if tensor.is_floating_point() else tensor).contiguous().numpy()
        kind = next(name for name, dtype in KINDS.items() if dtype == values.dtype)
        end = len(data) + values.nbytes
        header[key] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), end]}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data
