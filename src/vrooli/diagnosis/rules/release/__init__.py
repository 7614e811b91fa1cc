"""Rules about the release itself: Helm's state, its operators' refusals, its rotator. No I/O."""
