"""Rules about pods and their controllers. No I/O."""
