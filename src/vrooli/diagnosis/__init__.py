"""Find the root causes of an unhealthy release from evidence that is collected once.

evidence/ reads the cluster and describes what was read, remedies/ builds the commands that fix a
problem, rules/ finds symptoms in the evidence, root_cause orders them by the dependency graph,
bundle/ saves the evidence with the result. engine.py runs all of it. Rules and remedies do no I/O;
nothing in here changes a cluster.
"""
