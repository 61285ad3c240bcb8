"""An ONNX file as a PyTorch module, with the layers that `gossamer export` writes."""

import onnx
import onnx.numpy_helper
import torch
from torch import nn


class Graph(nn.Module):
    """Runs a graph node by node; its weights are ordinary parameters, so that it can be trained too."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        values = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer}
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.layers = nn.ModuleList()
        self.steps = []
        last_reader = {}
        for index, node in enumerate(graph.node):
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            weights = [values[name] for name in node.input if name in values]
            self.layers.append(LAYERS[node.op_type](attributes, *weights))
            inputs = [name for name in node.input if name not in values]
            last_reader.update((name, index) for name in inputs)
            self.steps.append((inputs, node.output[0]))
        # Values nobody reads any more are let go, as in a module written by hand.
        self.unread = [[name for name, last in last_reader.items() if last == i] for i in range(len(self.steps))]

    def forward(self, images):
        values = {self.input: images}
        for layer, (inputs, output), unread in zip(self.layers, self.steps, self.unread):
            values[output] = layer(*(values[name] for name in inputs))
            for name in unread:
                del values[name]
        return values[self.output]


def convolution(attributes, weight, bias=None):
    pads = attributes.get("pads", [0, 0, 0, 0])
    outputs, inputs, *kernel = weight.shape
    layer = nn.Conv2d(
        inputs, outputs, kernel, attributes.get("strides", 1), pads[:2] if symmetric(pads) else 0, bias=bias is not None)
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer if symmetric(pads) else nn.Sequential(nn.ZeroPad2d((pads[1], pads[3], pads[0], pads[2])), layer)


def normalization(attributes, scale, shift, mean, variance):
    layer = nn.BatchNorm2d(len(scale), eps=attributes["epsilon"])
    layer.weight, layer.bias = nn.Parameter(scale), nn.Parameter(shift)
    layer.running_mean, layer.running_var = mean, variance
    return layer


def pooling(kind, padding_value):
    def make(attributes):
        pads = attributes.get("pads", [0, 0, 0, 0])
        options = {"count_include_pad": bool(attributes.get("count_include_pad", 0))} if kind is nn.AvgPool2d else {}
        if symmetric(pads):
            return kind(attributes["kernel_shape"], attributes.get("strides", 1), pads[:2], **options)
        if kind is nn.AvgPool2d and not options["count_include_pad"]:
            raise ValueError("average pooling with uneven padding that does not count")
        border = nn.ConstantPad2d((pads[1], pads[3], pads[0], pads[2]), padding_value)
        return nn.Sequential(border, kind(attributes["kernel_shape"], attributes.get("strides", 1)))

    return make


def fully_connected(attributes, weight, bias=None):
    outputs, inputs = weight.shape
    layer = nn.Linear(inputs, outputs, bias=bias is not None)
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer


def symmetric(pads):
    return list(pads[:2]) == list(pads[2:])


class Concatenation(nn.Module):
    def forward(self, *inputs):
        return torch.cat(inputs, 1)


class Addition(nn.Module):
    def forward(self, a, b):
        return a + b


class Selection(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("channels", channels)

    def forward(self, x):
        return x.index_select(1, self.channels)


LAYERS = {
    "Conv": convolution,
    "BatchNormalization": normalization,
    "Relu": lambda _: nn.ReLU(),
    "MaxPool": pooling(nn.MaxPool2d, float("-inf")),
    "AveragePool": pooling(nn.AvgPool2d, 0.0),
    "GlobalAveragePool": lambda _: nn.AdaptiveAvgPool2d(1),
    "Flatten": lambda _: nn.Flatten(),
    "Gemm": fully_connected,
    "Concat": lambda _: Concatenation(),
    "Add": lambda _: Addition(),
    "Gather": lambda _, channels: Selection(channels),
}
