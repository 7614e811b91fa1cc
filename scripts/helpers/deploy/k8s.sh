#!/usr/bin/env bash
# The deploy command for the chart's artifact.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../vrooli" deploy --source k8s "$@"
