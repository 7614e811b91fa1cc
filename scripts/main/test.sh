#!/usr/bin/env bash
# Every test of the project, or those that `--suite` names; see `test.sh --help`.
VROOLI_SUITE=${VROOLI_SUITE:-all} exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" test "$@"
