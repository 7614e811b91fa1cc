"""Checks of storage classes and volumes."""
