#!/usr/bin/env bash
# The cluster, the operators and Vault, without the release.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../../vrooli" setup --target k8s-cluster "$@"
