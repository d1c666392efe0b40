"""The article's networks, one class family per step, as the oracle for the C programs.

Every module keeps the article's attribute names and nesting, so that state_dict()
keys are the article's own. Run with a current torch.
"""
import torch
from torch import nn

STEPS = [
    "resnet", "stage_ratio", "patchify_stem", "depthwise_conv", "inverted_bottleneck",
    "large_kernel", "gelu", "fewer_activations", "fewer_norms", "layer_norm",
    "separate_downsampling", "drop_path_layer_scale",
]
IDX = {s: i for i, s in enumerate(STEPS)}


class StochasticDepth(nn.Module):
    """torchvision's, mode "batch": drops the input with probability p in training, else scales it."""

    def __init__(self, p, mode):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(()) >= self.p
        return x * kept / (1 - self.p)


def cna(cin, cout, k, act=nn.ReLU, norm=nn.BatchNorm2d, **kw):
    return nn.Sequential(nn.Conv2d(cin, cout, k, padding=k // 2, **kw), norm(cout), act())


class Block(nn.Module):
    def __init__(self, step, cin, cout, stride=1, drop_p=0.0, ls=1e-6):
        super().__init__()
        i = IDX[step]
        Act = nn.GELU if i >= IDX["gelu"] else nn.ReLU
        ident = nn.Identity
        red, exp = cout // 4, cout * 4
        self.final_act = i < IDX["fewer_activations"]
        if i < IDX["depthwise_conv"]:
            self.block = nn.Sequential(
                cna(cin, red, 1, stride=stride, bias=False),
                cna(red, red, 3, bias=False),
                cna(red, cout, 1, bias=False, act=ident))
        elif i < IDX["inverted_bottleneck"]:
            self.block = nn.Sequential(
                cna(cin, red, 1, stride=stride, bias=False),
                cna(red, red, 3, bias=False, groups=red),
                cna(red, cout, 1, bias=False, act=ident))
        elif i < IDX["large_kernel"]:
            self.block = nn.Sequential(
                cna(cin, exp, 1, stride=stride, bias=False),
                cna(exp, exp, 3, bias=False, groups=cin),
                cna(exp, cout, 1, bias=False, act=ident))
        elif i < IDX["fewer_activations"]:
            self.block = nn.Sequential(
                cna(cin, cin, 7, stride=stride, bias=False, groups=cin, act=Act),
                cna(cin, exp, 1, act=Act),
                cna(exp, cout, 1, bias=False, act=ident))
        elif i < IDX["fewer_norms"]:
            self.block = nn.Sequential(
                cna(cin, cin, 7, stride=stride, bias=False, groups=cin, act=ident),
                cna(cin, exp, 1, act=Act),
                cna(exp, cout, 1, bias=False, act=ident))
        elif i < IDX["separate_downsampling"]:
            norm = nn.BatchNorm2d(cin) if i < IDX["layer_norm"] else nn.GroupNorm(1, cin)
            self.block = nn.Sequential(
                nn.Conv2d(cin, cin, 7, stride=stride, padding=3, bias=False, groups=cin),
                norm,
                nn.Conv2d(cin, exp, 1), nn.GELU(), nn.Conv2d(exp, cout, 1))
        else:
            self.block = nn.Sequential(
                nn.Conv2d(cin, cin, 7, padding=3, bias=False, groups=cin),
                nn.GroupNorm(1, cin),
                nn.Conv2d(cin, exp, 1), nn.GELU(), nn.Conv2d(exp, cout, 1))
        if i < IDX["separate_downsampling"]:
            # printed with ConvNormAct's defaults (BN, ReLU) up to the step that removes it
            self.shortcut = (nn.Sequential(cna(cin, cout, 1, stride=stride, bias=False))
                             if cin != cout else nn.Identity())
        else:
            self.shortcut = None
        if self.final_act:
            self.act = Act()
        if i >= IDX["drop_path_layer_scale"]:
            self.layer_scaler = LayerScaler(ls, cout)
            self.drop_path = StochasticDepth(drop_p, mode="batch")
        self.i = i

    def forward(self, x):
        res = x
        x = self.block(x)
        if self.shortcut is not None:
            res = self.shortcut(res)
        if self.i >= IDX["drop_path_layer_scale"]:
            x = self.drop_path(self.layer_scaler(x))
        x = x + res
        return self.act(x) if self.final_act else x


class LayerScaler(nn.Module):
    def __init__(self, init, dims):
        super().__init__()
        self.gamma = nn.Parameter(init * torch.ones(dims))

    def forward(self, x):
        return self.gamma[None, ..., None, None] * x


def stage(step, cin, cout, depth, stride=2, **kw):
    if IDX[step] < IDX["separate_downsampling"]:
        return nn.Sequential(Block(step, cin, cout, stride=stride, **kw),
                             *[Block(step, cout, cout, **kw) for _ in range(depth - 1)])
    return nn.Sequential(
        nn.Sequential(nn.GroupNorm(1, cin), nn.Conv2d(cin, cout, 2, stride=2)),
        *[Block(step, cout, cout, **kw) for _ in range(depth)])


class Encoder(nn.Module):
    def __init__(self, step, cin, stem, depths, widths, drop_p=0.0):
        super().__init__()
        if IDX[step] < IDX["patchify_stem"]:
            self.stem = nn.Sequential(cna(cin, stem, 7, stride=2), nn.MaxPool2d(3, 2, 1))
        else:
            self.stem = nn.Sequential(nn.Conv2d(cin, stem, 4, stride=4), nn.BatchNorm2d(stem))
        kws = [{} for _ in depths]
        if IDX[step] >= IDX["drop_path_layer_scale"]:
            probs = [x.item() for x in torch.linspace(0, drop_p, sum(depths), device="cpu")]
            kws = [{"drop_p": p} for p in probs[:len(depths)]]
        first = {"stride": 1} if IDX[step] < IDX["separate_downsampling"] else {}
        self.stages = nn.ModuleList(
            [stage(step, stem, widths[0], depths[0], **first, **kws[0])] +
            [stage(step, a, b, d, **k) for a, b, d, k in zip(widths, widths[1:], depths[1:], kws[1:])])

    def forward(self, x):
        x = self.stem(x)
        for s in self.stages:
            x = s(x)
        return x


class Classifier(nn.Sequential):
    def __init__(self, step, cin, stem, depths, widths, drop_p=0.0, num_classes=1000):
        super().__init__()
        self.encoder = Encoder(step, cin, stem, depths, widths, drop_p)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(1),
                                  nn.LayerNorm(widths[-1]), nn.Linear(widths[-1], num_classes))


def macs(model, x):
    """Multiply-accumulates of conv and linear layers (fvcore's and the paper's 'FLOPs')."""
    total = [0]

    def hook(m, inp, out):
        if isinstance(m, nn.Conv2d):
            k = m.weight.shape[1] * m.weight.shape[2] * m.weight.shape[3]
            total[0] += out.numel() * k
        elif isinstance(m, nn.Linear):
            total[0] += out.numel() * m.in_features
    hs = [m.register_forward_hook(hook) for m in model.modules()]
    with torch.no_grad():
        model(x)
    for h in hs:
        h.remove()
    return total[0]


if __name__ == "__main__":
    import sys
    torch.manual_seed(0)
    x = torch.randn(1, 3, 224, 224)
    for s in STEPS:
        d = [3, 4, 6, 4] if s == "resnet" else [3, 3, 9, 3]
        enc = Encoder(s, 3, 64, d, [256, 512, 1024, 2048]).eval()
        with torch.no_grad():
            shape = list(enc(x).shape)
        n = sum(p.numel() for p in enc.parameters())
        print(f"{s:24s} enc {str(d):14s} params {n:>12,} MACs {macs(enc, x):>15,} out {shape}", flush=True)
    for s in ("resnet", "drop_path_layer_scale"):
        clf = Classifier(s, 3, 64, [3, 4, 6, 4], [256, 512, 1024, 2048]).eval()
        n = sum(p.numel() for p in clf.parameters())
        print(f"{s:24s} clf [3,4,6,4] params {n:,} MACs {macs(clf, x):,}")
