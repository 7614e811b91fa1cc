"""Checks of the operators."""
