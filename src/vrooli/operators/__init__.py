"""The three operators: one protocol (interface.py), one file each."""
