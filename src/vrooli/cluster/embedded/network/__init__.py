"""The network of a cluster: its namespace, the link to the host, forwarded ports, policies."""
