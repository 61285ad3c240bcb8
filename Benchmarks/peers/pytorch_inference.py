#!/usr/bin/env python3
"""Times inference of PyTorch, and of ONNX Runtime where it is installed, on the CPU.

    python3 pytorch_inference.py --batch 1 --threads 1
    python3 pytorch_inference.py --alternate 'gossamer bench --network mnist --batch 1 --threads 1 --json'

PyTorch runs in both memory formats, plainly and as a frozen TorchScript graph; the fastest contestant is what ratios
refer to. The last line is JSON.
"""

import io
import sys
import warnings

import torch

import peers


def pytorch_calls(options):
    build, shape, _ = peers.NETWORKS[options.network]
    calls = {}
    for layout, memory_format in peers.LAYOUTS.items():
        model = build().to(memory_format=memory_format).eval()
        image = torch.randn(options.batch, *shape).contiguous(memory_format=memory_format)
        with torch.no_grad():
            frozen = torch.jit.optimize_for_inference(torch.jit.trace(model, image))
        for name, function in ((layout, model), (f"{layout}, TorchScript", frozen)):
            calls[f"PyTorch, {name}"] = no_gradient(function, image)
    return calls


def no_gradient(function, image):
    def call():
        with torch.no_grad():
            return function(image)

    return call


def onnx_runtime_call(options):
    """A call of ONNX Runtime on the exported network, nothing where a package is missing."""
    try:
        import onnx  # noqa: F401, needed by the export
        import onnxruntime
    except ImportError as error:
        print(f"without ONNX Runtime: {error}; see requirements.txt", file=sys.stderr)
        return {}
    build, shape, _ = peers.NETWORKS[options.network]
    image = torch.randn(options.batch, *shape)
    model = build().eval()
    file = io.BytesIO()
    torch.onnx.export(model, (image,), file, input_names=["input"], dynamo=False)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file.getvalue(), settings, providers=["CPUExecutionProvider"])
    inputs = {"input": image.numpy()}
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(session.run(None, inputs)[0]), model(image), rtol=1e-3, atol=1e-4)
    return {f"ONNX Runtime {onnxruntime.__version__}": lambda: session.run(None, inputs)}


def main():
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    options = peers.parse(__doc__, batch=1, calls=200)
    contestants = {**pytorch_calls(options), **onnx_runtime_call(options)}
    peers.report("inference", peers.measure(contestants, options), options)


if __name__ == "__main__":
    main()
