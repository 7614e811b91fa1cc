"""One file for each symptom that is recognised. A rule reads evidence, and does no I/O."""
