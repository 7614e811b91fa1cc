"""Rotation of the secrets of a release: from a new value in Vault to its last reader.

Belongs here: new values in Vault, how they reach the pods, and the proofs of that.
Does not belong here: what happens within the cluster without a command, which the rotator and the
Vault Secrets Operator do, and prompts.
"""
