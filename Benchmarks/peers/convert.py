#!/usr/bin/env python3
"""Makes the file that a peer reads from an ONNX file: convert.py ENGINE MODEL.onnx BATCHxCxHxW"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import engines


def ncnn(model, target, shape):
    """By pnnx, in a folder of its own: it writes half a dozen files beside its input."""
    program = pathlib.Path(sys.executable).with_name("pnnx")
    # One image; ncnn has no batches.
    size = ",".join(map(str, (1, *shape[1:])))
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(model, pathlib.Path(folder) / "model.onnx")
        subprocess.run(
            [program if program.exists() else "pnnx", copy, f"inputshape=[{size}]", "fp16=0"], check=True, cwd=folder,
            stdout=sys.stderr)
        for suffix in (".ncnn.bin", ".ncnn.param"):
            shutil.move(pathlib.Path(copy).with_suffix(suffix), pathlib.Path(target).with_suffix("").with_suffix(suffix))


def mnn(model, target, shape):
    import MNN  # noqa: F401, it makes the tools known

    # The wheel's own program would also report home, and install a package for it.
    import _tools

    _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", model, "--MNNModel", target, "--bizCode", "gossamer"])


def pytorch(model, target, shape):
    import torch

    import graph

    layout = torch.channels_last if "channels-last" in target else torch.contiguous_format
    module = graph.Graph(model).eval().to(memory_format=layout)
    if "torchscript" not in target:
        # A whole module, so that loading does not pass through the ONNX file.
        return torch.save(module, target)
    image = torch.from_numpy(engines.images(shape)).contiguous(memory_format=layout)
    with torch.no_grad():
        torch.jit.save(torch.jit.trace(module, image), target)


def main():
    name, model, shape = sys.argv[1:]
    target = str(engines.prepared(name, model))
    if os.path.exists(target):
        return
    {"ncnn": ncnn, "mnn": mnn}.get(name, pytorch)(model, target, tuple(map(int, shape.split("x"))))


if __name__ == "__main__":
    main()
