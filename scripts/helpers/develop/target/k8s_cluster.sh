#!/usr/bin/env bash
# The develop command for the target k8s-cluster.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../../vrooli" develop --target k8s-cluster "$@"
