#!/usr/bin/env bash
# Check whether a cluster meets the requirements of a release; see `k8s-dependencies-check.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../vrooli" check "$@"
