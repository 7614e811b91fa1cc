"""The five secrets of Vrooli: their keys, generated values and the `file` source.

The `vault` source is ``vrooli.vault``; both provide the secrets in catalog.py. Values of secrets
are never written to messages, logs, events or argv.
"""
