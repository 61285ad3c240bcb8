#!/usr/bin/env python3
"""Writes Tests/Fixtures: what PyTorch computes for every layer, forward and backward, as small safetensors files.

    python3 -m pip install -r Tests/Fixtures/requirements.txt
    python3 Scripts/make-fixtures.py

The files are committed; run this again only to change them. Every case draws from its own seed, so that adding one
leaves the others as they are. Inputs are drawn in float32; PyTorch computes in float64, on one thread, and the results
are rounded to float32 once, so that a fixture is the true value to the last bit or so.
"""

import argparse
import json
import pathlib
import zlib

import numpy
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

SEED = 20240611
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures"


class Case:
    """One fixture: named tensors and hyperparameters, with a generator of its own."""

    def __init__(self, name, **hyperparameters):
        self.name = name
        self.hyperparameters = hyperparameters
        self.tensors = {}
        self.generator = torch.Generator().manual_seed(SEED + zlib.crc32(name.encode()))

    def normal(self, *shape, scale=1.0, offset=0.0):
        """Normal values that float32 holds exactly, as float64."""
        values = torch.randn(shape, generator=self.generator, dtype=torch.float32) * scale + offset
        return values.double()

    def integers(self, high, *shape):
        return torch.randint(high, shape, generator=self.generator)

    def store(self, name, tensor):
        array = tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else numpy.asarray(tensor)
        kind = numpy.float32 if array.dtype.kind == "f" else numpy.int32
        self.tensors[name] = numpy.ascontiguousarray(array, dtype=kind)

    def write(self):
        path = FOLDER / f"{self.name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(self.tensors, path, {"hyperparameters": json.dumps(self.hyperparameters, sort_keys=True)})


def layer_case(case, inputs, parameters, function):
    """Stores inputs, parameters, output, a random output gradient and the gradients that follow from it."""
    for tensor in [*inputs.values(), *parameters.values()]:
        tensor.requires_grad_()
    output = function(*inputs.values(), **parameters)
    output_gradient = case.normal(*output.shape)
    output.backward(output_gradient)
    for name, tensor in {**inputs, **parameters}.items():
        case.store(name, tensor)
        case.store(f"{name}_gradient", tensor.grad)
    case.store("output", output)
    case.store("output_gradient", output_gradient)
    return output_gradient


def resolve_padding(padding, size, kernel, stride):
    """(top, left, bottom, right) of "same", "valid" or an explicit tuple in that order.

    "same" gives ceil(size / stride) outputs, and the odd row or column of padding comes at the end.
    """
    if padding == "valid":
        return (0, 0, 0, 0)
    if padding != "same":
        return tuple(padding)
    total = [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(size, kernel, stride)]
    return (total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2)


def pad(image, padding, value=0.0):
    top, left, bottom, right = padding
    return F.pad(image, (left, right, top, bottom), value=value)


def window(padding, size, kernel, stride):
    """The hyperparameters of a sliding window."""
    names = ("top", "left", "bottom", "right")
    return {
        "kernel": list(kernel), "stride": list(stride),
        "padding": padding if isinstance(padding, str) else "explicit",
        **dict(zip(names, resolve_padding(padding, size, kernel, stride))),
    }


# Convolution


def connection_rows(case, inputs, outputs, density):
    """Input channels of every output channel: all of them, or a random subset that differs in size from row to row."""
    if density == 1:
        return [list(range(inputs)) for _ in range(outputs)]
    chosen = torch.rand(outputs, inputs, generator=case.generator) < density
    for row in range(outputs):
        chosen[row, row % inputs] = True
    return [chosen[row].nonzero().flatten().tolist() for row in range(outputs)]


def dense_weight(weight, rows, inputs):
    """The [outputs][inputs][height][width] weight that PyTorch needs; connections that do not exist are zero."""
    outputs = torch.tensor([output for output, row in enumerate(rows) for _ in row], dtype=torch.long)
    indices = torch.tensor([channel for row in rows for channel in row], dtype=torch.long)
    dense = torch.zeros(len(rows), inputs, *weight.shape[1:], dtype=weight.dtype)
    return dense.index_put((outputs, indices), weight)


def store_connections(case, prefix, rows):
    case.store(f"{prefix}row_starts", numpy.cumsum([0] + [len(row) for row in rows]))
    case.store(f"{prefix}inputs", numpy.array([channel for row in rows for channel in row], dtype=numpy.int64))


