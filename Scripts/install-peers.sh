#!/usr/bin/env bash
# Makes a virtual environment with the Python packages that tests compare with, .venv-peers unless told, and prints its
# interpreter. Quick where it is up to date. Without the packages' index: one line on standard error, and exit code 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:-.venv-peers}
list=Scripts/peer-requirements.txt
python=$folder/bin/python

fail() {
    echo "note: $1; tests that compare with ONNX Runtime and Pillow are skipped" >&2
    exit 1
}

if ! cmp --silent "$list" "$folder/installed.txt"; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    python3 -m venv --clear "$folder" >"$log" 2>&1 || fail "no virtual environment (on Debian, install python3-venv)"
    "$python" -m pip install --quiet --disable-pip-version-check --retries 2 --timeout 20 -r "$list" >"$log" 2>&1 ||
        fail "pip could not install $list: $(tail -n 1 "$log")"
    cp "$list" "$folder/installed.txt"
fi
echo "$(cd "$folder" && pwd)/bin/python"
