"""The check of the data that exist: what the operators can change, and what they cannot."""
