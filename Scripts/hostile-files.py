"""Feeds broken and hostile files to the command, and says what refusing them took: the worst of each kind.

    python3 Scripts/hostile-files.py [.build/release/gossamer] [FOLDER...]

Files are those of Fuzz/corpus, whole and cut short, bombs that this script makes, and those in further FOLDERs that are
laid out like Fuzz/corpus (as what fuzzing found is). Every command must end by itself, with one line where it fails;
what files that are whole take does not count. Needs GNU time.
"""

import gzip
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, data=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg(width, height):
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return b"\xff\xd8" + frame + b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00" + b"\x00" * 1000


def safetensors(tensors, metadata=None, length=None):
    header = {"__metadata__": metadata} if metadata else {}
    header |= {name: {"dtype": "F32", "shape": shape, "data_offsets": list(at)} for name, shape, at in tensors}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + b"\x00" * 64


def field(number, payload):
    """A protocol buffer's field: an integer, or bytes."""
    def varint(value):
        low, high = value & 127, value >> 7
        return bytes([low | 128]) + varint(high) if high else bytes([low])

    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def onnx(dims, data=b"", nodes=1, cyclic=False, batch=1):
    weight = b"".join(field(1, size) for size in dims) + field(2, 1) + field(8, b"w") + field(9, data)
    shape = b"".join(field(1, field(1, size)) for size in (batch, 3, 8, 8))
    value = field(1, b"x") + field(2, field(1, field(1, 1) + field(2, shape)))
    body = b""
    for index in range(nodes):
        source = f"v{(index - 1) % nodes}" if cyclic else "x" if index == 0 else f"v{index - 1}"
        inputs = field(1, source.encode()) + (field(1, b"w") if nodes == 1 else b"")
        kind = b"Conv" if nodes == 1 else b"Relu"
        body += field(1, inputs + field(2, f"v{index}".encode()) + field(4, kind))
    output = field(12, field(1, f"v{nodes - 1}".encode()))
    graph = body + field(5, weight) + field(11, value) + output
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def grouped(channels):
    """A model's metadata whose one layer has all of channels * channels connections by a pattern of a few letters."""
    layers = [
        {"name": "image", "layer": "input", "channels": channels, "height": 1, "width": 1},
        {"name": "c", "layer": "convolution", "filters": channels, "kernel": 1, "pattern": "grouped:1"},
    ]
    labels = {"preprocessing": {"resizing": "cover"}, "classNames": [], "origin": {}}
    network = json.dumps({"name": "n", "nodes": layers})
    return {"gossamer.format": "1", "gossamer.network": network, "gossamer.labels": json.dumps(labels)}


def tar(name, size, data=b""):
    header = bytearray(512)
    header[0:len(name)] = name
    header[100:108], header[124:136], header[156:157] = b"0000644\0", size, b"0"
    header[257:265], header[148:156] = b"ustar\x0000", b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data + b"\0" * 1024


BOMBS = {
    "png": [png(60000, 60000, zlib.compress(b"\0" * (1 << 20))), png(1 << 31, 1), png(0, 5), png(8, 8, b"\x78\x9c")],
    "jpeg": [jpeg(65500, 65500), jpeg(65535, 1), jpeg(0, 0)],
    "safetensors": [
        safetensors([("a", [1 << 40, 1 << 40], (0, 64))]), safetensors([], length=1 << 62),
        safetensors([("conv1.weight", [64, 3, 7, 7], (0, 64))]), safetensors([("fc.weight", [1 << 18, 0], (0, 0))]),
        safetensors([(f"t{i}", [0], (0, 0)) for i in range(60000)]), b"\x10" + b"\0" * 7 + b"[" * 16,
    ],
    "onnx": [
        onnx([1 << 40, 3, 3, 3]), onnx([1 << 20, 3, 1, 1], b"\0" * 12), onnx([1, 1, 1, 1], nodes=20000),
        onnx([16, 3, 3, 3], b"\0" * (16 * 27 * 4), batch=1 << 62), field(7, field(1, b"") * 300000),
        onnx([1, 1, 1, 1], nodes=3, cyclic=True), onnx([16, 3, 3, 3], b"\xff" * (16 * 27 * 4)), b"\x3a\xff\xff\xff\x7f",
    ],
    "idx": [struct.pack(">IIII", 0x803, 1 << 31, 1 << 15, 1 << 15), b"\x1f\x8b\x08" + b"\0" * 20,
            zlib.compress(b"\0" * (1 << 26), 9, 31)],
    "tar": [tar(b"train/../../etc/a.png", b"00000000000\0"), tar(b"train/a/b.png", b"\x80" + b"\xff" * 11),
            tar(b"train/a/b.png", b"77777777777\0"), gzip.compress(tar(b"train/a/b.png", b"30000000000\0"))],
    "cifar10": [b"\xff" * 3073, b"\x00" * 3074, b""],
}
BOMBS["model"] = BOMBS["safetensors"] + [
    safetensors([("a", [16], (0, 64))], {"gossamer.format": "1", "gossamer.network": "[" * 100000, "gossamer.labels": "{}"}),
    safetensors([("a", [16], (0, 64))], grouped(1 << 20)), safetensors([("a", [16], (0, 64))], grouped(1 << 14)),
]


