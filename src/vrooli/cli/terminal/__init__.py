"""Input and output of the command line: text, JSON lines, tables, prompts, logs and errors.

Options and commands do not belong here, and nothing here calls a workflow.
"""
