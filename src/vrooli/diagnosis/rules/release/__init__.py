"""Rules about the release: Helm's state, changes that operators reject, the rotator. No I/O."""
