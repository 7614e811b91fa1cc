"""A release of the chart in a cluster: deploy, rollout, tests, rollback and uninstall.

Together with ``vrooli.chart`` the only user of the Helm engine.
"""

from vrooli.release.model import Release

__all__ = ["Release"]
