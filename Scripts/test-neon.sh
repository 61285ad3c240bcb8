#!/bin/sh
# Cross-compiles the kernels for 64-bit ARM and checks the NEON rows under an emulator. On Debian it needs
#   apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
# Usage: Scripts/test-neon.sh [cases]
set -eu
cd "$(dirname "$0")/.."
program=$(mktemp)
trap 'rm -f "$program"' EXIT
clang --target=aarch64-linux-gnu -std=gnu11 -O2 -static -Wall -Werror -fuse-ld=bfd -ISources/CKernels/include \
    Scripts/check-kernels.c Sources/CKernels/*.c -lm -o "$program"
qemu-aarch64 "$program" "${1:-1000}"
