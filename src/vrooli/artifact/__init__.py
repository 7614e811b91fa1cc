"""The build artifact: its record, its files and their verification.

Files only: no Helm engine, no cluster, no images' builder. The build workflow brings what goes in.
"""
