"""Applies a password that changed in Vault: to the databases first, then to the pods.

Each database has two Secrets: the source, which the Vault Secrets Operator syncs, and the published
Secret, which pods and operators read and only this program writes. Each pass derives its steps from
the current state, so a pass may end, fail or be repeated at any step.

Belongs here: rotations, and their requests to Kubernetes, PostgreSQL and Redis.
Does not belong here: access to the application's data.
"""
