"""Contestants that take turns: peers in processes of their own, and the command `gossamer bench`."""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


class Peer:
    """A peer behind pipes. It is loaded once and waits, without using the processor, between its turns."""

    def __init__(self, name, settings):
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", json.dumps({"engine": name, **settings})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()
        self.turns = []

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def output(self):
        return self.ask(do="output")["output"]

    def take_turn(self, seconds, least):
        self.turns.append(self.ask(do="time", seconds=seconds, least=least))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Command:
    """`gossamer bench --json`, started anew for each turn."""

    def __init__(self, name, command):
        self.name = name
        self.command = command
        self.turns = []

    def take_turn(self, seconds, least):
        result = subprocess.run(
            [*self.command, "--seconds", str(seconds), "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(self.command)}: exit status {result.returncode}")
        report = json.loads(result.stdout.strip().splitlines()[-1])
        peak = report["peakMemoryBytes"]
        self.turns.append({
            "median": report["medianMilliseconds"], "minimum": report["minMilliseconds"], "calls": report["runs"],
            "memory": {"peak": peak}})

    def close(self):
        pass
