#!/usr/bin/env bash
# Build an artifact for deploy.sh; see `build.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" build "$@"
