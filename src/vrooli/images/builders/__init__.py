"""The builder programs: one protocol (interface.py) and one module for each program."""
