"""Makes winograd.safetensors: what PyTorch makes of a network of 32 channels and more, wide enough
that its 3x3 convolutions run in Winograd's basis, in float64, from numbers that a formula gives.
test_winograd.c builds the same network. "y": every STRIDE-th number of the output, as it lies in
memory ([n,h,w,c]). Made with PyTorch 2.13.0.

python3 tests/data/winograd.py tests/data/winograd.safetensors
"""
import json
import struct
import sys

import numpy as np
import torch
from torch.nn.functional import batch_norm, conv2d, gelu

STRIDE = 7


def numbers(key, *shape):
    """-1 … 1, by a hash of the key and the place."""
    i = np.arange(np.prod(shape), dtype=np.uint64)
    h = (i * 2654435761 + key * 40503 + 12345) % 2**32
    h = (h ^ h >> 15) * 2246822519 % 2**32
    x = (h >> 8) / 2**23 - 1
    return torch.tensor(x).reshape(shape)


def weight(key, out, into):
    return numbers(key, out, into, 3, 3) / 16


with torch.no_grad():
    x = numbers(0, 2, 16, 15, 32).permute(0, 3, 1, 2)
    x = torch.relu(conv2d(x, weight(1, 32, 32), numbers(2, 32), padding=1))
    y = conv2d(x, weight(3, 32, 32), padding=1)
    y = batch_norm(y, numbers(6, 32), numbers(7, 32).abs() + 0.5, numbers(4, 32), numbers(5, 32))
    x = torch.relu(x + y)
    x = gelu(conv2d(x, weight(8, 128, 32), numbers(9, 128), padding=1))
    x = x + conv2d(x, weight(10, 128, 128), numbers(11, 128), padding=1)
    y = conv2d(x, weight(12, 160, 128))

y = y.permute(0, 2, 3, 1).flatten()[::STRIDE].to(torch.float32).numpy()
header = json.dumps({"y": {"dtype": "F32", "shape": list(y.shape), "data_offsets": [0, y.nbytes]}})
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header.encode() + y.tobytes())
print(y.size, np.abs(y).mean(), np.abs(y).max())
