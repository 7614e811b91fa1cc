"""Rules about DNS, Services, Ingress, TLS and network policies. No I/O."""
