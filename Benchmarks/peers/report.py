"""Medians over rounds, ratios, one JSON and one Markdown table."""

import importlib.metadata
import json
import pathlib
import platform
import statistics
import sys
import time

PACKAGES = ["onnxruntime", "openvino", "mnn", "ncnn", "torch"]


def summarize(options, shape, everyone, peer_count, differences):
    """`everyone`: peers first, then Gossamer's patterns. Ratios of times above 1 say how much slower one is."""
    rows = [row(one, differences) for one in everyone]
    fastest = min(rows[:peer_count], key=lambda r: r["medianMilliseconds"], default=None)
    dense = next((r for r in rows if r["name"] == "gossamer dense"), None)
    best = min((r for r in (fastest, dense) if r), key=lambda r: r["medianMilliseconds"], default=None)
    for r in rows:
        for key, reference in (("toFastestPeer", fastest), ("toOurDense", dense), ("toFasterDense", best)):
            r[key] = r["medianMilliseconds"] / reference["medianMilliseconds"] if reference else None
    return {
        "benchmark": options.kind, "network": options.network, "shape": shape, "threads": options.threads,
        "peerPattern": options.peer_pattern, "rounds": options.rounds, "secondsPerTurn": options.seconds,
        "processor": processor(),
        "date": time.strftime("%Y-%m-%d"), "command": "peers.py " + " ".join(sys.argv[1:]),
        "versions": versions(), "fastestPeer": fastest["name"] if fastest else None, "contestants": rows,
    }


def row(one, differences):
    """The median over rounds of each round's median; the fastest call of all; memory of the last round."""
    medians = [turn["median"] for turn in one.turns]
    memory = one.turns[-1]["memory"]
    return {
        "name": one.name, "medianMilliseconds": statistics.median(medians),
        "minMilliseconds": min(turn["minimum"] for turn in one.turns), "roundMedians": medians,
        "peakMemoryBytes": memory["peak"], "memoryBeforeLoadingBytes": memory.get("before"),
        "differenceToFirst": differences.get(one.name),
    }


def write(summary, path):
    text = markdown(summary)
    print(text)
    if path:
        pathlib.Path(path + ".json").write_text(json.dumps(summary, indent=1) + "\n")
        pathlib.Path(path + ".md").write_text(text)


def markdown(summary):
    size = "x".join(map(str, summary["shape"]))
    lines = [
        f"{summary['network']}, {summary['benchmark']}, images {size}, {summary['threads']} thread(s), "
        f"{summary['rounds']} rounds in turns, {summary['processor']}, {summary['date']}", "",
        "| contestant | median, ms | minimum, ms | to fastest peer | to our dense | speed-up over the faster dense "
        "| peak memory, MB |",
        "|---|---:|---:|---:|---:|---:|---:|"]
    for r in summary["contestants"]:
        speedup = 1 / r["toFasterDense"] if r["toFasterDense"] else None
        figures = [
            f"{r['medianMilliseconds']:.1f}", f"{r['minMilliseconds']:.1f}", ratio(r["toFastestPeer"]),
            ratio(r["toOurDense"]), ratio(speedup), f"{r['peakMemoryBytes'] / 1e6:.0f}"]
        lines.append(f"| {r['name']} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def ratio(value):
    return f"{value:.2f}" if value is not None else ""


def versions():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
