"""Container images: which there are, when they are built again, and by which builder.

Nothing here knows of clusters: what comes out is one archive that any of them can load.
"""

from vrooli.images.archive import archive
from vrooli.images.build import BuiltImage, ensure
from vrooli.images.bundle import bundle
from vrooli.images.catalog import (
    ADDONS,
    DATA,
    MONITORING,
    OF_PROGRAMS,
    OPERATORS,
    SERVICES,
    WITHOUT_PROGRAMS,
    programs_of,
)
from vrooli.images.push import demand_registries, is_pushable, push

__all__ = [
    "ADDONS",
    "DATA",
    "MONITORING",
    "OF_PROGRAMS",
    "OPERATORS",
    "SERVICES",
    "WITHOUT_PROGRAMS",
    "BuiltImage",
    "archive",
    "bundle",
    "demand_registries",
    "ensure",
    "is_pushable",
    "programs_of",
    "push",
]