def convolution(name, kernel, size=(7, 6), batch=3, channels=(4, 5), stride=(1, 1), padding="same", density=1,
                bias=True, rows=None, dilation=None):
    dilated = {"dilation": list(dilation)} if dilation else {}
    case = Case(f"convolution/{name}", bias=bias, **dilated, **window(padding, size, kernel, stride))
    rows = rows or connection_rows(case, *channels, density)
    store_connections(case, "", rows)
    borders = resolve_padding(padding, size, kernel, stride)
    parameters = {"weight": case.normal(sum(map(len, rows)), *kernel)}
    if bias:
        parameters["bias"] = case.normal(channels[1])

    def run(image, weight, bias=None):
        dense = dense_weight(weight, rows, channels[0])
        return F.conv2d(pad(image, borders), dense, bias, stride, dilation=dilation or 1)

    image = case.normal(batch, channels[0], *size)
    output_gradient = layer_case(case, {"input": image}, parameters, run)
    # The largest sum of absolute products behind any one value: what errors are measured against.
    absolute = {key: value.detach().abs().requires_grad_() for key, value in {"input": image, **parameters}.items()}
    output = run(*absolute.values())
    output.backward(output_gradient.abs())
    case.store("output_magnitude", output.max())
    case.store("input_gradient_magnitude", absolute["input"].grad.max())
    case.store("weight_gradient_magnitude", absolute["weight"].grad.max())
    case.write()


def convolutions():
    kernels = [(1, 1), (3, 3), (5, 5), (7, 7), (1, 7), (7, 1)]
    for kernel in kernels:
        size = "x".join(map(str, kernel))
        convolution(f"dense-{size}-same", kernel)
        convolution(f"sparse-{size}-same", kernel, channels=(5, 6), density=0.4)
        convolution(f"sparse-{size}-stride-2", kernel, size=(8, 7), channels=(5, 4), stride=(2, 2), density=0.4)
    convolution("dense-3x3-stride-2-valid", (3, 3), size=(8, 7), stride=(2, 2), padding="valid", bias=False)
    convolution("dense-7x7-valid-to-one-pixel", (7, 7), size=(7, 7), padding="valid")
    convolution("sparse-7x7-valid-to-one-pixel", (7, 7), size=(7, 7), channels=(5, 9), padding="valid", density=0.3)
    convolution("sparse-5x5-valid", (5, 5), channels=(5, 6), padding="valid", density=0.4, bias=False)
    convolution("sparse-3x3-explicit", (3, 3), channels=(5, 6), padding=(2, 0, 1, 1), density=0.4)
    convolution("sparse-5x5-stride-2x1-explicit", (5, 5), size=(8, 7), padding=(0, 3, 2, 1), stride=(2, 1), density=0.5)
    convolution("sparse-3x3-padding-wider-than-kernel", (3, 3), size=(3, 4), padding=(3, 4, 4, 3), density=0.5)
    convolution("sparse-5x5-image-smaller-than-kernel", (5, 5), size=(2, 2), density=0.5)
    convolution("sparse-3x3-unused-channels", (3, 3), rows=[[0, 3], [], [1], [0, 1, 3], [3]])
    convolution("dense-3x3-one-channel", (3, 3), channels=(1, 1))
    for batch in (1, 16, 17):
        convolution(f"sparse-3x3-batch-{batch}", (3, 3), size=(5, 6), batch=batch, density=0.5)
        convolution(f"dense-5x5-batch-{batch}", (5, 5), size=(4, 5), batch=batch, channels=(3, 4))
    convolution("sparse-3x3-batch-17-stride-2", (3, 3), size=(4, 4), batch=17, stride=(2, 2), density=0.5)
    convolution("sparse-1x1-batch-17", (1, 1), size=(3, 3), batch=17, channels=(9, 11), density=0.3)
    convolution("sparse-3x3-many-channels", (3, 3), size=(6, 6), batch=2, channels=(34, 37), density=0.1)
    convolution("dense-3x3-dilation-2", (3, 3), padding=(2, 2, 2, 2), dilation=(2, 2))
    convolution("sparse-3x2-dilation-1x3-stride-2", (3, 2), size=(8, 9), padding=(1, 3, 0, 1), stride=(2, 2), density=0.5,
                dilation=(1, 3))
    convolution("dense-3x3-many-channels", (3, 3), size=(5, 5), batch=2, channels=(17, 19))


