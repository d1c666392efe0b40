"""Holds net.py, as export --pytorch writes it of all steps and all rows, to the golden files and to what
the C programs compute. make.py states the rule for the golden files, each net.py that for C.

    python3 tests/data/programs.py BUILD [FOLDER of golden files, as make.py --write makes them]
"""
import importlib.util
import os
import subprocess
import sys
import tempfile

import torch

import make
from tensors import read

C_TOLERANCE = 1e-4
INPUT = ["--input", "3x64x64"]


def run(*words):
    result = subprocess.run(words, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(words)}\n{result.stdout}{result.stderr}")
    return result.stdout


def module_of(path):
    spec = importlib.util.spec_from_file_location("net", path)
    net = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(net)
    return net


def cases(folder):
    """Name, program, options but --input, weights, batch, golden file."""
    for name in make.STEPS + [make.PUBLISHED]:
        files = [f"{folder}/steps/{name}/{f}.safetensors" for f in ("weights", "batch", "expected")]
        yield name, name, make.CONFIG.split()[:-2], *files
    for row in range(16):
        widths = "8,16,24,32" if row < 5 else "4,8,12,16"
        options = f"--row {row} --stem 4 --widths {widths} --depths 2,1,1,1 --classes 10"
        files = [f"weights-{row:02}", "batch", f"expected-{row:02}"]
        files = [f"{folder}/road/{f}.safetensors" for f in files]
        yield f"13, row {row}", "13_paper_roadmap", options.split(), *files


def golden_error(here, expected):
    """The largest error against the golden file; None where the rule is broken or a key is missing."""
    expected = {k: v for k, v in expected.items() if not k.startswith("fit/")}
    if here.keys() != expected.keys():
        return None
    largest = max(v.abs().max().item() for k, v in expected.items() if k.startswith("grad/"))
    found = [make.apart(k, here[k].reshape(v.shape), v, largest) for k, v in expected.items()]
    if not all(times <= 1 for _, times in found):
        return None
    return max((part for part, times in found if times), default=0)


def c_error(net, here, output, mode):
    there = {mode + k if k in ("logits", "loss") else k: v.double() for k, v in output.items()}
    tops = {k: v.abs().max() for k, v in here.items()}
    errors = [net.error(k, here[k], v, tops) for k, v in there.items()]
    return torch.tensor(errors).max().item()  # nan if one of them is


def has_keys(net, program, options):
    """Whether a module's state_dict has the keys and shapes that `keys` prints, in that order."""
    state = net.network().state_dict()
    state = {k: list(v.shape) for k, v in state.items() if not k.endswith("num_batches_tracked")}
    return make.shapes(state) == run(program, "keys", *options, *INPUT)


def what_c_computes(program, options, files, folder):
    outputs = []
    for command in "forward", "gradient":
        run(program, command, *options, *files, "--output", f"{folder}/{command}")
        outputs.append(read(f"{folder}/{command}"))
    return outputs


def main(build, golden_files):
    worst_golden = worst_c = 0.0
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, step, options, weights, batch, golden in cases(golden_files):
            program, path = os.path.join(build, step), os.path.join(folder, "net.py")
            files = ["--weights", weights, "--batch", batch]
            forward, gradient = what_c_computes(program, options, files, folder)
            for form in [], ["--module"]:
                run(program, "export", *options, *INPUT, "--pytorch", path, *form)
                net = module_of(path)
                here = net.results(read(weights), read(batch))
                error = golden_error(here, read(golden))
                c = c_error(net, here, forward, "eval/")
                c = max(c, c_error(net, here, gradient, "train/"))
                wrong = ["golden files"] if error is None else []
                wrong += ["C"] if not c <= C_TOLERANCE else []
                wrong += ["keys"] if form and not has_keys(net, program, options) else []
                bad += bool(wrong)
                worst_golden, worst_c = max(worst_golden, error or 0), max(worst_c, c)
                print(
                    f"{name:24}  {'module' if form else 'function':8}  "
                    f"golden {'-' if error is None else f'{error:.1e}'}  C {c:.1e}  "
                    + (f"WRONG: {', '.join(wrong)}" if wrong else ""),
                    flush=True,
                )
                if name == make.STEPS[0]:  # as a person runs it
                    for output in [], [f"{folder}/gradient"], [f"{folder}/forward"]:
                        run(sys.executable, path, weights, batch, *output)
    print(f"largest error: {worst_golden:.1e} of golden files, {worst_c:.1e} of C")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else make.HERE))
