"""Makes sgd.safetensors: six steps of torch.optim.SGD (momentum 0.9, weight decay 0.05, learning rate
0.3, divided by ten after the second and the fourth) on a linear layer's weight and bias. Keys:
"weight", "bias" as they begin, "STEP/KEY.grad" and "STEP/KEY" after it. Made with torch 2.13.0.

python3 tests/data/sgd.py tests/data/sgd.safetensors
"""
import json
import struct
import sys

import torch


def save(path, tensors):
    header, data = {}, b""
    for key, tensor in tensors.items():
        bytes_ = tensor.numpy().tobytes()
        header[key] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(bytes_)],
        }
        data += bytes_
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


torch.manual_seed(1)
layer = torch.nn.Linear(3, 5)
parameters = dict(layer.named_parameters())
tensors = {key: p.detach().clone() for key, p in parameters.items()}
optimizer = torch.optim.SGD(layer.parameters(), lr=0.3, momentum=0.9, weight_decay=0.05)
schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4], gamma=0.1)
for step in range(6):
    for key, p in parameters.items():
        p.grad = torch.randn_like(p)
        tensors[f"{step}/{key}.grad"] = p.grad.clone()
    optimizer.step()
    schedule.step()
    for key, p in parameters.items():
        tensors[f"{step}/{key}"] = p.detach().clone()
save(sys.argv[1], tensors)
