"""Programs that run in the pods of databases."""
