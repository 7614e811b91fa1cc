"""The rollout of a release: progress, readiness and failures."""