# Batch normalisation


def batch_normalization(name, batch, channels, size, training, epsilon=1e-5, momentum=0.1):
    case = Case(f"batch-normalization/{name}", training=training, epsilon=epsilon, momentum=momentum)
    mean = case.normal(channels)
    variance = case.normal(channels).square().float().double() + 0.5
    case.store("running_mean", mean)
    case.store("running_var", variance)
    image = case.normal(batch, channels, *size, scale=2.0, offset=0.5)
    parameters = {"weight": case.normal(channels, offset=1.0), "bias": case.normal(channels)}
    layer_case(case, {"input": image}, parameters, lambda image, weight, bias: F.batch_norm(
        image, mean, variance, weight, bias, training, momentum, epsilon))
    if training:
        case.store("running_mean_after", mean)
        case.store("running_var_after", variance)
    case.write()


def batch_normalizations():
    batch_normalization("training-batch-3", 3, 4, (5, 6), True)
    batch_normalization("training-batch-16", 16, 3, (4, 3), True)
    batch_normalization("training-batch-17", 17, 3, (4, 3), True)
    batch_normalization("training-one-image", 1, 4, (3, 3), True)
    batch_normalization("training-one-pixel", 17, 5, (1, 1), True)
    batch_normalization("training-epsilon-momentum", 5, 3, (2, 4), True, epsilon=1e-3, momentum=0.01)
    batch_normalization("evaluation-batch-3", 3, 4, (5, 6), False)
    batch_normalization("evaluation-batch-17", 17, 3, (2, 2), False, epsilon=1e-3)


# Layers without parameters


def relu():
    for batch in (3, 17):
        case = Case(f"relu/batch-{batch}")
        image = case.normal(batch, 4, 3, 5)
        image[:, :, 1, 2] = 0  # where the gradient is zero by convention
        layer_case(case, {"input": image}, {}, F.relu)
        case.write()


def activations():
    functions = {
        "relu6": F.relu6, "sigmoid": torch.sigmoid, "hard-sigmoid": F.hardsigmoid, "hard-swish": F.hardswish,
        "swish": F.silu, "leaky-relu": lambda x: F.leaky_relu(x, 0.1), "clip": lambda x: F.hardtanh(x, -1.5, 2.0),
    }
    for name, function in functions.items():
        case = Case(f"activation/{name}")
        layer_case(case, {"input": case.normal(5, 3, 4, 6, scale=4)}, {}, function)
        case.write()


def multiplications():
    for name, second in [("same", (3, 4, 5, 6)), ("pixel", (3, 4, 1, 1))]:
        case = Case(f"multiplication/{name}")
        inputs = {"input0": case.normal(3, 4, 5, 6), "input1": case.normal(*second)}
        layer_case(case, inputs, {}, torch.mul)
        case.write()


def zero_padding():
    case = Case("padding/uneven", top=1, left=2, bottom=3, right=0)
    layer_case(case, {"input": case.normal(3, 4, 5, 6)}, {}, lambda x: F.pad(x, (2, 0, 1, 3)))
    case.write()


def response_normalizations():
    for name, size, alpha, beta, bias, channels in [
            ("cifar10", 9, 0.001, 0.75, 1.0, 16), ("strong", 5, 2.0, 0.75, 2.0, 7), ("beta", 3, 1.5, 0.6, 1.5, 5),
            ("wide", 9, 1.0, 0.5, 1.0, 3)]:
        case = Case(f"local-response-normalization/{name}", size=size, alpha=alpha, beta=beta, bias=bias)
        image = case.normal(3, channels, 5, 4, scale=2)
        layer_case(case, {"input": image}, {}, lambda x: F.local_response_norm(x, size, alpha, beta, bias))
        case.write()


def softmax():
    for name, shape in [("pixel", (5, 10, 1, 1)), ("image", (3, 4, 5, 6))]:
        case = Case(f"softmax/{name}")
        image = case.normal(*shape, scale=3)
        layer_case(case, {"input": image}, {}, lambda x: F.softmax(x, 1))
        case.write()


