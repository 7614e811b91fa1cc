"""Puts a password that changed in Vault into use: in the databases first, then in the pods.

Two Secrets belong to each database: the source, which the Vault Secrets Operator fills, and the
published one, which pods and operators read and only this program writes. The steps of a rotation
are derived from what is there at each pass, so a pass may end, fail or be repeated anywhere.

Belongs here: rotations, and the few requests to Kubernetes, PostgreSQL and Redis that they make.
Does not belong here: anything of the application's data.
"""
