"""The checks before a deploy: their outcomes, and the safe fixes of findings."""
