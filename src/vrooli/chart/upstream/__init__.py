"""Upstream's values files: what each of their keys becomes in this chart.

Upstream is the chart of Vrooli/Vrooli at commit ed9369dbc; its keys are facts, none of its text is
here.
"""
