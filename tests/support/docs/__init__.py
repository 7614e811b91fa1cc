"""The specification and the documentation: their commands and example output."""
