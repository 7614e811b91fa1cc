"""The containerd of a cluster: its client, and how image archives are loaded into it."""
