#!/usr/bin/env bash
# Put an artifact's version into a cluster; see `deploy.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" deploy "$@"
