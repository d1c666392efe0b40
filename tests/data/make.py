"""Makes every golden file in this folder that PyTorch or Pillow has computed.

    python3 tests/data/make.py --check           compares with the files that are here
    python3 tests/data/make.py --write FOLDER    writes them to a folder
    python3 tests/data/make.py --write FOLDER --seed 1    the same for other random inputs

What is computed is computed in float64, from modules written by hand in article.py and published.py,
which know nothing of the C programs, and stored as float32. The inputs, which are weights, batches
and gradients to start from, are random numbers in these files and taken from them; with --seed others
of the same shapes are drawn. Images are Pillow's, in 8 bits.

A file agrees if its text, its keys, their order and shapes and all integers are equal, and every
tensor of floats is within

    ‖a - b‖ ≤ 1e-6 ‖b‖

of the one that is here, in the 2-norm; float32 stores 6e-8. Where a gradient is 0 but for rounding, as that of a bias before a batch norm, no
digit of it is right in any precision: it may be off by 1e-6 of the case's largest gradient instead.
AdamW makes steps of the learning rate whatever the gradient's size, so where that is 0 but for
rounding the weights of five steps may be apart by twice five learning rates, 1e-2, and what depends on
them by 2e-3 ‖b‖.

Not made here are ops.tsv, which lists the cases of ops.safetensors, and compare_04_05.svg,
plan_block.txt and net_*.py, which our own programs wrote.
"""
import argparse
import json
import os
import struct
import sys

import torch
import torch.nn.functional as F

import article
import images
import published
from tensors import encode, read

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = [
    "00_resnet", "01_stage_ratio", "02_patchify_stem", "03_depthwise_conv",
    "04_inverted_bottleneck", "05_large_kernel", "06_gelu", "07_fewer_activations",
    "08_fewer_norms", "09_layer_norm", "10_separate_downsampling", "11_drop_path_layer_scale",
]  # fmt: skip
PUBLISHED = "12_official_convnext"
SMALL = [1, 2, 2, 1], [4, 8, 16, 32]  # depths and widths of the cases in steps/
CONFIG = "--stem 4 --widths 4,8,16,32 --depths 1,2,2,1 --classes 10 --input 3x64x64\n"
RUNNING = ("running_mean", "running_var", "num_batches_tracked")


# --- inputs -----------------------------------------------------------------------------------------


class Inputs:
    """The files that are here, or, with a seed, others of the same keys and shapes."""

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, path):
        tensors = read(os.path.join(HERE, path))
        if self.seed is None:
            return tensors
        generator = torch.Generator().manual_seed(self.seed)
        return {key: self.draw(key, t, generator) for key, t in tensors.items()}

    @staticmethod
    def draw(key, t, generator):
        if not t.is_floating_point():
            return torch.randint(0, 10, t.shape, generator=generator)
        x = torch.randn(t.shape, generator=generator)
        name = key.replace("/", ".").rpartition(".")[2]
        if name in ("running_var", "var"):
            return 0.5 + x.abs()
        if name == "weight" and t.dim() == 1:
            return 1 + 0.2 * x
        if name == "weight":
            return x / t[0].numel() ** 0.5
        return 0.5 * x if name in ("bias", "gamma", "running_mean", "mean") else x


def doubles(tensors):
    return {k: t.double() if t.is_floating_point() else t for k, t in tensors.items()}


# --- single ops -------------------------------------------------------------------------------------


def options_of(text):
    return dict(o.split("=") for o in text.split() if "=" in o)


def run_op(op, o, t):
    """The op's output; running statistics in t are moved."""
    x, weight, bias = t["x"], t.get("weight"), t.get("bias")
    if op == "conv2d":
        stride, pad, groups = int(o["stride"]), int(o["pad"]), int(o["groups"])
        return F.conv2d(x, weight, bias, stride, pad, 1, groups)
    if op == "batch_norm":
        training, eps = o["training"] == "1", float(o["eps"])
        return F.batch_norm(x, t["mean"], t["var"], weight, bias, training, 0.1, eps)
    if op == "group_norm":
        return F.group_norm(x, int(o["groups"]), weight, bias, float(o["eps"]))
    if op == "layer_norm":
        y = F.layer_norm(x.movedim(1, -1), weight.shape, weight, bias, float(o["eps"]))
        return y.movedim(-1, 1)
    if op == "max_pool":
        return F.max_pool2d(x, int(o["kernel"]), int(o["stride"]), int(o["pad"]))
    if op == "cross_entropy":
        smoothing = float(o["label_smoothing"])
        return F.cross_entropy(x, t["labels"], label_smoothing=smoothing).reshape(1)
    if op == "layer_scale":
        return x * weight[:, None, None]
    if op == "linear":
        return F.linear(x, weight, bias)
    if op == "global_avg_pool":
        return F.adaptive_avg_pool2d(x, 1)
    return {"relu": F.relu, "gelu": F.gelu}[op](x)


