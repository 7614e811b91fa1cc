"""Rules about PostgreSQL and PGO. No I/O."""
