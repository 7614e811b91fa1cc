"""The results of commands: documented pydantic models, the same for text and JSON output.

One module for each group of commands. No I/O and no output here. The names and meanings of fields
are stable (docs/interface.md).
"""