def ops(inputs):
    given = doubles(inputs("ops.safetensors"))
    out = {}
    with open(os.path.join(HERE, "ops.tsv")) as table:
        rows = [line.rstrip("\n").split("\t") for line in table][1:]
    for case, op, _, options in rows:
        t = {k.partition("/")[2]: v.clone() for k, v in given.items() if k.startswith(case + "/")}
        before = {k: t[k].clone() for k in ("mean", "var") if k in t}
        learned = [k for k in ("x", "weight", "bias") if k in t]
        for key in learned:
            t[key].requires_grad_()
        y = run_op(op, options_of(options), t)
        grads = torch.autograd.grad(y, [t[k] for k in learned], t.get("dy", torch.ones_like(y)))
        result = {"x": t["x"]}
        result.update({"labels": t["labels"]} if "labels" in t else {})
        result["y"] = y
        result.update({"dy": t["dy"]} if "dy" in t else {})
        for key, grad in zip(learned, grads):
            result.update({key: t[key]} if key != "x" else {})
            result["d" + key] = grad
        result.update(before)
        if "training=1" in options:
            result.update({k + "_after": t[k] for k in before})
        out.update({f"{case}/{k}": v for k, v in result.items()})
    yield "ops.safetensors", out


# --- networks ---------------------------------------------------------------------------------------


def article_net(i, depths, widths, stem, cin, classes):
    return article.Classifier(article.STEPS[i], cin, stem, depths, widths, num_classes=classes)


def loaded(net, weights):
    net = net.double()
    missing = net.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys and all(
        k.endswith(RUNNING[2]) for k in missing.missing_keys
    ), missing
    return net


def results(net, batch):
    """Logits in evaluation; logits, loss, gradients and running statistics of a step in training."""
    out = {}
    with torch.no_grad():
        out["eval/logits"] = net.eval()(batch["x"])
    logits = net.train()(batch["x"])
    loss = F.cross_entropy(logits, batch["labels"])
    loss.backward()
    out.update({"train/logits": logits, "train/loss": loss.reshape(1)})
    out.update({"grad/" + k: p.grad.clone() for k, p in net.named_parameters()})
    state = net.state_dict()
    out.update({"running/" + k: v for k, v in state.items() if k.endswith(RUNNING[:2])})
    return out


