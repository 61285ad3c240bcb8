"""Checks every NAME.onnx of a folder, and that ONNX Runtime computes NAME.logits from NAME.images."""

import pathlib
import sys

import numpy
import onnx
import onnxruntime

TOLERANCE = 1e-4

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    onnx.checker.check_model(str(path), full_check=True)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    images = numpy.fromfile(path.with_suffix(".images"), numpy.float32).reshape(-1, *image.shape[1:])
    expected = numpy.fromfile(path.with_suffix(".logits"), numpy.float32)
    found = session.run(["logits"], {"images": images})[0].reshape(-1)
    if len(found) != len(expected):
        sys.exit(f"{path.stem}: {len(found)} outputs, expected {len(expected)}")
    error = numpy.abs(found - expected).max() / max(numpy.abs(expected).max(), 1e-30)
    if not error < TOLERANCE:
        sys.exit(f"{path.stem}: outputs differ by {error:.2g} of the largest")
    print(f"same {path.stem} {error:.2g}")
