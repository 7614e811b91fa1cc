#!/usr/bin/env bash
# Compare what the chart renders with the golden files beside this script, and its values with the
# table of k8s/README.md; --update writes them. `test.sh --suite chart` runs all tests of the chart.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
case "$*" in
    "") ;;
    --update) export VROOLI_UPDATE_GOLDEN=1 ;;
    *)
        echo "usage: test-golden-files.sh [--update]" >&2
        exit 2
        ;;
esac
bash "$root/scripts/vrooli" --version >/dev/null  # creates the Python environment
cd "$root/tests/chart"
exec "$root/.venv/bin/python" -P -m pytest -q --no-header test_golden_files.py \
    "test_values_schema.py::test_the_readme_lists_every_value"
