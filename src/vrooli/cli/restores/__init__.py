"""`vrooli restore`: what is restored, and how the result is shown."""
