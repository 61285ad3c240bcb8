"""State dictionaries of torchvision's and timm's networks.

    state-dictionaries.py list FOLDER          writes FOLDER/LIBRARY.NETWORK.txt: names and shapes of all tensors
    state-dictionaries.py save NETWORK SIDE FOLDER    random parameters, two images, and what the network makes of them
    state-dictionaries.py load NETWORK SIDE FOLDER    what the network makes of FOLDER/images with FOLDER/state.safetensors

A network is called as torch_networks.py calls it.
"""

import pathlib
import sys

import numpy
import torch
from safetensors.torch import load_file, save_file

sys.path.append(str(pathlib.Path(__file__).parent.parent / "Support"))
from torch_networks import network, randomize

NETWORKS = [
    "torchvision.vgg16", "torchvision.resnet18", "torchvision.resnet50", "torchvision.inception_v3",
    "torchvision.mobilenet_v2", "timm.vgg16", "timm.resnet18", "timm.resnet50", "timm.inception_v3",
    "timm.mobilenetv1_100", "timm.mobilenetv2_100", "timm.tf_efficientnet_lite0",
]


def write_outputs(model, images, folder):
    with torch.no_grad():
        model.eval()(images).numpy().tofile(folder / "outputs")


def list_all(folder):
    for name in NETWORKS:
        lines = [
            f"{key} {' '.join(map(str, value.shape))}\n" for key, value in network(name).state_dict().items()
            if not key.endswith("num_batches_tracked")]
        (folder / f"{name}.txt").write_text("".join(lines))


def save(name, side, folder):
    model = network(name)
    randomize(model)
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(2))
    save_file(model.state_dict(), folder / "state.safetensors")
    images.numpy().tofile(folder / "images")
    write_outputs(model, images, folder)


def load(name, side, folder):
    model = network(name, has_auxiliary_head=False)
    model.load_state_dict(load_file(folder / "state.safetensors"), strict=True)
    images = numpy.fromfile(folder / "images", numpy.float32).reshape(-1, 3, side, side)
    write_outputs(model, torch.from_numpy(images), folder)


command, *arguments, folder = sys.argv[1:]
folder = pathlib.Path(folder)
if command == "list":
    list_all(folder)
else:
    {"save": save, "load": load}[command](arguments[0], int(arguments[1]), folder)