def fitted(net, batch, steps=5):
    """AdamW on one batch; decay of tensors of two or more dimensions alone."""
    groups = [
        {"params": [p for p in net.parameters() if p.dim() > 1], "weight_decay": 0.05},
        {"params": [p for p in net.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    losses = []
    net.train()
    for _ in range(steps):
        loss = F.cross_entropy(net(batch["x"]), batch["labels"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    out = {"fit/losses": torch.stack(losses)}
    out.update({"fit/" + k: p for k, p in net.named_parameters()})
    return out


def steps(inputs):
    for i, name in enumerate(STEPS + [PUBLISHED]):
        weights = inputs(f"steps/{name}/weights.safetensors")
        batch = inputs(f"steps/{name}/batch.safetensors")

        def net():
            if name == PUBLISHED:
                return loaded(published.Published(3, *SMALL, 10), weights)
            return loaded(article_net(i, *SMALL, 4, 3, 10), weights)

        wide = doubles(batch)
        yield f"steps/{name}/config.txt", CONFIG
        yield f"steps/{name}/weights.safetensors", weights
        yield f"steps/{name}/batch.safetensors", batch
        yield f"steps/{name}/expected.safetensors", {**results(net(), wide), **fitted(net(), wide)}
        if i == 0:
            yield "safetensors/resnet_small.safetensors", weights


def road(inputs):
    batch = inputs("road/batch.safetensors")
    yield "road/batch.safetensors", batch
    for row in range(16):
        weights = inputs(f"road/weights-{row:02}.safetensors")
        widths = [8, 16, 24, 32] if row < 5 else [4, 8, 12, 16]
        net = loaded(published.Road(row, 3, 4, [2, 1, 1, 1], widths, 10), weights)
        out = results(net, doubles(batch))
        order = ["eval/logits", "train/loss", "train/logits"]
        yield f"road/weights-{row:02}.safetensors", weights
        yield f"road/expected-{row:02}.safetensors", {**{k: out[k] for k in order}, **out}


def official(inputs):
    case, weights = inputs("official/case.safetensors"), inputs("official/official.safetensors")
    net = loaded(published.Published(3, [1, 1, 2, 1], [4, 8, 16, 32], 10), weights)
    with torch.no_grad():
        logits = net.eval()(case["x"].double())
    yield "official/case.safetensors", {
        "x": case["x"], "logits": logits, "probs": logits.softmax(1)
    }  # fmt: skip
    yield "official/official.safetensors", weights
    for library in "timm", "torchvision", "transformers":
        out = {}
        for key in published.in_order(weights, library):
            t = weights[key]
            scale = library == "torchvision" and key.endswith("gamma")
            out[published.renamed(key, library)] = t[:, None, None] if scale else t
        yield f"official/{library}.safetensors", out


# --- counts and keys: on the device that computes no numbers ----------------------------------------


def count(net, shape):
    """Parameters, multiply-accumulates and the output's shape."""
    x = torch.empty(shape, device="meta")
    return (
        sum(p.numel() for p in net.parameters()),
        article.macs(net, x),
        "x".join(map(str, net(x).shape)),
    )


def counts(_):
    lines = ["step preset part stem depths widths input parameters macs output".split()]
    for i in range(len(STEPS)):
        wide = i < article.IDX["inverted_bottleneck"]
        for preset in "article", "paper", "small":
            stem, widths = 64, [256, 512, 1024, 2048]
            depths = [3, 4, 6, 4] if preset == "article" else [3, 4, 6, 3]
            cin, side, classes = 3, 224, 1000
            if preset == "paper" and not wide:
                stem, widths = 96, [96, 192, 384, 768]
            if preset == "small":
                stem, widths = (16, [64, 128, 256, 512]) if wide else (24, [24, 48, 96, 192])
                depths, cin, side, classes = [1, 2, 2, 1], 1, 64, 10
            if i:
                depths = [1, 1, 3, 1] if preset == "small" else [3, 3, 9, 3]
            with torch.device("meta"):
                net = article_net(i, depths, widths, stem, cin, classes).eval()
            shape = (1, cin, side, side)
            for part, whole in ("encoder", net.encoder), ("classifier", net):
                sizes = [",".join(map(str, d)) for d in (depths, widths)]
                lines.append(
                    [i, preset, part, stem, *sizes, "x".join(map(str, shape)), *count(whole, shape)]
                )
    yield "steps.tsv", table(lines)
    lines = ["row change accuracy std gflops_printed macs parameters".split()]
    for row, printed in enumerate(published.ROAD):
        stem, depths, widths = published.road_sizes(row)
        with torch.device("meta"):
            net = published.Road(row, 3, stem, depths, widths, 1000).eval()
        parameters, macs, _ = count(net, (1, 3, 224, 224))
        change, *rest = printed
        lines.append([row, change, *[f"{v:.2f}" for v in rest], macs, parameters])
    yield "paper_roadmap.tsv", table(lines)


def keys(_):
    for i, name in enumerate(STEPS + [PUBLISHED]):
        with torch.device("meta"):
            if name == PUBLISHED:
                net = published.Published(3, *published.SIZES["tiny"], 1000)
            else:
                depths = [3, 3, 9, 3] if i else [3, 4, 6, 4]
                net = article_net(i, depths, [256, 512, 1024, 2048], 64, 3, 1000)
        state = {k: list(v.shape) for k, v in net.state_dict().items() if not k.endswith(RUNNING[2])}
        yield f"keys/{name}.tsv", shapes(state)
    order = published.in_order(state, "torchvision")
    names = {
        published.renamed(k, "torchvision"): state[k] + [1, 1] * k.endswith("gamma") for k in order
    }
    yield "keys/torchvision_convnext_tiny.tsv", shapes(names)


def table(rows):
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def shapes(state):
    return table([key, "x".join(map(str, shape))] for key, shape in state.items())


# --- the rest ---------------------------------------------------------------------------------------

LAYERS = {  # of steps 05 and 09, what forward hooks see
    5: ["encoder.stem.1", "encoder.stages.1.0.block.0.2", "encoder.stages.2.1.block.2.1", "head.1"],
    9: ["encoder.stages.1.0.block.1", "encoder.stages.2.0.block.3",
        "encoder.stages.2.0.shortcut.0.2", "encoder.stages.3.0.block.4", "head.2"],
}  # fmt: skip


def activations(inputs):
    """Keys: "STEP/MODE/LAYER"."""
    out = {}
    for i, layers in LAYERS.items():
        batch = inputs(f"steps/{STEPS[i]}/batch.safetensors")["x"].double()
        weights = inputs(f"steps/{STEPS[i]}/weights.safetensors")
        for mode in "eval", "train":
            net = loaded(article_net(i, *SMALL, 4, 3, 10), weights)
            net.train(mode == "train")
            modules = dict(net.named_modules())
            for layer in layers:
                key = f"{STEPS[i]}/{mode}/{layer}"
                modules[layer].register_forward_hook(
                    lambda m, x, y, key=key: out.update({key: y})
                )
            with torch.no_grad():
                net(batch)
    yield "activations.safetensors", dict(sorted(out.items()))


def sgd(inputs):
    """Six steps of momentum 0.9, weight decay 0.05, learning rate 0.3, a tenth of it after the second
    and the fourth. Keys: "weight", "bias" as they begin, "STEP/KEY.grad" and "STEP/KEY" after it."""
    given = doubles(inputs("sgd.safetensors"))
    parameters = {k: torch.nn.Parameter(given[k].clone()) for k in ("weight", "bias")}
    out = {k: given[k] for k in parameters}
    optimizer = torch.optim.SGD(parameters.values(), lr=0.3, momentum=0.9, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4], gamma=0.1)
    for step in range(6):
        for key, p in parameters.items():
            p.grad = out[f"{step}/{key}.grad"] = given[f"{step}/{key}.grad"]
        optimizer.step()
        schedule.step()
        out.update({f"{step}/{key}": p.detach().clone() for key, p in parameters.items()})
    yield "sgd.safetensors", out


def numbers(key, *shape):
    """-1 … 1, by a hash of the key and the place, as test_winograd.c has them."""
    size = torch.Size(shape).numel()
    h = [(i * 2654435761 + key * 40503 + 12345) % 2**32 for i in range(size)]
    h = [(v ^ v >> 15) * 2246822519 % 2**32 for v in h]
    return torch.tensor([(v >> 8) / 2**23 - 1 for v in h], dtype=torch.float64).reshape(shape)


def winograd(_):
    """A network of 32 channels and more, whose 3x3 convolutions run in Winograd's basis. "y": every
    seventh number of the output, as it lies in memory ([n,h,w,c])."""

    def weight(key, out, into):
        return numbers(key, out, into, 3, 3) / 16

    x = numbers(0, 2, 16, 15, 32).permute(0, 3, 1, 2)
    x = F.relu(F.conv2d(x, weight(1, 32, 32), numbers(2, 32), padding=1))
    y = F.conv2d(x, weight(3, 32, 32), padding=1)
    var = numbers(7, 32).abs() + 0.5
    y = F.batch_norm(y, numbers(6, 32), var, numbers(4, 32), numbers(5, 32))
    x = F.relu(x + y)
    x = F.gelu(F.conv2d(x, weight(8, 128, 32), numbers(9, 128), padding=1))
    x = x + F.conv2d(x, weight(10, 128, 128), numbers(11, 128), padding=1)
    y = F.conv2d(x, weight(12, 160, 128))
    yield "winograd.safetensors", {"y": y.permute(0, 2, 3, 1).flatten()[::7]}


def pictures(_):
    yield "preprocess.safetensors", images.preprocess()
    yield "randaugment.safetensors", images.randaugment()


def strange(_):
    """What the package safetensors may write and a reader must take: spaces, escapes, metadata, rank
    0, no element, tensors not in the order of their data, types that are not read."""
    nan = struct.pack("<I", 0x7FC00000)
    weight = struct.pack("<4f", 0, 1, -2.5, float("inf")) + nan + struct.pack("<f", 1e-45)
    data = weight + struct.pack("<q", -7) + bytes([1, 0, 1]) + struct.pack("<H", 0x3F80)
    data += struct.pack("<2q", 1 << 40, -1) + b"abc"
    header = {"__metadata__": {"format": "pt", "note": 'é\t"x"', "a": ""}}
    for key, dtype, shape, first, end in [
        ("labels", "I64", [2], 37, 53), ("weight", "F32", [2, 3], 0, 24),
        ("packed", "F4", [3, 2], 53, 56), ("step", "I64", [], 24, 32),
        ("flags", "BOOL", [3], 32, 35), ('ключ "q"\\\n😀', "BF16", [1], 35, 37),
        ("empty", "F32", [0, 4], 24, 24),
    ]:  # fmt: skip
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [first, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield "safetensors/python.safetensors", struct.pack("<Q", len(text)) + text + data


MAKERS = [
    ops, steps, road, official, counts, keys, activations, sgd, winograd, pictures, strange
]  # fmt: skip


# --- comparing --------------------------------------------------------------------------------------


def apart(key, a, b, largest):
    """How far a is from b, as a multiple of what the rule allows."""
    a, b = a.detach().float().double(), b.double()
    off = a - b
    most, norm = off.abs().max(), off.norm()
    part = (norm / b.norm()).item() if norm != 0 else 0.0
    if key.startswith("fit/"):
        return part, part / 2e-3 if part > 1e-6 and most > 1e-2 else min(part / 1e-6, 1.0)
    if key.startswith("grad/") and most <= 1e-6 * largest:
        return 0.0, 0.0
    return part, part / 1e-6


def compare(path, made):
    """Returns what is wrong, or "", and the largest relative error."""
    here = os.path.join(HERE, path)
    if not os.path.exists(here):
        return "is not there", 0.0
    if isinstance(made, (str, bytes)):
        with open(here, "rb") as file:
            same = file.read() == (made.encode() if isinstance(made, str) else made)
        return "" if same else "differs", 0.0
    old = read(here)
    if list(old) != list(made):
        return "has other keys, or in another order", 0.0
    gradients = [t.abs().max().item() for k, t in old.items() if k.startswith("grad/")]
    worst = (0.0, "")
    wrong = ""
    for key, a in made.items():
        b = old[key]
        if a.shape != b.shape:
            return f"{key}: shape {list(b.shape)}, not {list(a.shape)}", 0.0
        if not b.is_floating_point():
            if not torch.equal(a, b):
                return f"{key} differs", 0.0
            continue
        part, times = apart(key, a, b, max(gradients, default=0))
        if not times <= 1:
            wrong = wrong or f"{key}: relative error {part:.1e}"
        if times:
            worst = max(worst, (part, key))
    return wrong, worst[0]


def check():
    bad = files = 0
    for maker in MAKERS:
        largest = (0.0, "")
        count = 0
        for path, made in maker(Inputs(None)):
            wrong, error = compare(path, made)
            count += 1
            largest = max(largest, (error, path))
            if wrong:
                bad += 1
                print(f"{path}: {wrong}")
        files += count
        where = f", largest error {largest[0]:.1e} in {largest[1]}" if largest[0] else ""
        print(f"{maker.__name__:12} {count:3} files{where}", flush=True)
    print(f"{files} golden files, {bad or 'none'} out of tolerance")
    return 1 if bad else 0


def write(folder, seed):
    for maker in MAKERS:
        for path, made in maker(Inputs(seed)):
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if isinstance(made, dict):
                made = encode(made)
            with open(path, "wb") as file:
                file.write(made.encode() if isinstance(made, str) else made)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes the golden files of the tests.")
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--check", action="store_true", help="compare with those that are here")
    todo.add_argument("--write", metavar="FOLDER")
    parser.add_argument("--seed", type=int, help="draw other inputs, with --write")
    given = parser.parse_args()
    sys.exit(check() if given.check else write(given.write, given.seed))
