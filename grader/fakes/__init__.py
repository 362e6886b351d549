"""The outside world, local and scriptable."""
