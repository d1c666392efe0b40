"""What Pillow makes of images that formulas draw: the preprocessing of evaluation as torchvision
calls it (Resize, CenterCrop, ToTensor, Normalize), and RandAugment's operations as timm calls
them."""

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps


def integers(*shape):
    y, x, c = np.mgrid[tuple(slice(0, n) for n in shape)].astype(np.int64)
    return y, x, c


# --- preprocessing: test_preprocess.c draws the same images -----------------------------------------

SIZES = [  # width, height, channels, the shorter side after resizing, side of the crop
    (640, 480, 3, 256, 224), (480, 640, 3, 256, 224), (300, 200, 3, 256, 224),
    (97, 311, 3, 256, 224), (256, 256, 3, 256, 224), (1000, 257, 3, 256, 224),
    (257, 999, 3, 256, 224), (33, 21, 3, 256, 224), (1, 40, 3, 256, 224), (225, 224, 3, 256, 224),
    (1600, 1200, 3, 256, 224), (500, 375, 1, 256, 224), (31, 64, 1, 256, 224),
    (451, 500, 3, 438, 384), (200, 150, 1, 28, 28), (120, 28, 1, 28, 28), (28, 28, 1, 28, 28),
    (45, 77, 3, 32, 32),
]  # fmt: skip


def picture(width, height, channels):
    y, x, c = integers(height, width, channels)
    waves = (3 * x * x + 5 * y * y + 7 * x * y * (c + 1)) // 97 + 40 * c
    grain = (13 * x + 29 * y + 71 * c) * (x + 2 * y + 3) % 64
    edges = np.where((x // 9 + y // 7) % 3 == 0, 255, 0)
    pixels = np.where((x + y) % 5 == 0, edges, (waves + grain) % 256).astype(np.uint8)
    return Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])


def middle(image, side, crop):
    width, height = image.size
    short, long = min(width, height), max(width, height)
    if short != side:
        other = int(side * long / short)
        width, height = (side, other) if width <= height else (other, side)
        # Rows first, as Pillow did up to 12.0; 13.0 chooses the order by the image.
        image = image.resize((width, image.size[1]), Image.Resampling.BICUBIC)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (round((n - crop) / 2) for n in image.size)
    return image.crop((left, top, left + crop, top + crop))


def pixels(image, stride):
    values = np.atleast_3d(np.asarray(image))[::stride, ::stride]
    return torch.from_numpy(values.copy())


def normalised(image):
    x = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


def preprocess():
    """Keys: "WIDTHxHEIGHTxCHANNELS SIDE CROP", every third pixel of a large crop; "grey …" after
    convert("L"); "normalised …" with ImageNet's mean and std, as floats."""
    out = {}
    for w, h, c, side, crop in SIZES:
        image = middle(picture(w, h, c), side, crop)
        out[f"{w}x{h}x{c} {side} {crop}"] = pixels(image, 3 if crop > 100 else 1)
    out["grey 45x77x3 28 28"] = pixels(middle(picture(45, 77, 3).convert("L"), 28, 28), 1)
    for w, h, c in [(640, 480, 3), (500, 375, 1)]:
        x = normalised(middle(picture(w, h, c).convert("RGB"), 256, 224))
        out[f"normalised {w}x{h}x{c}"] = x[:, ::3, ::3]
    return out


# --- RandAugment: test_randaugment.c draws the same images ------------------------------------------

IMAGES = [(19, 14, 1, 256), (17, 12, 3, 256), (21, 24, 3, 40), (5, 4, 1, 1)]
MORE = [(41, 34, 3, 256), (45, 40, 1, 40)]  # where a histogram needs pixels
MAGNITUDES = [2.6, 9.3, 10]
FILL = (31, 107, 190)


