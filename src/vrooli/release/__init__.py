"""One release of the chart in a cluster: put there, followed until it is ready, tested, removed.

Together with ``vrooli.chart`` the only user of the Helm engine.
"""

from vrooli.release.model import Release

__all__ = ["Release"]
