#!/usr/bin/env bash
# Run all test suites, or those of `--suite`; see `test.sh --help`.
VROOLI_SUITE=${VROOLI_SUITE:-all} exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" test "$@"