def arguments(kind, path, folder):
    """The command that reads a file of a kind, in a folder of its own."""
    output = ["--output", str(folder / "output.safetensors")]
    train = ["train", "--dry-run", "--output", str(folder / "run")]
    match kind:
        case "onnx": return ["import", path, *output]
        case "safetensors": return ["import", path, "--network", "resnet18", *output]
        case "model": return ["export", "--model", path, "--output", str(folder / "output.onnx")]
        case "jpeg" | "png": return ["predict", str(folder.parent / "model.safetensors"), path]
        case "tar": return [*train, "--data", f"tar:{path}"]
        case "idx":
            for name in ("train-images", "t10k-images"):
                os.symlink(path, folder / f"{name}-idx3-ubyte")
            for name in ("train-labels", "t10k-labels"):
                os.symlink(path, folder / f"{name}-idx1-ubyte")
            return [*train, "--data", f"mnist:{folder}"]
        case "cifar10":
            for name in [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]:
                os.symlink(path, folder / name)
            return [*train, "--network", "cifar10", "--data", f"cifar10:{folder}"]


def run(command, errors, measure):
    """Exit code, processor seconds, MiB. A process of its own starts the command: memory of this one would count."""
    code = subprocess.run(
        ["/usr/bin/time", "--quiet", "--format=%U %S %M", f"--output={measure}", *command], stdout=subprocess.DEVNULL,
        stderr=errors, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"}).returncode
    user, system, kibibytes = measure.read_text().split()[-3:]
    return code, float(user) + float(system), int(kibibytes) / 1024


def main():
    gossamer = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".build/release/gossamer").resolve())
    corpora = [pathlib.Path(__file__).parent.parent / "Fuzz/corpus"] + [pathlib.Path(name) for name in sys.argv[2:]]
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        export = ["export", "--network", "mobilenet-v2", "--depth-multiplier", "0.1", "--image-size", "32"]
        subprocess.run([gossamer, *export, "--output", root / "m.onnx"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            [gossamer, "import", root / "m.onnx", "--output", root / "model.safetensors"], check=True,
            stdout=subprocess.DEVNULL)
        for kind, bombs in sorted(BOMBS.items()):
            contents = [("bomb %d" % number, bomb) for number, bomb in enumerate(bombs)]
            for corpus in corpora:
                for file in sorted((corpus / kind).glob("*")):
                    data = file.read_bytes()
                    contents += [(str(file), data), (f"half of {file}", data[:len(data) // 2])]
            worst_time, worst_memory, refused = (0.0, ""), (0.0, ""), 0
            for number, (name, data) in enumerate(contents):
                folder = root / f"{kind}{number}"
                folder.mkdir()
                path = folder / f"file.{kind}"
                path.write_bytes(data)
                with open(folder / "errors", "w+b") as errors:
                    command = [gossamer, *arguments(kind, str(path), folder)]
                    code, seconds, memory = run(command, errors, folder / "measure")
                    errors.seek(0)
                    lines = [line for line in errors.read().decode(errors="replace").splitlines() if "rror:" in line]
                if code not in (0, 1, 64) or (code != 0 and len(lines) != 1):
                    failures += 1
                    print(f"{kind}, {name}: ends with {code}: {lines}")
                if code != 0:
                    refused += 1
                    worst_time, worst_memory = max(worst_time, (seconds, name)), max(worst_memory, (memory, name))
            print(
                f"{kind}: {refused} of {len(contents)} files refused, at most {worst_time[0]:.2f} s of a processor "
                f"({worst_time[1]}) and {worst_memory[0]:.0f} MiB ({worst_memory[1]})", flush=True)
    sys.exit(1 if failures else 0)


main()
