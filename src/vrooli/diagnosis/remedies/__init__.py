"""Remedies: the commands and texts that fix a cause. No I/O."""
