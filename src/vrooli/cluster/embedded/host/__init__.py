"""The Linux host: inspection, cgroups, systemd units, and processes that are not the cluster's."""
