"""Development on a cluster: bring-up, edited files in pods, and services on this host."""
