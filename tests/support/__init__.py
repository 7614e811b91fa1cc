"""Shared code of tests, benchmarks and documentation examples, grouped by what it provides.

A module belongs here if test modules of several packages use it. It contains no tests; helpers of
one test module stay in that module. Fakes fail on calls that they do not define, and never sleep.
"""
