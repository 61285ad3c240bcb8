#!/bin/sh
# Usage: fuzz.sh [SECONDS [TARGET...]]
# Runs fuzz targets (all unless named) for SECONDS each (60 unless told), starting from their committed seeds.
# Inputs are at most as long as the longest seed, or 4096 bytes where that is shorter.
# What a run finds goes to .build-fuzz/corpus; a failing input to .build-fuzz/TARGET-*.
set -eu
seconds=${1:-60}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/.."
build=$PWD/.build-fuzz

fuzz() {
    target=$1
    seeds=$(printf '%s' "${target#Fuzz}" | tr '[:upper:]' '[:lower:]')
    # Of two --sanitize options SwiftPM's compiler calls heed only one, and not always the same.
    swift build --package-path Fuzz --scratch-path "$build" --product "$target" \
        --sanitize=fuzzer --sanitize=address -Xswiftc -sanitize=address,fuzzer
    mkdir -p "$build/corpus/$target"
    SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=1 "$build/debug/$target" \
        -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
        -artifact_prefix="$build/$target-" "$build/corpus/$target" "Fuzz/corpus/$seeds"
}

[ $# -gt 0 ] || set -- FuzzIDX FuzzSafetensors FuzzModel FuzzONNX FuzzStateDictionary FuzzJPEG FuzzPNG FuzzTar \
    FuzzCIFAR10
for target in "$@"; do fuzz "$target"; done
