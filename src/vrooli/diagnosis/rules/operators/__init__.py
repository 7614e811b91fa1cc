"""Rules about the operators. No I/O."""
