#!/usr/bin/env bash
# Writes Sources/ONNX/onnx.pb.swift from the ONNX project's onnx.proto (Apache-2.0), which the Python package `onnx`
# ships: Scripts/generate-onnx.sh path/to/site-packages/onnx/onnx.proto
# Needs protoc, Debian's protobuf-compiler. The committed file comes from onnx 1.23.2 and swift-protobuf 1.39.0.
set -euo pipefail
proto=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift build -c release --product protoc-gen-swift
protoc --plugin=.build/release/protoc-gen-swift --proto_path="$(dirname "$proto")" --swift_out=Sources/ONNX \
    --swift_opt=Visibility=Package "$proto"
