"""Container images: the catalog, the builds, OCI archives, and pushes to registries.

Nothing here depends on a cluster: the result is an archive that any cluster can load.
"""

from vrooli.images.archives.bundle import bundle
from vrooli.images.archives.image_archive import archive
from vrooli.images.builds.base import renew
from vrooli.images.builds.engine import BuiltImage, ensure
from vrooli.images.builds.inputs import is_input
from vrooli.images.catalog import (
    ADDONS,
    DATA,
    DEVELOPMENT,
    MONITORING,
    OPERATORS,
    PRELOADED,
    SERVICES,
    WITH_PROGRAMS,
    WITHOUT_PROGRAMS,
    find_image,
    programs_of,
    with_bases,
)
from vrooli.images.contents import Package, read_with_modules
from vrooli.images.contents import newest as newest_builds
from vrooli.images.contents import read as read_packages
from vrooli.images.push import is_pushable, push, require_registries

__all__ = [
    "ADDONS",
    "DATA",
    "DEVELOPMENT",
    "MONITORING",
    "OPERATORS",
    "PRELOADED",
    "SERVICES",
    "WITHOUT_PROGRAMS",
    "WITH_PROGRAMS",
    "BuiltImage",
    "Package",
    "archive",
    "bundle",
    "ensure",
    "find_image",
    "is_input",
    "is_pushable",
    "newest_builds",
    "programs_of",
    "push",
    "read_packages",
    "read_with_modules",
    "renew",
    "require_registries",
    "with_bases",
]
