"""Remedies: the commands and sentences that fix a cause. No I/O."""
