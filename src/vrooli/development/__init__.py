"""The edit loop: edited files in running pods, and services that run on this host.

Nothing here builds images or changes a release; the workflows do.
"""
