#!/usr/bin/env bash
# Installs what is missing of Scripts/system-packages.txt: as root or with sudo, else it prints the command.
# Quick and silent where nothing is missing.
set -euo pipefail

list=$(dirname "${BASH_SOURCE[0]}")/system-packages.txt
mapfile -t packages < <(sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$list")

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "note: no apt here; have ready what these Debian packages hold: ${packages[*]}" >&2
    exit 0
fi

# Names of installed packages, and those that they provide under another name.
installed=$(dpkg-query --show --showformat='${db:Status-Status}|${Package}, ${Provides}\n' |
    sed -n 's/^installed|//p' | tr ',' '\n' | sed 's/(.*)//; s/[[:space:]]//g')
missing=()
for package in "${packages[@]}"; do
    grep --quiet --line-regexp --fixed-strings "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install=(apt-get install --yes --no-install-recommends "${missing[@]}")
if [ "$(id -u)" = 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null && { sudo --non-interactive true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo env)
else
    echo "error: missing system packages; as root, run: apt-get update && ${install[*]}" >&2
    exit 1
fi

echo "Installing missing system packages: ${missing[*]}"
as_root+=(DEBIAN_FRONTEND=noninteractive)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
lock=(-o DPkg::Lock::Timeout=300)
if ! { "${as_root[@]}" apt-get update "${lock[@]}" && "${as_root[@]}" "${install[@]}" "${lock[@]}"; } \
    >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "error: could not install the missing system packages; as root, run: apt-get update && ${install[*]}" >&2
    exit 1
fi
