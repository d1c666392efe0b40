"""Makes randaugment.safetensors: what timm's RandAugment operations, on Pillow, make of images that a
formula draws. test_randaugment.c draws the same ones. Keys: "OPERATION MAGNITUDE SIGN IMAGE", the
image as WIDTHxHEIGHTxCHANNELS/LEVELS, its values being the formula's in so many levels around 100.
Fill is 31, 107, 190 (grey: 31), interpolation bicubic. Made with Pillow 9.4.0 (from 10 on it refuses to keep no bit) and timm 1.0.31.

python3 tests/data/randaugment.py tests/data/randaugment.safetensors
"""
import json
import random
import struct
import sys

import numpy as np
import PIL.Image
from timm.data import auto_augment

IMAGES = [(19, 14, 1, 256), (17, 12, 3, 256), (21, 24, 3, 40), (5, 4, 1, 1)]
MORE = [(41, 34, 3, 256), (45, 40, 1, 40)]  # where a histogram needs pixels
MAGNITUDES = [2.6, 9.3, 10]
FILL = (31, 107, 190)
SIGNED = ("Rotate", "Color", "Contrast", "Brightness", "Sharpness", "Shear", "Translate")


def image(width, height, channels, levels):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels].astype(np.int64)
    waves = (3 * x * x + 5 * y * y + 7 * x * y * (c + 1)) // 11 + 40 * c
    flat = (x // 5 + y // 4) % 3 == 0
    pixels = np.where(flat, 50 + 60 * c, waves) % 256
    if levels < 256:
        pixels = 100 - levels // 2 + pixels * levels // 256
    return PIL.Image.fromarray(pixels.astype(np.uint8).squeeze())


def augmented(name, magnitude, negative, picture):
    random.random = lambda: 1.0 if negative else 0.0
    level = auto_augment.LEVEL_TO_ARG[name]
    arguments = level(magnitude, {}) if level else ()
    return auto_augment.NAME_TO_OP[name](
        picture,
        *arguments,
        resample=PIL.Image.Resampling.BICUBIC,
        fillcolor=FILL if picture.mode == "RGB" else FILL[0],
    )


def save(path, tensors):
    header, data = {}, b""
    for key, array in tensors.items():
        bytes_ = np.ascontiguousarray(array).tobytes()
        header[key] = {
            "dtype": "U8",
            "shape": array.shape,
            "data_offsets": [len(data), len(data) + len(bytes_)],
        }
        data += bytes_
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


tensors = {}
for i, name in enumerate(auto_augment.rand_augment_choices("", increasing=True)):
    has_strength = auto_augment.LEVEL_TO_ARG[name]
    for magnitude in MAGNITUDES if has_strength else [0]:
        for negative in [0, 1] if name.startswith(SIGNED) else [0]:
            for w, h, c, levels in IMAGES + ([] if has_strength else MORE):
                key = f"{i} {magnitude} {negative} {w}x{h}x{c}/{levels}"
                result = augmented(name, magnitude, negative, image(w, h, c, levels))
                tensors[key] = np.asarray(result).reshape(h, w, c)
save(sys.argv[1], tensors)
