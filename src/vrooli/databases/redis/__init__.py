"""The Redis of a release: its pods and Sentinels, commands in them, and its switchover."""
