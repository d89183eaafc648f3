#!/bin/sh
# Writes the lock files anew: `make lock`. Hashes for every file, no index lines.
set -eu
cd "$(dirname "$0")/.."
compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-annotate --custom-compile-command "make lock" "$@"
}
compile pyproject.toml --extra remotes --group dev --output-file requirements/dev.txt
compile pyproject.toml --extra remotes --output-file requirements/image.txt --constraint requirements/dev.txt
grep -A 40 '^uv==' requirements/image.txt | awk 'NR==1 || /^ /{print; next} {exit}' >requirements/uv.txt
