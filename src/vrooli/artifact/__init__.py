"""The build artifact: a folder with everything a deploy uses, and the record that proves it whole.

Files only: no Helm engine, no cluster, no images' builder. The build workflow brings what goes in.
"""
