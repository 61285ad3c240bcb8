#!/usr/bin/env python3
"""Writes Tests/Fixtures/onnx: a small ONNX file for every operator and spelling that is imported, and what ONNX Runtime
computes from it.

    python3 -m pip install onnx onnxruntime numpy safetensors
    python3 Scripts/make-onnx-fixtures.py

NAME.onnx is the model, NAME.safetensors holds `input` and `output`. The files are committed; run this again only to
change them. Every case draws from its own seed, so that adding one leaves the others as they are.
"""

import pathlib
import zlib

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

SEED = 20261126
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "onnx"
CASES = []


def case(opset=13, input=(2, 3, 6, 5), dims=None, external=False):
    """Registers a function that fills a graph and returns the name of its output."""

    def register(function):
        CASES.append((function.__name__.replace("_", "-"), opset, input, dims, external, function))
        return function

    return register


class Graph:
    def __init__(self, name):
        self.generator = numpy.random.default_rng(SEED + zlib.crc32(name.encode()))
        self.nodes = []
        self.initializers = []
        self.count = 0

    def add(self, kind, *inputs, outputs=1, **attributes):
        """Adds a node; returns the name of its output, or of all."""
        names = [f"v{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{names[0]}", **attributes))
        return names[0] if outputs == 1 else names

    def tensor(self, array, name=None, raw=True):
        array = numpy.asarray(array)
        name = name or f"c{self.count}"
        self.count += 1
        tensor = numpy_helper.from_array(array, name)
        if not raw:
            kind = {"f": TensorProto.FLOAT, "i": TensorProto.INT64}[array.dtype.kind]
            tensor = helper.make_tensor(name, kind, array.shape, array.flatten().tolist())
        self.initializers.append(tensor)
        return name

    def integers(self, *values):
        return self.tensor(numpy.array(values, numpy.int64))

    def number(self, value, shape=()):
        return self.tensor(numpy.full(shape, value, numpy.float32))

    def normal(self, *shape, scale=1.0, offset=0.0, name=None, kind=numpy.float32, raw=True):
        values = self.generator.normal(offset, scale, shape).astype(kind)
        return self.tensor(values, name, raw)

    def constant(self, array):
        return self.add("Constant", value=numpy_helper.from_array(numpy.asarray(array)))

    def conv(self, x, filters, channels, *kernel, groups=1, bias=True, name=None, **attributes):
        weights = self.normal(filters, channels // groups, *kernel, scale=0.4, name=name)
        inputs = [x, weights] + ([self.normal(filters)] if bias else [])
        return self.add("Conv", *inputs, group=groups, kernel_shape=list(kernel), **attributes)


# Convolutions


@case()
def conv_pads_strides(g):
    return g.conv("x", 4, 3, 3, 2, strides=[2, 1], pads=[1, 0, 2, 1], name="features.0.weight")


@case()
def conv_dilation(g):
    return g.conv("x", 4, 3, 2, 3, dilations=[3, 2], pads=[1, 2, 1, 2])


@case(input=(2, 6, 5, 5))
def conv_groups(g):
    return g.conv("x", 4, 6, 3, 3, groups=2, pads=[1, 1, 1, 1])


@case(input=(2, 4, 5, 5))
def conv_depthwise(g):
    return g.conv("x", 8, 4, 3, 3, groups=4, pads=[0, 0, 1, 1], strides=[2, 2], bias=False)


@case(input=(1, 3, 7, 6))
def conv_same_upper(g):
    return g.conv("x", 4, 3, 3, 4, strides=[2, 2], auto_pad="SAME_UPPER")


@case(input=(1, 3, 7, 6))
def conv_same_lower(g):
    return g.conv("x", 4, 3, 4, 2, strides=[2, 1], auto_pad="SAME_LOWER")


@case()
def conv_valid(g):
    return g.conv("x", 4, 3, 3, 3, auto_pad="VALID")


@case()
def conv_zero_kernels(g):
    weights = g.generator.normal(size=(5, 3, 3, 3)).astype(numpy.float32)
    weights[0, 1] = weights[2, 0] = weights[2, 2] = weights[4] = 0
    return g.add("Conv", "x", g.tensor(weights), g.normal(5), pads=[1, 1, 1, 1])


@case(opset=9)
def conv_half_and_double(g):
    first = g.normal(4, 3, 1, 1, kind=numpy.float16)
    x = g.add("Conv", "x", g.add("Cast", first, to=TensorProto.FLOAT))
    second = g.add("Cast", g.normal(2, 4, 1, 1, kind=numpy.float64), to=TensorProto.FLOAT)
    return g.add("Conv", x, second)


@case()
def conv_float_data(g):
    return g.add("Conv", "x", g.normal(2, 3, 2, 2, raw=False))


@case(external=True)
def conv_external(g):
    x = g.conv("x", 4, 3, 3, 3)
    return g.add("Conv", x, g.normal(2, 4, 1, 1))


# Normalisation and activations


@case(opset=9)
def batch_normalization(g):
    return g.add(
        "BatchNormalization", "x", g.normal(3, name="bn.weight"), g.normal(3), g.normal(3),
        g.tensor(numpy.array([0.5, 1.5, 0.2], numpy.float32)), epsilon=1e-3, momentum=0.99)


@case()
def conv_batch_normalization_scaled(g):
    x = g.conv("x", 4, 3, 3, 3, bias=False)
    x = g.add(
        "BatchNormalization", x, g.normal(4), g.normal(4), g.normal(4),
        g.tensor(numpy.array([0.5, 1.5, 0.2, 1], numpy.float32)))
    x = g.add("Add", g.add("Mul", x, g.normal(4, 1, 1)), g.normal(1, 4, 1, 1))
    return g.add("Relu", x)


@case(opset=9)
def clip_attributes(g):
    return g.add("Clip", g.add("Mul", "x", g.number(5)), min=0.0, max=6.0)


@case()
def clip_inputs(g):
    x = g.add("Clip", "x", g.number(-0.5), g.number(0.75))
    return g.add("Clip", x, g.number(0), "")


@case()
def min_max(g):
    return g.add("Min", g.add("Max", "x", g.number(-0.5)), g.number(0.5, (1,)))


@case()
def sigmoid(g):
    return g.add("Sigmoid", "x")


@case(opset=14)
def hard_swish(g):
    return g.add("HardSwish", g.add("Mul", "x", g.number(3)))


@case()
def hard_sigmoid(g):
    x = g.add("HardSigmoid", "x", alpha=1 / 6, beta=0.5)
    return g.add("HardSigmoid", x, alpha=0.3, beta=0.4)


@case()
def hard_swish_product(g):
    return g.add("Mul", "x", g.add("HardSigmoid", "x", alpha=1 / 6, beta=0.5))


@case(opset=11)
def hard_swish_arithmetic(g):
    x = g.add("Mul", "x", g.number(4))
    y = g.add("Clip", g.add("Add", x, g.number(3)), g.number(0), g.number(6))
    x = g.add("Div", g.add("Mul", x, y), g.number(6))
    y = g.add("Clip", g.add("Add", x, g.number(3)), g.number(0), g.number(6))
    return g.add("Mul", x, g.add("Div", y, g.number(6)))


@case()
def swish(g):
    x = g.conv("x", 4, 3, 1, 1)
    return g.add("Mul", g.add("Sigmoid", x), x)


@case()
def leaky_relu(g):
    x = g.add("LeakyRelu", "x", alpha=0.2)
    return g.add("PRelu", x, g.number(0.3, (1, 1, 1)))


@case(input=(2, 7, 3, 4))
def lrn(g):
    return g.add("LRN", "x", size=5, alpha=0.3, beta=0.6, bias=1.5)


@case(opset=11, input=(2, 6, 1, 1))
def softmax_11(g):
    return g.add("Softmax", g.add("Flatten", "x"))


@case(input=(2, 6, 2, 3))
def softmax_13(g):
    return g.add("Softmax", "x", axis=1)


# Pooling


@case(input=(2, 3, 8, 7))
def max_pool_ceil(g):
    return g.add("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)


@case(input=(2, 3, 8, 7))
def max_pool_padded(g):
    return g.add("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])


@case(input=(2, 3, 8, 7))
def max_pool_same(g):
    return g.add("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")


@case(input=(2, 3, 8, 7))
def average_pool(g):
    return g.add("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])


@case(input=(2, 3, 8, 7))
def average_pool_counting(g):
    return g.add("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 1], pads=[1, 1, 1, 1], count_include_pad=1)


@case(input=(2, 3, 8, 7), opset=19)
def average_pool_ceil(g):
    return g.add("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)


@case()
def global_average_pool(g):
    return g.add("GlobalAveragePool", "x")


@case()
def global_max_pool(g):
    return g.add("GlobalMaxPool", "x")


@case(opset=13)
def reduce_mean_attribute(g):
    return g.add("ReduceMean", "x", axes=[2, 3], keepdims=0)


@case(opset=18)
def reduce_mean_input(g):
    return g.add("ReduceMean", "x", g.integers(-1, -2), keepdims=1)


@case()
def pad_conv(g):
    x = g.add("Pad", "x", g.integers(0, 0, 1, 0, 0, 0, 2, 1), g.number(0))
    return g.conv(x, 4, 3, 3, 3, pads=[0, 1, 0, 0])


@case(opset=9)
def pad_attribute(g):
    return g.add("Relu", g.add("Pad", "x", mode="constant", pads=[0, 0, 1, 2, 0, 0, 0, 1], value=0.0))


@case(input=(2, 3, 7, 7))
def pad_average_pool(g):
    x = g.add("Pad", "x", g.integers(0, 0, 1, 1, 0, 0, 1, 1))
    return g.add("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2])


@case(input=(2, 3, 7, 7), opset=18)
def pad_max_pool(g):
    x = g.add("Pad", "x", g.integers(1, 1, 1, 1), g.number(-numpy.inf), g.integers(2, 3))
    return g.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])


# Classifiers


@case()
def gemm(g):
    return g.add("Gemm", g.add("Flatten", "x"), g.normal(7, 90, name="fc.weight"), g.normal(7), transB=1)


@case()
def gemm_alpha(g):
    x = g.add("Reshape", "x", g.integers(0, -1))
    return g.add("Gemm", x, g.normal(90, 7), g.normal(1, 7), alpha=0.5, beta=2.0)


@case()
def matmul_add(g):
    x = g.add("Reshape", "x", g.integers(-1, 90))
    return g.add("Add", g.add("MatMul", x, g.normal(90, 7, scale=0.2)), g.normal(7))


@case(dims=["batch", 3, 6, 5])
def shape_arithmetic(g):
    batch = g.add("Gather", g.add("Shape", "x"), g.constant(numpy.array(0)), axis=0)
    batch = g.add("Unsqueeze", batch, g.integers(0))
    rest = g.add("Mul", g.add("Slice", g.add("Shape", "x"), g.integers(1), g.integers(2)), g.integers(30))
    x = g.add("Reshape", "x", g.add("Concat", batch, rest, axis=0))
    return g.add("Gemm", x, g.normal(4, 90), transB=1)


@case(opset=11)
def torch_static_padding(g):
    zeros = g.add("ConstantOfShape", g.integers(4), value=numpy_helper.from_array(numpy.array([0], numpy.int64)))
    pads = g.add("Concat", g.constant(numpy.array([0, 1, 1, 2], numpy.int64)), zeros, axis=0)
    pads = g.add("Reshape", pads, g.integers(-1, 2))
    pads = g.add("Slice", pads, g.integers(-1), g.integers(-(2**63) + 1), g.integers(0), g.integers(-1))
    pads = g.add("Reshape", g.add("Transpose", pads, perm=[1, 0]), g.integers(-1))
    x = g.add("Pad", "x", g.add("Cast", pads, to=TensorProto.INT64), g.number(0), mode="constant")
    return g.conv(x, 4, 3, 3, 3, strides=[2, 2])


@case(opset=11)
def squeeze_unsqueeze(g):
    x = g.add("Squeeze", g.add("GlobalAveragePool", "x"), axes=[2, 3])
    x = g.add("Gemm", x, g.normal(5, 3), transB=1)
    return g.conv(g.add("Unsqueeze", x, axes=[2, 3]), 4, 5, 1, 1)


# Channels last


@case(input=(2, 6, 5, 3))
def channels_last(g):
    x = g.conv(g.add("Transpose", "x", perm=[0, 3, 1, 2]), 4, 3, 3, 3)
    x = g.add("Add", g.add("Transpose", x, perm=[0, 2, 3, 1]), g.normal(4))
    x = g.add("Relu", x)
    x = g.add("Pad", x, g.integers(0, 1, 0, 0, 0, 0, 1, 0))
    x = g.add("Transpose", g.conv(g.add("Transpose", x, perm=[0, 3, 1, 2]), 4, 4, 2, 2), perm=[0, 2, 3, 1])
    x = g.add("Concat", x, x, axis=3)
    x = g.add("Reshape", x, g.integers(-1, 96))
    return g.add("MatMul", x, g.normal(96, 3))


@case(input=(2, 6, 5, 3))
def channels_last_mean(g):
    x = g.conv(g.add("Transpose", "x", perm=[0, 3, 1, 2]), 4, 3, 3, 3)
    x = g.add("Transpose", x, perm=[0, 2, 3, 1])
    x = g.add("MatMul", x, g.normal(4, 5))
    return g.add("ReduceMean", x, axes=[1, 2], keepdims=0)


# Branches


@case()
def residual(g):
    x = g.conv("x", 4, 3, 3, 3, pads=[1, 1, 1, 1])
    y = g.conv(g.add("Relu", x), 4, 4, 3, 3, pads=[1, 1, 1, 1])
    return g.add("Sum", g.add("Add", x, y), x, y)


@case()
def difference(g):
    x = g.conv("x", 3, 3, 1, 1)
    return g.add("Neg", g.add("Sub", "x", x))


@case()
def arithmetic(g):
    x = g.add("Div", g.add("Sub", "x", g.normal(3, 1, 1)), g.normal(1, 3, 1, 1, offset=4))
    x = g.conv(x, 4, 3, 3, 3, pads=[1, 1, 1, 1])
    x = g.add("Sub", g.number(1), g.add("Relu", x))
    return g.conv(g.add("Mul", x, g.normal(4, 1, 1)), 2, 4, 1, 1)


@case()
def squeeze_excitation(g):
    x = g.conv("x", 4, 3, 1, 1)
    y = g.add("GlobalAveragePool", x)
    y = g.add("Relu", g.conv(y, 2, 4, 1, 1))
    return g.add("Mul", g.add("Sigmoid", g.conv(y, 4, 2, 1, 1)), x)


@case()
def concat_dropout(g):
    x = g.conv("x", 4, 3, 1, 1)
    y = g.conv("x", 2, 3, 1, 1)
    return g.add("Identity", g.add("Dropout", g.add("Concat", x, y, "x", axis=1)))


@case(input=(2, 8, 3, 4))
def channel_shuffle(g):
    x = g.add("Reshape", g.conv("x", 8, 8, 1, 1), g.integers(2, 2, 4, 3, 4))
    x = g.add("Reshape", g.add("Transpose", x, perm=[0, 2, 1, 3, 4]), g.integers(2, 8, 3, 4))
    first, second = g.add("Split", x, g.integers(4, 4), outputs=2, axis=1)
    second = g.add("Relu", g.conv(second, 4, 4, 3, 3, groups=4, pads=[1, 1, 1, 1]))
    x = g.add("Reshape", g.add("Concat", first, second, axis=1), g.integers(2, 2, 4, 3, 4))
    x = g.add("Reshape", g.add("Transpose", x, perm=[0, 2, 1, 3, 4]), g.integers(2, -1, 3, 4))
    x = g.add("BatchNormalization", x, g.normal(8), g.normal(8), g.normal(8), g.number(0.7, (8,)))
    x = g.add("Add", x, g.add("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
    return g.add("Gemm", g.add("Flatten", x), g.normal(5, 96), transB=1)


@case(input=(2, 8, 3, 4))
def channel_choice(g):
    x = g.add("Relu", g.add("Gather", "x", g.integers(6, 1, 1, -8), axis=1))
    y = g.add("Slice", "x", g.integers(7), g.integers(-9), g.integers(1), g.integers(-2))
    return g.add("Add", x, y)


def build(name, opset, shape, dims, external, function):
    g = Graph(name)
    result = function(g)
    g.nodes.append(helper.make_node("Identity", [result], ["y"]))
    graph = helper.make_graph(
        g.nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims or list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], g.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    path = FOLDER / f"{name}.onnx"
    if external:
        (FOLDER / f"{name}.data").unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=f"{name}.data", size_threshold=0)
    else:
        onnx.save(model, path)
    images = g.generator.normal(size=shape).astype(numpy.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    output = session.run(["y"], {"x": images})[0]
    save_file({"input": images, "output": numpy.ascontiguousarray(output)}, FOLDER / f"{name}.safetensors")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for parts in CASES:
        try:
            build(*parts)
        except Exception as error:
            raise SystemExit(f"{parts[0]}: {error}")
