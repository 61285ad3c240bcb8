#!/usr/bin/env bash
# Writes the Swift of protocol buffers: of TensorBoard's events, and of the ONNX project's onnx.proto (Apache-2.0), which
# the Python package `onnx` ships: Scripts/generate-protobuf.sh path/to/site-packages/onnx/onnx.proto
# Needs protoc, Debian's protobuf-compiler. The committed files come from onnx 1.23.2 and swift-protobuf 1.39.0.
set -euo pipefail
proto=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift build -c release --product protoc-gen-swift
generate() {
    local proto=$1 target=$2 visibility=$3
    protoc --plugin=.build/release/protoc-gen-swift --proto_path="$(dirname "$proto")" --swift_out="$target" \
        --swift_opt=Visibility="$visibility" "$proto"
}

generate "$proto" Sources/ONNX Package
generate Sources/Experiments/Tracking/events.proto Sources/Experiments/Tracking Internal
