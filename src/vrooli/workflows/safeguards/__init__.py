"""What must be true or confirmed before a release changes, and how an interrupted change ends.

Everything here reads the cluster and refuses or asks. Only the end of an interrupted change may
change it, by a rollback that the user confirms.
"""
