"""A release of the chart in a cluster: deploy, rollout, tests, rollback and uninstall.

Only this package and ``vrooli.chart`` use the Helm engine. Prompts, output and the choice of a
cluster belong to ``vrooli.workflows``, preflight checks to ``vrooli.checks``.
"""

from vrooli.release.model import Release

__all__ = ["Release"]
