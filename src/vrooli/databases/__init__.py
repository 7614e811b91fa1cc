"""The running databases of a release: sessions in their pods, and acts on them.

Belongs here: which pod is the primary or the master, SQL and Redis commands in it, switchovers.
Does not belong here: backups and restores, prompts, and the locks of commands.
"""
