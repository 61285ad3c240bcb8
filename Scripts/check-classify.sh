#!/usr/bin/env bash
# Builds Examples/Classify, classifies an image with a small model, and checks that the program holds no code of
# training and data sets. Needs the built command, .build/release/gossamer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
package=Examples/Classify
swift build -c release --package-path "$package"
program=$(swift build -c release --package-path "$package" --show-bin-path)/Classify

symbols=$(nm "$program")
grep --quiet GossamerInference <<<"$symbols" || { echo "error: $program shows no symbols to check" >&2; exit 1; }
for module in GossamerTraining GossamerDatasets GossamerExperiments; do
    if grep --quiet "$module" <<<"$symbols"; then
        echo "error: $program holds code of $module" >&2
        exit 1
    fi
done

# A model that has seen one short epoch.
.build/release/gossamer train --depth-multiplier 0.25 --pattern random:0.25 --epochs 1 --output "$folder/run"
"$program" "$folder/run/model.safetensors" Tests/Fixtures/images/colour.png
