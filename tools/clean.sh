#!/bin/sh
# Nothing is left that the targets of the Makefile made, but for Debian's packages.
set -eu
cd "$(dirname "$0")/.."

# Amphorae first: without the state folder nothing would know of them.
for state in .state/*/; do
    if [ -d "$state" ] && [ -x .venv/bin/octavia ]; then .venv/bin/octavia destroy --all --state-path "$state"; fi
done
rm -rf .state .cache .venv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis benchmarks/results ./*.egg-info
find . -name __pycache__ -type d -prune -exec rm -rf {} +
