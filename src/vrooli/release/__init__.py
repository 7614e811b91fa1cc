"""A Helm release: apply, follow until it is ready, test, uninstall."""
