"""Known vulnerabilities of pinned packages, from the database of OSV, and updates of images.

Only public names and versions of packages are sent.
"""