def pooling(kind, name, kernel, stride, padding, size=(7, 6), batch=3, counts_padding=None, ties=False):
    extra = {} if counts_padding is None else {"counts_padding": counts_padding}
    case = Case(f"{kind}-pooling/{name}", **window(padding, size, kernel, stride), **extra)
    image = case.integers(3, batch, 3, *size).double() if ties else case.normal(batch, 3, *size)
    borders = resolve_padding(padding, size, kernel, stride)

    def maximum(image):
        return F.max_pool2d(pad(image, borders, -torch.inf), kernel, stride)

    def average(image):
        area = kernel[0] * kernel[1]
        inside = F.avg_pool2d(pad(torch.ones_like(image), borders), kernel, stride) * area
        return F.avg_pool2d(pad(image, borders), kernel, stride) * (1 if counts_padding else area / inside)

    layer_case(case, {"input": image}, {}, maximum if kind == "max" else average)
    if len(set(borders)) == 1 and 2 * borders[0] <= min(kernel):  # what PyTorch's own pooling can express
        own = (F.max_pool2d(image, kernel, stride, borders[0]) if kind == "max"
               else F.avg_pool2d(image, kernel, stride, borders[0], count_include_pad=counts_padding))
        assert torch.allclose(own, torch.from_numpy(case.tensors["output"]).double(), atol=1e-6)
    case.write()


def poolings():
    one = (1, 1, 1, 1)
    pooling("max", "2x2-stride-2", (2, 2), (2, 2), "valid")
    pooling("max", "2x2-stride-2-batch-17", (2, 2), (2, 2), "valid", size=(4, 4), batch=17)
    pooling("max", "3x3-stride-2-pad-1", (3, 3), (2, 2), one)
    pooling("max", "3x3-stride-2-same", (3, 3), (2, 2), "same", size=(8, 7))
    pooling("max", "3x3-stride-1-same", (3, 3), (1, 1), "same")
    # The first of equal maxima, row by row, takes the gradient.
    pooling("max", "3x3-stride-2-pad-1-ties", (3, 3), (2, 2), one, ties=True)
    for counts in (True, False):
        suffix = "counting-padding" if counts else "without-padding"
        pooling("average", f"2x2-stride-2-{suffix}", (2, 2), (2, 2), "valid", counts_padding=counts)
        pooling("average", f"3x3-stride-1-pad-1-{suffix}", (3, 3), (1, 1), one, counts_padding=counts)
        pooling("average", f"3x3-stride-2-same-{suffix}", (3, 3), (2, 2), "same", size=(8, 7), counts_padding=counts)
    pooling("average", "3x3-stride-2-pad-1-batch-17", (3, 3), (2, 2), one, size=(5, 4), batch=17, counts_padding=False)


def global_average_pooling():
    for batch, size in ((3, (5, 6)), (17, (2, 3)), (16, (1, 1))):
        case = Case(f"global-average-pooling/batch-{batch}")
        layer_case(case, {"input": case.normal(batch, 4, *size)}, {}, lambda x: F.adaptive_avg_pool2d(x, 1))
        case.write()


def fully_connected(name, batch, shape, units, bias=True):
    """The weight is [units][channels][height][width], which is PyTorch's matrix after flattening."""
    case = Case(f"fully-connected/{name}", bias=bias)
    parameters = {"weight": case.normal(units, *shape)}
    if bias:
        parameters["bias"] = case.normal(units)
    layer_case(case, {"input": case.normal(batch, *shape)}, parameters,
               lambda x, weight, bias=None: F.linear(x.flatten(1), weight.flatten(1), bias))
    case.write()


def joins():
    for batch in (3, 17):
        case = Case(f"concatenation/batch-{batch}", channels=[2, 3, 1])
        images = {f"input{index}": case.normal(batch, channels, 3, 4) for index, channels in enumerate((2, 3, 1))}
        layer_case(case, images, {}, lambda *images: torch.cat(images, 1))
        case.write()
        case = Case(f"addition/batch-{batch}", inputs=3)
        images = {f"input{index}": case.normal(batch, 3, 3, 4) for index in range(3)}
        layer_case(case, images, {}, lambda *images: sum(images))
        case.write()


# Loss, optimizer, network


def softmax_cross_entropy(name, batch, classes, smoothing, scale=2.0):
    case = Case(f"softmax-cross-entropy/{name}", label_smoothing=smoothing, reduction="mean")
    logits = case.normal(batch, classes, scale=scale).requires_grad_()
    labels = case.integers(classes, batch)
    loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    loss.backward()
    case.store("logits", logits)
    case.store("labels", labels)
    case.store("loss", loss)
    case.store("probabilities", logits.softmax(1))
    case.store("logits_gradient", logits.grad)
    case.write()


