#!/usr/bin/env bash
# Make an artifact, the one thing that a deploy uses; see `build.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" build "$@"
