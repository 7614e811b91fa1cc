"""Checks of DNS, connectivity and Ingress."""
