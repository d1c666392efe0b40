"""ConvNeXt as its authors published it, under their names, and the sixteen rows of the paper's
Table 10 (Liu et al. 2022), written by hand from the paper.

Also the names that other libraries have for the published network's tensors.
"""
import re

import torch
from torch import nn

SIZES = {"tiny": ([3, 3, 9, 3], [96, 192, 384, 768])}


class ChannelNorm(nn.LayerNorm):
    """Over the channels of each pixel."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


# --- the published network --------------------------------------------------------------------------


class PublishedBlock(nn.Module):
    def __init__(self, channels, scale=1e-6):
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(scale * torch.ones(channels))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(nn.functional.gelu(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


class Published(nn.Module):
    def __init__(self, cin, depths, widths, classes):
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(cin, widths[0], 4, stride=4), ChannelNorm(widths[0]))
        self.downsample_layers = nn.ModuleList([stem])
        for a, b in zip(widths, widths[1:]):
            self.downsample_layers.append(
                nn.Sequential(ChannelNorm(a), nn.Conv2d(a, b, 2, stride=2))
            )
        self.stages = nn.ModuleList(
            nn.Sequential(*[PublishedBlock(w) for _ in range(d)]) for d, w in zip(depths, widths)
        )
        self.norm = nn.LayerNorm(widths[-1], eps=1e-6)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x):
        for down, stage in zip(self.downsample_layers, self.stages):
            x = stage(down(x))
        return self.head(self.norm(x.mean([2, 3])))


# --- its names elsewhere: each library's order is its modules' --------------------------------------

PLACES = [  # official, timm, torchvision ("D": twice the stage, "E": one more), transformers
    (r"downsample_layers.0.([01])", r"stem.\1", r"features.0.\1", None),
    (r"downsample_layers.S.([01])", r"stages.S.downsample.\1", r"features.D.\1",
     r"encoder.stages.S.downsampling_layer.\1"),
    ("stages.S.B.gamma", "stages.S.blocks.B.gamma", "features.E.B.layer_scale",
     "encoder.stages.S.layers.B.layer_scale_parameter"),
    ("stages.S.B.dwconv", "stages.S.blocks.B.conv_dw", "features.E.B.block.0",
     "encoder.stages.S.layers.B.dwconv"),
    ("stages.S.B.norm", "stages.S.blocks.B.norm", "features.E.B.block.2",
     "encoder.stages.S.layers.B.layernorm"),
    ("stages.S.B.pwconv1", "stages.S.blocks.B.mlp.fc1", "features.E.B.block.3",
     "encoder.stages.S.layers.B.pwconv1"),
    ("stages.S.B.pwconv2", "stages.S.blocks.B.mlp.fc2", "features.E.B.block.5",
     "encoder.stages.S.layers.B.pwconv2"),
    ("norm", "head.norm", "classifier.0", "layernorm"),
    ("head", "head.fc", "classifier.2", None),
]  # fmt: skip
TRANSFORMERS = {
    "downsample_layers.0.0": "convnext.embeddings.patch_embeddings",
    "downsample_layers.0.1": "convnext.embeddings.layernorm",
    "head": "classifier",
}


def renamed(key, library):
    """An official key in timm, torchvision or transformers."""
    column = ("official", "timm", "torchvision", "transformers").index(library)
    layer, dot, kind = key.rpartition(".")
    if kind == "gamma":
        layer, dot, kind = key, "", ""
    if library == "transformers" and layer in TRANSFORMERS:
        return TRANSFORMERS[layer] + dot + kind
    for place in PLACES:
        pattern = re.escape(place[0]).replace("S", "(?P<s>[0-9]+)").replace("B", "(?P<b>[0-9]+)")
        pattern = pattern.replace(r"\(\[01\]\)", "(?P<i>[01])")
        match = re.fullmatch(pattern, layer)
        if match:
            found = {"s": "0", "b": "0", "i": "0", **match.groupdict()}
            name = place[column].replace(r"\1", found["i"])
            name = name.replace("S", found["s"]).replace("B", found["b"])
            name = name.replace("D", str(2 * int(found["s"])))
            name = name.replace("E", str(2 * int(found["s"]) + 1))
            return ("convnext." if library == "transformers" else "") + name + dot + kind
    raise KeyError(key)


def in_order(keys, library):
    """Official keys in the order of a library's state_dict: there each stage has its downsampling
    before its blocks."""
    if library == "official":
        return list(keys)

    def place(key):
        parts = key.split(".")
        if parts[0] == "downsample_layers":
            return (int(parts[1]), -1)
        return (int(parts[1]), int(parts[2])) if parts[0] == "stages" else (9, 0)

    return sorted(keys, key=place)


# --- the road ---------------------------------------------------------------------------------------

ROAD = [  # change, accuracy on ImageNet-1k in %, its deviation over three seeds, GFLOPs as printed
    ("ResNet-50, new recipe", 78.82, 0.07, 4.09),
    ("stage ratio", 79.36, 0.07, 4.53),
    ("patchify stem", 79.51, 0.18, 4.42),
    ("depthwise conv", 78.28, 0.08, 2.35),
    ("increase width", 80.50, 0.02, 5.27),
    ("inverting dimensions", 80.64, 0.03, 4.64),
    ("move up depthwise conv", 79.92, 0.08, 4.07),
    ("kernel size 5", 80.35, 0.08, 4.10),
    ("kernel size 7", 80.57, 0.14, 4.15),
    ("kernel size 9", 80.57, 0.06, 4.21),
    ("kernel size 11", 80.47, 0.11, 4.29),
    ("ReLU to GELU", 80.62, 0.14, 4.15),
    ("fewer activations", 81.27, 0.06, 4.15),
    ("fewer norms", 81.41, 0.09, 4.15),
    ("BN to LN", 81.47, 0.09, 4.46),
    ("separate downsampling (ConvNeXt-T)", 81.97, 0.06, 4.49),
]
KERNELS = {7: 5, 8: 7, 9: 9, 10: 11}


class RoadBlock(nn.Module):
    def __init__(self, row, cin, cout, stride):
        super().__init__()
        norm = nn.BatchNorm2d if row < 14 else ChannelNorm
        act = nn.ReLU if row < 11 else nn.GELU
        bias = row >= 14

        def conv(a, b, kernel=1, **more):
            return nn.Conv2d(a, b, kernel, padding=kernel // 2, bias=bias, **more)

        if row < 6:  # the 3x3 convolution is in the middle
            mid = cout // 4 if row < 5 else cout * 4
            groups = 1 if row < 3 else mid
            layers = [conv(cin, mid), norm(mid), act()]
            layers += [conv(mid, mid, 3, stride=stride, groups=groups), norm(mid), act()]
            layers += [conv(mid, cout), norm(cout)]
        else:
            kernel = 3 if row < 7 else KERNELS.get(row, 7)
            layers = [conv(cin, cin, kernel, stride=stride, groups=cin), norm(cin)]
            layers += [act()] if row < 12 else []
            layers += [conv(cin, 4 * cout)]
            layers += [norm(4 * cout)] if row < 13 else []
            layers += [act(), conv(4 * cout, cout)]
            layers += [norm(cout)] if row < 13 else []
        self.block = nn.Sequential(*layers)
        self.shortcut = nn.Identity()
        if stride > 1 or cin != cout:
            self.shortcut = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride=stride, bias=False), norm(cout)
            )
        self.last = act() if row < 12 else nn.Identity()

    def forward(self, x):
        return self.last(self.block(x) + self.shortcut(x))


class RoadEncoder(nn.Module):
    def __init__(self, row, cin, stem, depths, widths):
        super().__init__()
        if row < 2:
            self.stem = nn.Sequential(
                nn.Conv2d(cin, stem, 7, stride=2, padding=3, bias=False),
                nn.BatchNorm2d(stem),
                nn.ReLU(),
                nn.MaxPool2d(3, stride=2, padding=1),
            )
        else:
            self.stem = nn.Sequential(nn.Conv2d(cin, stem, 4, stride=4))
        self.stages = nn.Sequential()
        for i, (a, b, depth) in enumerate(zip([stem] + widths, widths, depths)):
            blocks = [RoadBlock(row, a, b, 2 if i else 1)]
            blocks += [RoadBlock(row, b, b, 1) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x):
        return self.stages(self.stem(x))


class Road(nn.Sequential):
    """A row of the table; the last is the published network."""

    def __new__(cls, row, cin, stem, depths, widths, classes):
        return Published(cin, depths, widths, classes) if row == 15 else super().__new__(cls)

    def __init__(self, row, cin, stem, depths, widths, classes):
        super().__init__()
        self.encoder = RoadEncoder(row, cin, stem, depths, widths)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(widths[-1], classes)
        )


def road_sizes(row):
    """stem, depths, widths on ImageNet."""
    base = 64 if row < 4 else 96
    first = 4 * base if row < 5 else base
    return base, [3, 4, 6, 3] if row < 1 else [3, 3, 9, 3], [first << i for i in range(4)]
