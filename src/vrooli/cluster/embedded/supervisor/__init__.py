"""The daemon of a cluster: runs the components, restarts them, and reports their status.

These modules run in the daemon. Its clients read only its report and its logs.
"""
