"""The clusters that commands use: which one is chosen, how it is reached, and the embedded ones.

Starting a cluster belongs to ``vrooli.cluster``, Kubernetes requests to ``vrooli.kube``.
"""
