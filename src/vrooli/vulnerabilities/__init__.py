"""Known vulnerabilities of the packages that this repository pins, from the database of OSV.

Only public names and versions of packages are sent.
"""
