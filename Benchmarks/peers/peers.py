"""What the benchmarks of this folder share: the network, blocks of timed calls, turns with another command, tables."""

import argparse
import json
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def mnist():
    """The network `mnist` of the library: 1,657,632 convolution weights."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 512, 7), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(512, 10))


NETWORKS = {"mnist": (mnist, (1, 28, 28), 10)}


def parse(description, batch, calls):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--network", choices=sorted(NETWORKS), default="mnist")
    parser.add_argument("--batch", type=int, default=batch, help=f"images (default {batch})")
    parser.add_argument("--threads", type=int, default=1, help="threads of every peer (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant (default 5)")
    parser.add_argument("--calls", type=int, default=calls, help=f"timed calls in a turn (default {calls})")
    parser.add_argument(
        "--alternate", metavar="COMMAND",
        help="a command that takes its turn in every round and prints, as its last line, JSON with\n"
             "medianMilliseconds and, if it likes, minMilliseconds; its threads are its own business")
    options = parser.parse_args()
    for name in ("batch", "threads", "rounds", "calls"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: expected at least 1, found {getattr(options, name)}")
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    return options


def timed_block(call, count, warm_up):
    """Milliseconds of each of `count` calls after `warm_up` untimed ones."""
    for _ in range(warm_up):
        call()
    milliseconds = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        milliseconds.append((time.perf_counter() - start) * 1e3)
    return milliseconds


def command_block(command):
    """The median and the minimum that a command's last line of output reports."""
    try:
        result = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True)
    except (OSError, ValueError) as error:
        sys.exit(f"{command}: {error}")
    if result.returncode != 0:
        sys.exit(f"{command}: exit status {result.returncode}")
    lines = result.stdout.strip().splitlines()
    try:
        report = json.loads(lines[-1])
        median = float(report["medianMilliseconds"])
        return [median, float(report.get("minMilliseconds", median))]
    except (IndexError, KeyError, TypeError, ValueError):
        sys.exit(f"{command}: expected JSON with medianMilliseconds as its last line, "
                 f"found {lines[-1][:200] if lines else 'nothing'}")


def measure(peers, options):
    """Every contestant takes a turn in every round, so that a slow minute of the machine hurts all of them.

    `peers` maps names to calls. Returns {name: {"medianMilliseconds": the median over rounds of each round's median,
    "minMilliseconds": the fastest call, "roundMedians": ...}}.
    """
    rounds = {name: [] for name in [*peers, *(["command"] if options.alternate else [])]}
    for number in range(options.rounds):
        for name, call in peers.items():
            block = timed_block(call, options.calls, warm_up=max(2, options.calls // 4))
            rounds[name].append((statistics.median(block), min(block)))
        if options.alternate:
            rounds["command"].append(tuple(command_block(options.alternate)))
        medians = ", ".join(f"{name} {turns[-1][0]:.4g}" for name, turns in rounds.items())
        print(f"round {number + 1} of {options.rounds}: {medians} ms", file=sys.stderr)
    return {
        name: {
            "medianMilliseconds": statistics.median(median for median, _ in turns),
            "minMilliseconds": min(minimum for _, minimum in turns),
            "roundMedians": [median for median, _ in turns],
        }
        for name, turns in rounds.items()
    }


def report(title, results, options):
    """Prints a Markdown table and, as the last line, JSON. Ratios are to the fastest peer."""
    fastest = min((name for name in results if name != "command"), key=lambda name: results[name]["medianMilliseconds"])
    best = results[fastest]
    print(f"{title}: network {options.network}, batch {options.batch}, {options.threads} thread(s), "
          f"{options.rounds} rounds of {options.calls} calls, {processor()}\n")
    print("| contestant | median, ms | minimum, ms | ratio of medians | ratio of minima |")
    print("|---|---:|---:|---:|---:|")
    for name, result in results.items():
        result["ratioOfMedians"] = result["medianMilliseconds"] / best["medianMilliseconds"]
        result["ratioOfMinima"] = result["minMilliseconds"] / best["minMilliseconds"]
        label = f"`{options.alternate}`" if name == "command" else name
        print(f"| {label} | {result['medianMilliseconds']:.3f} | {result['minMilliseconds']:.3f} "
              f"| {result['ratioOfMedians']:.2f} | {result['ratioOfMinima']:.2f} |")
    summary = {
        "benchmark": title, "network": options.network, "batch": options.batch, "threads": options.threads,
        "rounds": options.rounds, "calls": options.calls, "processor": processor(), "torch": torch.__version__,
        "fastestPeer": fastest, "medianMilliseconds": best["medianMilliseconds"],
        "minMilliseconds": best["minMilliseconds"], "contestants": results,
    }
    if options.alternate:
        summary["command"] = options.alternate
        summary["ratio"] = results["command"]["ratioOfMedians"]
    print()
    print(json.dumps(summary))


def processor():
    """The processor's name and the vector instructions that PyTorch chose."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"
