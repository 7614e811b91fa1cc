"""Redaction of secrets in text that is saved or printed.

It masks known values in every common encoding, and text that its name or its shape identifies as a
secret. Names, hosts, ports, tags and reasons stay readable. No I/O here.
"""

from vrooli.redaction.names import MASK
from vrooli.redaction.redactor import Lines, Redactor
from vrooli.redaction.values import secret_values

__all__ = ["MASK", "Lines", "Redactor", "secret_values"]
