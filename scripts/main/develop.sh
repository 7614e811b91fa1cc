#!/usr/bin/env bash
# From a bare machine to a healthy release; see `develop.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" develop "$@"
