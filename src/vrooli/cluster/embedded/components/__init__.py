"""The processes of a cluster and their configuration: catalog, config files, certificates, add-ons.

Nothing here starts or stops a process.
"""
