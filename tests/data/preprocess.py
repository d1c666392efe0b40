"""Makes preprocess.safetensors: what Pillow and torchvision make of pictures that a formula draws.
test_preprocess.c draws the same ones. Keys: "WIDTHxHEIGHTxCHANNELS SIDE CROP", every STRIDE-th pixel
of the crop (SIDE: of the shorter side after Resize); "grey …" after convert("L"); "normalised …"
with ImageNet's mean and std, as floats. Made with Pillow 9.4.0 and torchvision 0.14.1.

python3 tests/data/preprocess.py tests/data/preprocess.safetensors
"""
import json
import struct
import sys

import numpy as np
import torchvision.transforms as T
from PIL import Image

CASES = [
    (640, 480, 3, 256, 224), (480, 640, 3, 256, 224), (300, 200, 3, 256, 224),
    (97, 311, 3, 256, 224), (256, 256, 3, 256, 224), (1000, 257, 3, 256, 224),
    (257, 999, 3, 256, 224), (33, 21, 3, 256, 224), (1, 40, 3, 256, 224), (225, 224, 3, 256, 224),
    (1600, 1200, 3, 256, 224), (500, 375, 1, 256, 224), (31, 64, 1, 256, 224),
    (451, 500, 3, 438, 384), (200, 150, 1, 28, 28), (120, 28, 1, 28, 28), (28, 28, 1, 28, 28),
    (45, 77, 3, 32, 32),
]  # fmt: skip


def picture(width, height, channels):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels].astype(np.int64)
    waves = (3 * x * x + 5 * y * y + 7 * x * y * (c + 1)) // 97 + 40 * c
    grain = (13 * x + 29 * y + 71 * c) * (x + 2 * y + 3) % 64
    edges = np.where((x // 9 + y // 7) % 3 == 0, 255, 0)
    pixels = np.where((x + y) % 5 == 0, edges, (waves + grain) % 256).astype(np.uint8)
    return Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])


def middle(image, side, crop):
    resize = T.Resize(side, interpolation=T.InterpolationMode.BICUBIC)
    return T.CenterCrop(crop)(resize(image))


def pixels(image, stride):
    return np.atleast_3d(np.asarray(image))[::stride, ::stride]


def save(path, tensors):
    header, data = {}, b""
    for key, array in tensors.items():
        bytes_ = np.ascontiguousarray(array).tobytes()
        header[key] = {
            "dtype": {"uint8": "U8", "float32": "F32"}[str(array.dtype)],
            "shape": array.shape,
            "data_offsets": [len(data), len(data) + len(bytes_)],
        }
        data += bytes_
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


tensors = {}
for width, height, channels, side, crop in CASES:
    tensors[f"{width}x{height}x{channels} {side} {crop}"] = pixels(
        middle(picture(width, height, channels), side, crop), 3 if crop > 100 else 1
    )
tensors["grey 45x77x3 28 28"] = pixels(middle(picture(45, 77, 3).convert("L"), 28, 28), 1)
normalise = T.Compose([T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
for width, height, channels in [(640, 480, 3), (500, 375, 1)]:
    x = normalise(middle(picture(width, height, channels).convert("RGB"), 256, 224)).numpy()
    tensors[f"normalised {width}x{height}x{channels}"] = x[:, ::3, ::3]
save(sys.argv[1], tensors)
