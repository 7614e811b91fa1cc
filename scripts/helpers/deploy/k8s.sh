#!/usr/bin/env bash
# Deploy an artifact with the Helm chart.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../vrooli" deploy --source k8s "$@"
