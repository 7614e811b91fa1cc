"""Kubernetes on a Linux host without Docker or a virtual machine.

The top level contains the public class (cluster.py) and what all parts share: the file layout, the
settings, the locks and a small API client. Nothing here may depend on Vrooli: no environment, no
chart, no Vault.
"""
