"""Writes ONNX files of networks that others define, with what ONNX Runtime computes from them.

    make-import-cases.py FOLDER CASE...

A case is EXPORTER[OPSET]:NETWORK[:SIDE], such as `torchscript11:torchvision.resnet18:96`,
`dynamo21:timm.tf_efficientnet_lite0` or `tf2onnx:MobileNetV2:96`. For every case that its packages are there for, FOLDER
gets N.onnx, N.images and N.outputs (floats, channels first), and a line `made N CASE`; others get a line `left out CASE:
reason`. Weights are random.
"""

import pathlib
import sys
import warnings

import numpy
import onnxruntime

sys.path.append(str(pathlib.Path(__file__).parent.parent / "Support"))
warnings.filterwarnings("ignore")


def from_torch(exporter, name, side, path):
    import torch
    from torch_networks import network, randomize

    model = network(name)
    randomize(model)
    model.eval()
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(2))
    if exporter.startswith("dynamo"):
        opset = int(exporter.removeprefix("dynamo") or 18)
        torch.onnx.export(model, (images,), path, dynamo=True, opset_version=opset, verbose=False)
    else:
        opset = int(exporter.removeprefix("torchscript") or 13)
        keeps = opset % 2 == 0
        torch.onnx.export(
            model, images, path, dynamo=False, opset_version=opset, input_names=["images"],
            dynamic_axes={"images": {0: "batch"}},
            training=torch.onnx.TrainingMode.PRESERVE if keeps else torch.onnx.TrainingMode.EVAL,
            do_constant_folding=not keeps)
    return images.numpy()


def from_tensorflow(exporter, name, side, path):
    import tensorflow
    import tf2onnx

    tensorflow.random.set_seed(1)
    random = numpy.random.default_rng(1)
    model = getattr(tensorflow.keras.applications, name)(
        weights=None, input_shape=(side, side, 3), classifier_activation=None)
    for layer in model.layers:
        if isinstance(layer, tensorflow.keras.layers.BatchNormalization):
            *trained, mean, variance = layer.get_weights()
            layer.set_weights(
                [random.uniform(0.7, 1.3, values.shape) for values in trained]
                + [random.normal(0, 0.1, mean.shape), random.uniform(0.5, 1.5, variance.shape)])
        elif layer.get_weights():
            # As above.
            kernel, *rest = layer.get_weights()
            is_depthwise = isinstance(layer, tensorflow.keras.layers.DepthwiseConv2D)
            fan_in = numpy.prod(kernel.shape[:2] if is_depthwise else kernel.shape[:-1])
            layer.set_weights([random.normal(0, (2 / fan_in) ** 0.5, kernel.shape)] + rest)
    shape = tensorflow.TensorSpec((None, side, side, 3), tensorflow.float32)
    tf2onnx.convert.from_function(
        tensorflow.function(lambda x: model(x, training=False), input_signature=[shape]), [shape],
        opset=int(exporter.removeprefix("tf2onnx") or 15), output_path=path)
    return random.normal(size=(2, side, side, 3)).astype(numpy.float32)


folder = pathlib.Path(sys.argv[1])
for number, case in enumerate(sys.argv[2:]):
    exporter, name, *rest = case.split(":")
    side = int(rest[0]) if rest else 224
    path = str(folder / f"{number}.onnx")
    try:
        make = from_tensorflow if exporter.startswith("tf2onnx") else from_torch
        images = make(exporter, name, side, path)
    except ImportError as error:
        print(f"left out {case}: {error}", flush=True)
        continue
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    (output, *_) = session.run(None, {session.get_inputs()[0].name: images})
    if exporter.startswith("tf2onnx"):
        images = images.transpose(0, 3, 1, 2)
    numpy.ascontiguousarray(images).tofile(folder / f"{number}.images")
    output.tofile(folder / f"{number}.outputs")
    if not numpy.abs(output[0] - output[1]).max() > 1e-3 * numpy.abs(output).max():
        sys.exit(f"{case}: its outputs do not depend on its images")
    print(f"made {number} {case}", flush=True)
