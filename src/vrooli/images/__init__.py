"""Container images: which there are, when they are built again, and by which builder.

Nothing here knows of clusters: what comes out is one archive that any of them can load.
"""

from vrooli.images.archive import archive
from vrooli.images.build import BuiltImage, ensure
from vrooli.images.bundle import bundle
from vrooli.images.catalog import (
    ADDONS,
    DATA,
    OF_PROGRAMS,
    OPERATORS,
    SERVICES,
    WITHOUT_PROGRAMS,
    programs_of,
)

__all__ = [
    "ADDONS",
    "DATA",
    "OF_PROGRAMS",
    "OPERATORS",
    "SERVICES",
    "WITHOUT_PROGRAMS",
    "BuiltImage",
    "archive",
    "bundle",
    "ensure",
    "programs_of",
]
