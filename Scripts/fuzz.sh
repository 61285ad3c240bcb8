#!/bin/sh
# Runs every fuzz target for SECONDS (60 unless told), starting from its committed seeds.
# What a run finds goes to .build-fuzz/corpus; a failing input to .build-fuzz/TARGET-*.
set -eu
seconds=${1:-60}
cd "$(dirname "$0")/.."
build=$PWD/.build-fuzz

fuzz() {
    target=$1
    seeds=$2
    # Of two --sanitize options SwiftPM's compiler calls heed only one, and not always the same.
    swift build --package-path Fuzz --scratch-path "$build" --product "$target" \
        --sanitize=fuzzer --sanitize=address -Xswiftc -sanitize=address,fuzzer
    mkdir -p "$build/corpus/$target"
    SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=1 "$build/debug/$target" \
        -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -max_len=4096 \
        -artifact_prefix="$build/$target-" "$build/corpus/$target" "Fuzz/corpus/$seeds"
}

fuzz FuzzIDX idx
fuzz FuzzSafetensors safetensors
fuzz FuzzModel model
fuzz FuzzONNX onnx
fuzz FuzzJPEG jpeg
fuzz FuzzPNG png
fuzz FuzzTar tar
fuzz FuzzCIFAR10 cifar10