def softmax_cross_entropies():
    for smoothing in (0.0, 0.1):
        suffix = f"smoothing-{smoothing:g}"
        for batch in (1, 3, 16, 17):
            softmax_cross_entropy(f"batch-{batch}-{suffix}", batch, 10, smoothing)
        softmax_cross_entropy(f"large-logits-{suffix}", 5, 10, smoothing, scale=500.0)
        softmax_cross_entropy(f"many-classes-{suffix}", 3, 257, smoothing)


def sgd(name, **hyperparameters):
    optimizer_steps(
        f"sgd/{name}", torch.optim.SGD, hyperparameters, lr=hyperparameters["learning_rate"],
        momentum=hyperparameters["momentum"], nesterov=hyperparameters["nesterov"])


def adam(name, optimizer=torch.optim.Adam, clip_norm=None, **hyperparameters):
    written = {**hyperparameters, **({} if clip_norm is None else {"clip_norm": clip_norm})}
    optimizer_steps(
        f"optimizer/{name}", optimizer, written, lr=hyperparameters["learning_rate"],
        betas=(hyperparameters["beta1"], hyperparameters["beta2"]), eps=hyperparameters["epsilon"])


def rmsprop(name, **hyperparameters):
    optimizer_steps(
        f"optimizer/{name}", torch.optim.RMSprop, hyperparameters, lr=hyperparameters["learning_rate"],
        alpha=hyperparameters["decay"], eps=hyperparameters["epsilon"], momentum=hyperparameters["momentum"])


def optimizer_steps(name, optimizer, hyperparameters, steps=5, **arguments):
    """`weight` decays, `bias` does not; both keep their state."""
    case = Case(name, steps=steps, **hyperparameters)
    weight, bias = case.normal(3, 7), case.normal(5)
    case.store("weight", weight)
    case.store("bias", bias)
    optimizer = optimizer(
        [{"params": [weight], "weight_decay": hyperparameters["weight_decay"]},
         {"params": [bias], "weight_decay": 0.0}], **arguments)
    for step in range(1, steps + 1):
        weight.grad, bias.grad = case.normal(3, 7), case.normal(5)
        case.store(f"weight_gradient{step}", weight.grad)
        case.store(f"bias_gradient{step}", bias.grad)
        if "clip_norm" in hyperparameters:
            torch.nn.utils.clip_grad_norm_([weight, bias], hyperparameters["clip_norm"])
        optimizer.step()
        case.store(f"weight_after{step}", weight)
        case.store(f"bias_after{step}", bias)
    case.write()


def network():
    """Three steps of a whole small network; the same batch each time, five images, so that lanes stay idle."""
    hyperparameters = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    case = Case("network/three-steps", steps=3, label_smoothing=0.1, epsilon=1e-5, batch_norm_momentum=0.1,
                layers="conv1 5x5 same 1 to 4, relu, 2x2 max pooling, conv2 3x3 same sparse 4 to 8 without bias, "
                       "norm, relu, global average pooling, fc 10", **hyperparameters)
    rows = connection_rows(case, 4, 8, 0.4)
    store_connections(case, "conv2.", rows)
    parameters = {
        "conv1.weight": case.normal(4, 5, 5, scale=0.3), "conv1.bias": case.normal(4, scale=0.1),
        "conv2.weight": case.normal(sum(map(len, rows)), 3, 3, scale=0.3),
        "norm.weight": case.normal(8, scale=0.1, offset=1.0), "norm.bias": case.normal(8, scale=0.1),
        "fc.weight": case.normal(10, 8, 1, 1, scale=0.3), "fc.bias": case.normal(10, scale=0.1),
    }
    statistics = {"norm.running_mean": torch.zeros(8).double(), "norm.running_var": torch.ones(8).double()}
    image, labels = case.normal(5, 1, 12, 10), case.integers(10, 5)
    case.store("input", image)
    case.store("labels", labels)

    def forward(training):
        x = F.conv2d(image, parameters["conv1.weight"].unsqueeze(1), parameters["conv1.bias"], padding=2)
        x = F.max_pool2d(F.relu(x), 2)
        x = F.conv2d(x, dense_weight(parameters["conv2.weight"], rows, 4), padding=1)
        x = F.batch_norm(x, statistics["norm.running_mean"], statistics["norm.running_var"],
                         parameters["norm.weight"], parameters["norm.bias"], training, 0.1, 1e-5)
        x = F.relu(x).mean((2, 3))
        return F.linear(x, parameters["fc.weight"].flatten(1), parameters["fc.bias"])

    decayed = {"conv1.weight", "conv2.weight", "fc.weight"}
    for name, tensor in {**parameters, **statistics}.items():
        case.store(f"before.{name}", tensor.clone())
        tensor.requires_grad_(name in parameters)
    optimizer = torch.optim.SGD(
        [{"params": [tensor], "weight_decay": hyperparameters["weight_decay"] if name in decayed else 0.0}
         for name, tensor in parameters.items()],
        lr=hyperparameters["learning_rate"], momentum=hyperparameters["momentum"], nesterov=True)
    losses = []
    for step in range(3):
        optimizer.zero_grad()
        logits = forward(True)
        loss = F.cross_entropy(logits, labels, label_smoothing=0.1)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            case.store("logits", logits)
            for name, tensor in parameters.items():
                case.store(f"gradient.{name}", tensor.grad)
        optimizer.step()
    case.store("losses", numpy.array(losses))
    for name, tensor in {**parameters, **statistics}.items():
        case.store(f"after.{name}", tensor)
    case.store("evaluation.logits", forward(False))
    case.write()


