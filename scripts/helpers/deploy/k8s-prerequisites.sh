#!/usr/bin/env bash
# The operators and Vault: look at them, and install what is missing; `k8s-prerequisites.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../vrooli" check --operators --fix "$@"
