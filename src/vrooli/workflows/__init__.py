"""Workflows: what a command does, as idempotent steps. Nothing is printed here."""
