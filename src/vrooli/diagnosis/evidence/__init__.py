"""Evidence: what is collected of a release and its dependencies. No judgements."""
