"""Compares what an imported model says of labelled photographs with what ONNX Runtime says of the file it came from.

    gossamer import lite0.onnx --output lite0.safetensors --class-names imagenet.txt --mean 0.498,0.498,0.498 \
        --standard-deviation 0.502,0.502,0.502 --resizing shorter-side=256 --interpolation bicubic
    python photographs.py lite0.onnx lite0.safetensors imagenet_*.jpg

The last number of a photograph's name is its class. ONNX Runtime gets images that Pillow prepared.
"""
import argparse
import json
import re
import subprocess

import numpy as np
import onnxruntime
from PIL import Image


def prepared(path: str, shorter_side: int, side: int, mean: float, deviation: float) -> np.ndarray:
    """The image as the network's input, [1, channel, row, column]."""
    image = Image.open(path).convert("RGB")
    scale = shorter_side / min(image.size)
    image = image.resize([max(shorter_side, round(length * scale)) for length in image.size], Image.Resampling.BICUBIC)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    pixels = np.asarray(image.crop((left, top, left + side, top + side)), np.float32) / 255
    return ((pixels - np.float32(mean)) / np.float32(deviation)).transpose(2, 0, 1)[None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onnx")
    parser.add_argument("model")
    parser.add_argument("photographs", nargs="+")
    parser.add_argument("--gossamer", default=".build/release/gossamer")
    parser.add_argument("--shorter-side", type=int, default=256)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--mean", type=float, default=0.498)
    parser.add_argument("--standard-deviation", type=float, default=0.502)
    options = parser.parse_args()

    command = [options.gossamer, "predict", options.model, *options.photographs, "--json"]
    answers = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    session = onnxruntime.InferenceSession(options.onnx)
    name = session.get_inputs()[0].name
    same = right = 0
    largest = 0.0
    for path, answer in zip(options.photographs, answers, strict=True):
        image = prepared(path, options.shorter_side, options.side, options.mean, options.standard_deviation)
        logits = session.run(None, {name: image})[0][0]
        probabilities = np.exp(logits - logits.max())
        probabilities /= probabilities.sum()
        theirs, ours = int(probabilities.argmax()), answer["classes"][0]
        label = int(re.findall(r"\d+", path.rsplit("/", 1)[-1])[-1])
        same += theirs == ours["index"]
        right += ours["index"] == label
        largest = max(largest, abs(float(probabilities[theirs]) - ours["probability"]))
        verdict = "right" if ours["index"] == label else f"wrong, it is class {label}"
        agreement = "" if theirs == ours["index"] else f", ONNX Runtime says class {theirs}"
        print(f"{path.rsplit('/', 1)[-1]}: {ours['name']}, {verdict}{agreement}")
    print(f"{same} of {len(answers)} as ONNX Runtime, {right} right, probabilities differ by at most {largest:.4f}")


if __name__ == "__main__":
    main()
