"""Drop path and layer scale. Written by 11_drop_path_layer_scale export --pytorch --module, of the network

    11_drop_path_layer_scale --stem 24 --widths 24,48,96,192 --depths 1,1,0,0 --input 1x64x64 --drop-path 0.1 --layer-scale 1e-06 --classes 10

The logits of images x, [N,1,64,64], this file being net.py:

    from safetensors.torch import load_file
    import net
    model = net.network()
    model.load_state_dict(load_file("weights.safetensors"))
    logits = model.eval()(x)

    python3 net.py weights.safetensors batch.safetensors [output of forward or gradient]

prints, in float64 and without dropped paths, logits, loss and the norms of gradients and of
running statistics; beside them those of the output, and how far apart they are: the norm of the
difference over the norm or, where that is less, as for gradients that are 0 except for rounding,
the largest difference over the largest value of its kind. The exit status is 1 above 1e-4.
"""
from collections import OrderedDict
import sys

import torch
from torch import nn
import torch.nn.functional as F
from safetensors.torch import load_file


class Parts(nn.Module):  # modules and parameters by name
    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            if hasattr(self, name):
                raise NameError(f"nn.Module has a '{name}' of its own")
            setattr(self, name, part)


class LayerScale(nn.Module):
    def __init__(self, channels, value):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), float(value)))

    def forward(self, x):
        return x * self.gamma.reshape(-1, *[1] * (x.dim() - 2))


class DropPath(nn.Module):
    def __init__(self, p, per_sample=False):
        super().__init__()
        self.p, self.per_sample = p, per_sample

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return x * 0
        factors = x.new_empty(x.shape[0] if self.per_sample else 1, *[1] * (x.dim() - 1))
        return x * factors.bernoulli_(1 - self.p) / (1 - self.p)


class Block(Parts):
    def forward(self, x):
        y = self.block(x)
        y = self.layer_scaler(y)
        y = self.drop_path(y)
        x = y + x
        return x


def network():
    return nn.Sequential(OrderedDict(
        encoder=nn.Sequential(OrderedDict(
            stem=nn.Sequential(
                nn.Conv2d(1, 24, 4, stride=4),                                            # 1x24x16x16
                nn.BatchNorm2d(24),                                                       # 1x24x16x16
            ),
            stages=nn.Sequential(
                nn.Sequential(
                    nn.Sequential(
                        nn.GroupNorm(1, 24),                                              # 1x24x16x16
                        nn.Conv2d(24, 24, 2, stride=2),                                   # 1x24x8x8
                    ),
                    Block(
                        block=nn.Sequential(
                            nn.Conv2d(24, 24, 7, padding=3, groups=24, bias=False),       # 1x24x8x8
                            nn.GroupNorm(1, 24),                                          # 1x24x8x8
                            nn.Conv2d(24, 96, 1),                                         # 1x96x8x8
                            nn.GELU(),                                                    # 1x96x8x8
                            nn.Conv2d(96, 24, 1),                                         # 1x24x8x8
                        ),
                        layer_scaler=LayerScale(24, 1e-06),                               # 1x24x8x8
                        drop_path=DropPath(0),                                            # 1x24x8x8
                    ),
                ),
                nn.Sequential(
                    nn.Sequential(
                        nn.GroupNorm(1, 24),                                              # 1x24x8x8
                        nn.Conv2d(24, 48, 2, stride=2),                                   # 1x48x4x4
                    ),
                    Block(
                        block=nn.Sequential(
                            nn.Conv2d(48, 48, 7, padding=3, groups=48, bias=False),       # 1x48x4x4
                            nn.GroupNorm(1, 48),                                          # 1x48x4x4
                            nn.Conv2d(48, 192, 1),                                        # 1x192x4x4
                            nn.GELU(),                                                    # 1x192x4x4
                            nn.Conv2d(192, 48, 1),                                        # 1x48x4x4
                        ),
                        layer_scaler=LayerScale(48, 1e-06),                               # 1x48x4x4
                        drop_path=DropPath(0.1),                                          # 1x48x4x4
                    ),
                ),
                nn.Sequential(
                    nn.Sequential(
                        nn.GroupNorm(1, 48),                                              # 1x48x4x4
                        nn.Conv2d(48, 96, 2, stride=2),                                   # 1x96x2x2
                    ),
                ),
                nn.Sequential(
                    nn.Sequential(
                        nn.GroupNorm(1, 96),                                              # 1x96x2x2
                        nn.Conv2d(96, 192, 2, stride=2),                                  # 1x192x1x1
                    ),
                ),
            ),
        )),
        head=nn.Sequential(
            nn.AdaptiveAvgPool2d(1),                                                      # 1x192x1x1
            nn.Flatten(1),                                                                # 1x192
            nn.LayerNorm(192),                                                            # 1x192
            nn.Linear(192, 10),                                                           # 1x10
        ),
    ))


def results(weights, batch):
    x, out = batch["x"].double(), {}
    model = network().double()
    model.load_state_dict(weights)
    for module in model.modules():
        if type(module).__name__ == "DropPath":
            module.p = 0
    with torch.no_grad():
        out["eval/logits"] = model.eval()(x)
    if "labels" in batch:
        out["train/logits"] = model.train()(x)
        out["train/loss"] = F.cross_entropy(out["train/logits"], batch["labels"])
        out["train/loss"].backward()
        out.update(("grad/" + k, v.grad) for k, v in model.named_parameters())
        state = model.state_dict()
        out.update(("running/" + k, v) for k, v in state.items() if "running_" in k)
    return {k: v.detach() for k, v in out.items()}


def error(key, here, there, tops):
    off = here - there.reshape(here.shape)
    largest = max(top for k, top in tops.items() if k[:4] == key[:4])
    apart = min(off.norm() / here.norm(), off.abs().max() / largest)
    return float(apart) if off.any() else 0.0


def main(weights, batch, output=None):
    here = results(load_file(weights), load_file(batch))
    there = load_file(output) if output else {}
    mode = "train/" if "loss" in there else "eval/"
    there = {mode + k if k in ("logits", "loss") else k: v.double() for k, v in there.items()}
    if output and not here.keys() & there.keys():
        sys.exit(f"{output}: holds nothing that is computed here")
    tops = {k: v.abs().max() for k, v in here.items()}
    width = max(map(len, here))
    print(f"{'norm of':{width}} {'PyTorch':>12}" + f" {'C':>12} {'error':>8}" * bool(output))
    worst = 0
    for key, a in here.items():
        b = there.get(key)
        if output and b is None:
            continue
        line = f"{key:{width}} {a.norm():12.6g}"
        if output:
            apart = error(key, a, b, tops)
            worst = worst if apart <= worst else apart
            line += f" {b.norm():12.6g} {apart:8.1e}"
        print(line)
        for i in range(min(5, a.shape[1]) if key.endswith("logits") else 0):
            line = f"{f'  of image 0, class {i}':{width}} {a[0, i]:12.6f}"
            print(line + (f" {b[0, i]:12.6f}" if output else ""))
    if output:
        print(f"largest error {worst:.1e}")
    sys.exit(not worst <= 1e-4)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python3 net.py weights.safetensors batch.safetensors [output of forward or gradient]")
    main(*sys.argv[1:])
