"""The Helm chart: its values, its manifests, its package, its golden files. Needs no cluster.

Together with ``vrooli.release`` the only user of the Helm engine.
"""
