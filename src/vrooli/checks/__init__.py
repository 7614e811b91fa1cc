"""Checks whether a release can be deployed to a cluster.

One contract (`interface.py`), one file per check, one list of them (`catalog.py`), one way to run
them (`runner.py`). A deploy runs those that can stop it (`preflight.py`), `vrooli check` runs all.
No check changes anything, except those that say so, and these only in a namespace of their own
(`probe_pods.py`). Judgements are pure functions over what was read; remedies are texts.
"""
