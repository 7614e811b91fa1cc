"""Changes of a whole release: deploy, rollback, uninstall, and the history of them."""
