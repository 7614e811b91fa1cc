"""The command line. A file for each command parses arguments, calls a workflow and prints."""
