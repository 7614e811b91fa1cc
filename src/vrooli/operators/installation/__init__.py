"""Installs any operator: sources, charts, definitions, local images, and the installed record.

It takes an `Operator` as data. What only one operator needs belongs to that operator's package.
"""
