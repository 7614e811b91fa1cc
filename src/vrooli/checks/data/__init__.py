"""The check of existing data: which changes the operators can apply."""
