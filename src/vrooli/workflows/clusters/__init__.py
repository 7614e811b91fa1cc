"""The clusters of commands: selection, access and embedded clusters.

Starting a cluster belongs to ``vrooli.cluster``, Kubernetes requests to ``vrooli.kube``.
"""
