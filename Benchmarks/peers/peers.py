#!/usr/bin/env python3
"""Times a network from Gossamer and the same network in other runtimes, in turns, on the same machine.

    python3 peers.py inference --network resnet50 --patterns dense random:0.25 random:0.25,block=4
    python3 peers.py training --network vgg16-bn --batch 64 --patterns dense random:0.1

The network is exported with `gossamer export`; peers run it dense, Gossamer with each pattern. Prints a Markdown table
and writes it beside a JSON file where --output says.
"""

import argparse
import pathlib
import subprocess
import sys

import contestants
import engines
import report
import training_step


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["inference", "training"])
    parser.add_argument("--network", default="mnist", help="as `gossamer export` takes it (default mnist)")
    parser.add_argument("--image-size", type=int, help="height and width (default: what the network is made for)")
    parser.add_argument("--patterns", nargs="*", default=["dense"], help="Gossamer's contestants (default dense)")
    parser.add_argument("--peers", nargs="*", help="which peers (default: all)")
    parser.add_argument("--peer-pattern", default="dense", help="the pattern that peers run (default dense)")
    parser.add_argument("--batch", type=int, help="images (default 1, in training 64)")
    parser.add_argument("--threads", type=int, default=1, help="of every contestant (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant (default 5)")
    parser.add_argument("--seconds", type=float, default=1, help="of each turn, at least (default 1)")
    parser.add_argument("--least", type=int, default=3, help="calls in a turn of a peer, at least (default 3)")
    parser.add_argument("--gossamer", default=".build/release/gossamer", help="the command")
    parser.add_argument("--files", default="peer-files", help="folder of exported and converted networks, kept")
    parser.add_argument("--output", help="write OUTPUT.json and OUTPUT.md")
    parser.add_argument("--prepare-only", action="store_true", help="export and convert, and time nothing")
    options = parser.parse_args()
    options.batch = options.batch or (1 if options.kind == "inference" else 64)
    known = engines.NAMES if options.kind == "inference" else training_step.NAMES
    options.peers = known if options.peers is None else options.peers
    for name in options.peers:
        if name not in known:
            parser.error(f"--peers {name}: expected some of {', '.join(known)}")
    for name in ("batch", "threads", "rounds", "least"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: expected at least 1, found {getattr(options, name)}")
    return options


def network_options(options, pattern):
    size = ["--image-size", str(options.image_size)] if options.image_size else []
    return ["--network", options.network, "--pattern", pattern, *size]


def export(options):
    """The ONNX file that peers run, and the shape of its image batch."""
    import onnx

    name = f"{pathlib.Path(options.network).stem}-{options.image_size or 'own'}-{options.peer_pattern}"
    model = pathlib.Path(options.files) / f"{name.replace(':', '').replace('.', '_')}-batch{options.batch}.onnx"
    model.parent.mkdir(parents=True, exist_ok=True)
    if not model.exists():
        subprocess.run(
            [options.gossamer, "export", *network_options(options, options.peer_pattern), "--output", model],
            check=True, stdout=sys.stderr)
    image = onnx.load(model, load_external_data=False).graph.input[0].type.tensor_type.shape
    return str(model), [options.batch, *(axis.dim_value for axis in image.dim[1:])]


def convert(options, model, shape):
    """Each peer's own file, made by a process of its own."""
    if options.kind == "training":
        return
    for name in options.peers:
        if not engines.prepared(name, model).exists():
            subprocess.run(
                [sys.executable, contestants.HERE / "convert.py", name, model, "x".join(map(str, shape))],
                check=True, stdout=sys.stderr)


def gossamer(options, pattern):
    command = [
        options.gossamer, "bench", *network_options(options, pattern), "--batch", str(options.batch), "--threads",
        str(options.threads)]
    return contestants.Command(f"gossamer {pattern}", command + ["--training"] * (options.kind == "training"))


def compare_outputs(peers):
    """Largest difference of each peer from the first, relative to the largest output."""
    outputs = {peer.name: peer.output() for peer in peers}
    first = next(iter(outputs.values()), [])
    largest = max(map(abs, first), default=0) or 1
    differences = {}
    for name, output in outputs.items():
        if len(output) != len(first):
            raise RuntimeError(f"{name} has {len(output)} outputs, expected {len(first)}")
        differences[name] = max(abs(a - b) for a, b in zip(output, first)) / largest
        if not differences[name] < 1e-3:
            raise RuntimeError(f"{name} differs from {peers[0].name} by {differences[name]:.2g} of the largest output")
    return differences


def main():
    options = parse()
    model, shape = export(options)
    convert(options, model, shape)
    if options.prepare_only:
        return
    settings = {"kind": options.kind, "model": model, "shape": shape, "threads": options.threads}
    peers = [contestants.Peer(name, settings) for name in options.peers]
    differences = compare_outputs(peers) if options.kind == "inference" else {}
    everyone = peers + [gossamer(options, pattern) for pattern in options.patterns]
    for number in range(options.rounds):
        for contestant in everyone:
            contestant.take_turn(options.seconds, options.least)
        medians = ", ".join(f"{one.name} {one.turns[-1]['median']:.4g}" for one in everyone)
        print(f"round {number + 1} of {options.rounds}: {medians} ms", file=sys.stderr)
    for one in everyone:
        one.close()
    report.write(report.summarize(options, shape, everyone, len(peers), differences), options.output)


if __name__ == "__main__":
    main()
