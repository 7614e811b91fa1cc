"""Workflows: one module for each command, as idempotent steps over the domain packages.

Prompts go through ``safeguards.consent``, results are the models of ``results``. Nothing is printed
here, and no module knows options of the command line; what is known of Kubernetes, Helm or Vault
belongs to the packages below.
"""