def drawn(width, height, channels, levels):
    """An image with the formula's values in so many levels around 100."""
    y, x, c = integers(height, width, channels)
    waves = (3 * x * x + 5 * y * y + 7 * x * y * (c + 1)) // 11 + 40 * c
    flat = (x // 5 + y // 4) % 3 == 0
    values = np.where(flat, 50 + 60 * c, waves) % 256
    if levels < 256:
        values = 100 - levels // 2 + values * levels // 256
    return Image.fromarray(values.astype(np.uint8).squeeze())


def affine(image, *matrix):
    fill = FILL if image.mode == "RGB" else FILL[0]
    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=fill
    )


def rotate(image, degrees):
    fill = FILL if image.mode == "RGB" else FILL[0]
    return image.rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=fill)


def posterize(image, bits):
    """ImageOps.posterize, which refuses to keep no bit from Pillow 10 on."""
    table = [i & ~(2 ** (8 - bits) - 1) for i in range(256)]
    return image.point(table * len(image.getbands()))


def solarize_add(image, add):
    table = [min(255, i + add) if i < 128 else i for i in range(256)]
    return image.point(table * len(image.getbands()))


def enhance(kind):
    return lambda image, factor: kind(image).enhance(factor)


# Of magnitude m and sign s (1 or -1) as timm maps them; None: the operation has no strength.
OPERATIONS = [
    ("AutoContrast", lambda image: ImageOps.autocontrast(image), None),
    ("Equalize", lambda image: ImageOps.equalize(image), None),
    ("Invert", lambda image: ImageOps.invert(image), None),
    ("Rotate", rotate, lambda m, s: s * (m / 10 * 30)),
    ("PosterizeIncreasing", posterize, lambda m, s: 4 - int(m / 10 * 4)),
    ("SolarizeIncreasing", ImageOps.solarize, lambda m, s: 256 - min(256, int(m / 10 * 256))),
    ("SolarizeAdd", solarize_add, lambda m, s: min(128, int(m / 10 * 110))),
    ("ColorIncreasing", enhance(ImageEnhance.Color), lambda m, s: max(0.1, 1 + s * (m / 10 * 0.9))),
    ("ContrastIncreasing", enhance(ImageEnhance.Contrast),
     lambda m, s: max(0.1, 1 + s * (m / 10 * 0.9))),
    ("BrightnessIncreasing", enhance(ImageEnhance.Brightness),
     lambda m, s: max(0.1, 1 + s * (m / 10 * 0.9))),
    ("SharpnessIncreasing", enhance(ImageEnhance.Sharpness),
     lambda m, s: max(0.1, 1 + s * (m / 10 * 0.9))),
    ("ShearX", lambda image, v: affine(image, 1, v, 0, 0, 1, 0), lambda m, s: s * (m / 10 * 0.3)),
    ("ShearY", lambda image, v: affine(image, 1, 0, 0, v, 1, 0), lambda m, s: s * (m / 10 * 0.3)),
    ("TranslateXRel", lambda image, v: affine(image, 1, 0, v * image.size[0], 0, 1, 0),
     lambda m, s: s * (m / 10 * 0.45)),
    ("TranslateYRel", lambda image, v: affine(image, 1, 0, 0, 0, 1, v * image.size[1]),
     lambda m, s: s * (m / 10 * 0.45)),
]  # fmt: skip
SIGNED = ("Rotate", "Color", "Contrast", "Brightness", "Sharpness", "Shear", "Translate")


def randaugment():
    """Keys: "OPERATION MAGNITUDE SIGN IMAGE", the image as WIDTHxHEIGHTxCHANNELS/LEVELS. Fill is 31,
    107, 190 (grey: 31), interpolation bicubic."""
    out = {}
    for i, (name, operation, strength) in enumerate(OPERATIONS):
        for magnitude in MAGNITUDES if strength else [0]:
            for negative in [0, 1] if name.startswith(SIGNED) else [0]:
                for w, h, c, levels in IMAGES + ([] if strength else MORE):
                    arguments = [strength(magnitude, -1 if negative else 1)] if strength else []
                    result = operation(drawn(w, h, c, levels), *arguments)
                    key = f"{i} {magnitude} {negative} {w}x{h}x{c}/{levels}"
                    out[key] = torch.from_numpy(np.asarray(result).reshape(h, w, c).copy())
    return out
