"""Planted secrets, which no output may contain."""
