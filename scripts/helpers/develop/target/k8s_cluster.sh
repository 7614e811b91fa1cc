#!/usr/bin/env bash
# Run develop for the target k8s-cluster.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../../vrooli" develop --target k8s-cluster "$@"
