"""The Helm chart: values, rendering, packaging and golden files. Needs no cluster.

Together with ``vrooli.release`` the only user of the Helm engine.
"""
