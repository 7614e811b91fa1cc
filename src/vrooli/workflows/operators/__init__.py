"""Upgrades of the operators of a cluster, with the proof that each works."""
