"""Checks of a cluster before a deploy. Each verifies one requirement of a release.

One contract (interface.py), one file per check, one list of them (catalog.py), one way to run them
(running.py). A deploy looks at those that can stop it (preflight.py), ``vrooli check`` at all. No
check changes anything but those that say so, and these only in a namespace of their own (probe.py).
"""
