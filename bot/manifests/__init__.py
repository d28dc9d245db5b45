"""From two revisions to two sets of rendered objects with file and line."""
