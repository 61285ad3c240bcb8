"""The peers of inference: each takes a file of its own kind, and is called with the image batch."""

import pathlib

import numpy

# PyTorch runs as it is and as a frozen TorchScript graph, in both memory formats.
PYTORCH_VARIANTS = [
    "pytorch-contiguous", "pytorch-channels-last", "torchscript-contiguous", "torchscript-channels-last"]
NAMES = ["onnxruntime", "openvino", "mnn", "ncnn", *PYTORCH_VARIANTS]


def images(shape):
    return numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)


def prepared(name, model):
    """The file that an engine reads, made by `prepare` from the ONNX file `model`."""
    model = pathlib.Path(model)
    suffixes = {"onnxruntime": ".onnx", "openvino": ".onnx", "mnn": ".mnn", "ncnn": ".ncnn.param"}
    return model.with_suffix(suffixes[name]) if name in suffixes else model.with_suffix(f".{name}.pt")


def load(name, model, shape, threads):
    """A call without arguments that runs the batch and returns the outputs."""
    make = LOADERS.get(name, pytorch)
    return make(str(prepared(name, model)), images(shape), threads)


def onnxruntime(path, batch, threads):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: batch}
    return lambda: session.run(None, inputs)[0]


def openvino(path, batch, threads):
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    model.reshape(list(batch.shape))
    # Where the machine has bfloat16 units, OpenVINO would use them unless told.
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(batch))

    def call():
        request.infer()
        return request.get_output_tensor().data

    return call


def mnn(path, batch, threads):
    import MNN

    settings = {"backend": "CPU", "numThread": threads, "precision": "high", "memory": "high"}
    manager = MNN.nn.create_runtime_manager((settings,))
    network = MNN.nn.load_module_from_file(path, ["images"], ["logits"], runtime_manager=manager)
    variable = MNN.expr.const(batch, list(batch.shape), MNN.expr.NCHW)
    variable = MNN.expr.convert(variable, MNN.expr.NC4HW4)

    def call():
        return network.forward([variable])[0].read()

    return call


def ncnn(path, batch, threads):
    import ncnn

    network = ncnn.Net()
    options = network.opt
    options.num_threads = threads
    options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
    options.use_bf16_storage = False
    network.load_param(path)
    network.load_model(path.removesuffix(".param") + ".bin")
    # ncnn runs one image at a time; a matrix does not keep the array that it is made of.
    pictures = [ncnn.Mat(picture).clone() for picture in batch]

    def call():
        outputs = []
        for picture in pictures:
            extractor = network.create_extractor()
            extractor.input("in0", picture)
            outputs.append(numpy.array(extractor.extract("out0")[1]))
        return numpy.stack(outputs)

    return call


def pytorch(path, batch, threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    if "torchscript" in path:
        # What this makes of the weights cannot be saved.
        module = torch.jit.optimize_for_inference(torch.jit.load(path))
    else:
        module = torch.load(path, weights_only=False)
    layout = torch.channels_last if "channels-last" in path else torch.contiguous_format
    tensor = torch.from_numpy(batch).contiguous(memory_format=layout)

    def call():
        with torch.inference_mode():
            return module(tensor).numpy()

    return call


LOADERS = {"onnxruntime": onnxruntime, "openvino": openvino, "mnn": mnn, "ncnn": ncnn}
