#!/usr/bin/env bash
# Prepare this machine; see `setup.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" setup "$@"
