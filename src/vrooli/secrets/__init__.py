"""The five secrets of Vrooli: their keys, generated values and the `file` source.

The `vault` source is ``vrooli.vault``; both fill what catalog.py lists. Values of secrets never
go into messages, logs, events or argv here.
"""
