"""Drop path and layer scale. Written by 11_drop_path_layer_scale export --pytorch, of the network

    11_drop_path_layer_scale --stem 24 --widths 24,48,96,192 --depths 1,1,0,0 --input 1x64x64 --drop-path 0.1 --layer-scale 1e-06 --classes 10

The logits of images x, [N,1,64,64], this file being net.py:

    from safetensors.torch import load_file
    import net
    logits = net.network(x, load_file("weights.safetensors"))

With training=True batch norm takes the batch's statistics, which move the running ones in
the state_dict, and paths are dropped, unless drop=False.

    python3 net.py weights.safetensors batch.safetensors [output of forward or gradient]

prints, in float64 and without dropped paths, logits, loss and the norms of gradients and of
running statistics; beside them those of the output, and how far apart they are: the norm of the
difference over the norm or, where that is less, as for gradients that are 0 except for rounding,
the largest difference over the largest value of its kind. The exit status is 1 above 1e-4.
"""
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file


def conv2d(x, p, layer, bias=True, **window):
    b = p[layer + ".bias"] if bias else None
    return F.conv2d(x, p[layer + ".weight"], b, **window)


def linear(x, p, layer, bias=True):
    return F.linear(x, p[layer + ".weight"], p[layer + ".bias"] if bias else None)


def batch_norm(x, p, layer, training, eps=1e-5):
    names = "running_mean", "running_var", "weight", "bias"
    return F.batch_norm(x, *[p[layer + "." + n] for n in names], training, 0.1, eps)


def group_norm(x, p, layer, groups, eps=1e-5):
    return F.group_norm(x, groups, p[layer + ".weight"], p[layer + ".bias"], eps)


def layer_norm(x, p, layer, eps=1e-5):  # over the channels of each pixel
    x = x.movedim(1, -1)
    x = F.layer_norm(x, x.shape[-1:], p[layer + ".weight"], p[layer + ".bias"], eps)
    return x.movedim(-1, 1)


def drop_path(x, p, per_sample=False, training=False):
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0
    factors = x.new_empty(x.shape[0] if per_sample else 1, *[1] * (x.dim() - 1))
    return x * factors.bernoulli_(1 - p) / (1 - p)


def network(x, p, training=False, drop=True):
    x = conv2d(x, p, "encoder.stem.0", stride=4)                                          # 1x24x16x16
    x = batch_norm(x, p, "encoder.stem.1", training)                                      # 1x24x16x16
    x = group_norm(x, p, "encoder.stages.0.0.0", groups=1)                                # 1x24x16x16
    x = conv2d(x, p, "encoder.stages.0.0.1", stride=2)                                    # 1x24x8x8
    y = conv2d(x, p, "encoder.stages.0.1.block.0", padding=3, groups=24, bias=False)      # 1x24x8x8
    y = group_norm(y, p, "encoder.stages.0.1.block.1", groups=1)                          # 1x24x8x8
    y = conv2d(y, p, "encoder.stages.0.1.block.2")                                        # 1x96x8x8
    y = F.gelu(y)                                                                         # 1x96x8x8
    y = conv2d(y, p, "encoder.stages.0.1.block.4")                                        # 1x24x8x8
    y = y * p["encoder.stages.0.1.layer_scaler.gamma"][:, None, None]                     # 1x24x8x8
    y = drop_path(y, 0, training=training and drop)                                       # 1x24x8x8
    x = y + x                                                                             # 1x24x8x8
    x = group_norm(x, p, "encoder.stages.1.0.0", groups=1)                                # 1x24x8x8
    x = conv2d(x, p, "encoder.stages.1.0.1", stride=2)                                    # 1x48x4x4
    y = conv2d(x, p, "encoder.stages.1.1.block.0", padding=3, groups=48, bias=False)      # 1x48x4x4
    y = group_norm(y, p, "encoder.stages.1.1.block.1", groups=1)                          # 1x48x4x4
    y = conv2d(y, p, "encoder.stages.1.1.block.2")                                        # 1x192x4x4
    y = F.gelu(y)                                                                         # 1x192x4x4
    y = conv2d(y, p, "encoder.stages.1.1.block.4")                                        # 1x48x4x4
    y = y * p["encoder.stages.1.1.layer_scaler.gamma"][:, None, None]                     # 1x48x4x4
    y = drop_path(y, 0.1, training=training and drop)                                     # 1x48x4x4
    x = y + x                                                                             # 1x48x4x4
    x = group_norm(x, p, "encoder.stages.2.0.0", groups=1)                                # 1x48x4x4
    x = conv2d(x, p, "encoder.stages.2.0.1", stride=2)                                    # 1x96x2x2
    x = group_norm(x, p, "encoder.stages.3.0.0", groups=1)                                # 1x96x2x2
    x = conv2d(x, p, "encoder.stages.3.0.1", stride=2)                                    # 1x192x1x1
    x = F.adaptive_avg_pool2d(x, 1)                                                       # 1x192x1x1
    x = x.flatten(1)                                                                      # 1x192
    x = layer_norm(x, p, "head.2")                                                        # 1x192
    x = linear(x, p, "head.3")                                                            # 1x10
    return x


def results(weights, batch):
    x, out = batch["x"].double(), {}
    p = {k: v.to(torch.float64, copy=True) for k, v in weights.items()}
    with torch.no_grad():
        out["eval/logits"] = network(x, p)
    if "labels" in batch:
        not_trained = "running_mean", "running_var", "num_batches_tracked"
        trained = {k: v.requires_grad_() for k, v in p.items() if not k.endswith(not_trained)}
        out["train/logits"] = network(x, p, training=True, drop=False)
        out["train/loss"] = F.cross_entropy(out["train/logits"], batch["labels"])
        out["train/loss"].backward()
        out.update(("grad/" + k, v.grad) for k, v in trained.items())
        out.update(("running/" + k, v) for k, v in p.items() if "running_" in k)
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
