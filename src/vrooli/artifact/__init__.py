"""The build artifact: its record, its files and their verification.

Files only: no Helm engine, no cluster, no image builder. The build workflow provides the content.
"""
