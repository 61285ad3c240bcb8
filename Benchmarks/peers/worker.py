#!/usr/bin/env python3
"""One contestant in a process of its own, driven through pipes by lines of JSON; see contestants.py."""

import json
import os
import statistics
import sys
import time


def memory():
    """Bytes now and at most so far, of this process."""
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return {key: int(fields[name].split()[0]) * 1024 for key, name in (("now", "VmRSS"), ("peak", "VmHWM"))}


def block(call, seconds, least):
    """Milliseconds of calls for at least so long and so many, after one untimed."""
    call()
    milliseconds = []
    end = time.perf_counter() + seconds
    while len(milliseconds) < least or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        milliseconds.append((time.perf_counter() - start) * 1e3)
    return {"median": statistics.median(milliseconds), "minimum": min(milliseconds), "calls": len(milliseconds)}


def main():
    # Engines print on standard output; the pipe is for answers alone.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    settings = json.loads(sys.argv[1])
    if settings["kind"] == "inference":
        import engines

        before = memory()["peak"]
        call = engines.load(settings["engine"], settings["model"], settings["shape"], settings["threads"])
    else:
        import training_step

        before = memory()["peak"]
        call = training_step.load(settings["engine"], settings["model"], settings["shape"], settings["threads"])
    answers.write(json.dumps({"ready": True}) + "\n")
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "output":
            answer = {"output": [float(value) for value in call().reshape(-1)]}
        else:
            answer = block(call, request["seconds"], request["least"])
        answers.write(json.dumps({**answer, "memory": {**memory(), "before": before}}) + "\n")


if __name__ == "__main__":
    main()
