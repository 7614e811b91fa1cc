"""The rollout of a release: readiness, failures, progress, and waiting for them.

The rules (readiness, failures, refusals, progress) are pure functions of a snapshot; only the
tracker, the watcher's queries and the operators' logs read the cluster. Nothing here calls Helm.
"""
