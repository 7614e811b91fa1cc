#!/usr/bin/env bash
# Compare what the chart renders with the golden files beside this script; --update writes them.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
VROOLI_SUITE=chart exec bash "$root/scripts/vrooli" test "$@"
