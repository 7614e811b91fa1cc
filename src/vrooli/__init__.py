"""Take Vrooli from a bare machine to a healthy release on Kubernetes, and say why when it isn't."""
