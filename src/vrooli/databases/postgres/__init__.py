"""The PostgreSQL of a release: its instances, SQL in their pods, and its switchover."""
