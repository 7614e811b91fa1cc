#!/usr/bin/env bash
# Deploy an artifact to a cluster; see `deploy.sh --help`.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../vrooli" deploy "$@"
