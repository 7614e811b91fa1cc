"""The Helm chart: values, rendering, packaging, golden files. The only user of the Helm engine beside release/."""
