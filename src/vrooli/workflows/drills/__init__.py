"""Drills of a release: faults one after the other, a restored copy, and the reports."""
