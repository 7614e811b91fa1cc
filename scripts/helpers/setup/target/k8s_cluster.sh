#!/usr/bin/env bash
# Set up the cluster, the operators and Vault, without the release.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../../vrooli" setup --target k8s-cluster "$@"
