#!/usr/bin/env bash
# Set up a cluster and deploy a release from source; see `develop.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" develop "$@"
