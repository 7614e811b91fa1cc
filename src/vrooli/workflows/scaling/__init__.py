"""Numbers of pods and sizes of volumes that the next deploys keep."""
