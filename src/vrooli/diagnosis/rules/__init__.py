"""Rules, one file for each symptom. A rule reads evidence and does no I/O."""
