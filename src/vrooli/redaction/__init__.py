"""Redaction of secrets in text that is saved or printed.

Known values go in any usual spelling, and so does whatever looks like a secret by its name or by
its shape. Names, hosts, ports, tags and reasons stay. No I/O here.
"""

from vrooli.redaction.names import MASK
from vrooli.redaction.redactor import Lines, Redactor
from vrooli.redaction.values import secret_values

__all__ = ["MASK", "Lines", "Redactor", "secret_values"]
