"""What a command does: idempotent steps over the rooms below. No printing here."""
