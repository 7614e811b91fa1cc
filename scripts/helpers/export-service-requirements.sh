#!/usr/bin/env bash
# Export the pins of services/ from uv.lock into the requirements files that the images install.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export_group() { # group, file
    uv export --quiet --frozen --only-group "$1" --no-header --no-annotate --output-file "$2"
}
export_group services-backend services/shared/requirements.txt
export_group services-detector services/nsfw-detector/requirements.txt
