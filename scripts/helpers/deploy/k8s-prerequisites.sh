#!/usr/bin/env bash
# Check the operators and Vault, and install what is missing; see `k8s-prerequisites.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../vrooli" check --operators --fix "$@"