# The file format itself


def safetensors_files():
    """Written by the Python package alone, for the reader and the writer to be compared with."""
    folder = FOLDER / "safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({
        "bytes": numpy.array([0, 127, 255], numpy.uint8), "words": numpy.array([1, 65535], numpy.uint16),
        "ints": numpy.array([[-2**31, 2**31 - 1]], numpy.int32),
        "longs": numpy.array([[-2**63], [2**63 - 1]], numpy.int64), "doubles": numpy.array([0.1, -numpy.inf]),
        "floats": numpy.array([[0.1, -1.5], [1e-45, 3.4028234663852886e38]], numpy.float32),
        "empty": numpy.zeros((0, 3), numpy.float32), "scalar": numpy.array(42, numpy.float32),
    }, folder / "every-type.safetensors", {"format": "pt"})
    save_file({"\u00e9 \"name\"": numpy.array([1], numpy.float32)}, folder / "metadata.safetensors",
              {"text": "quote \" backslash \\ slash / line\nbell \x07 \u00e9 \U0001f578"})
    save_file({}, folder / "no-tensors.safetensors")


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    convolutions()
    batch_normalizations()
    relu()
    activations()
    multiplications()
    zero_padding()
    response_normalizations()
    softmax()
    poolings()
    global_average_pooling()
    fully_connected("batch-3", 3, (5, 1, 1), 7)
    fully_connected("batch-16-images", 16, (3, 2, 4), 6)
    fully_connected("batch-17", 17, (33, 1, 1), 10)
    fully_connected("batch-1-without-bias", 1, (4, 3, 3), 5, bias=False)
    joins()
    softmax_cross_entropies()
    sgd("nesterov-decay", learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    sgd("momentum", learning_rate=0.05, momentum=0.9, nesterov=False, weight_decay=0.0)
    sgd("plain-decay", learning_rate=0.05, momentum=0.0, nesterov=False, weight_decay=0.01)
    betas = {"beta1": 0.9, "beta2": 0.99}
    adam("adam", learning_rate=0.01, epsilon=1e-8, weight_decay=0.01, **betas)
    adam("adamw", torch.optim.AdamW, learning_rate=0.01, epsilon=1e-8, weight_decay=0.1, **betas)
    adam("adam-clipped", clip_norm=4.5, learning_rate=0.1, epsilon=0.1, weight_decay=0.0, **betas)
    rmsprop("rmsprop", learning_rate=0.045, decay=0.9, epsilon=1.0, momentum=0.9, weight_decay=0.01)
    rmsprop("rmsprop-without-momentum", learning_rate=0.01, decay=0.99, epsilon=1e-8, momentum=0.0,
            weight_decay=0.0)
    network()
    safetensors_files()
    files = sorted(FOLDER.rglob("*.safetensors"))
    print(f"{len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
