#!/usr/bin/env bash
# Whether a cluster has all that a release needs; see `k8s-dependencies-check.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../vrooli" check "$@"
