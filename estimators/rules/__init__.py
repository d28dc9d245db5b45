"""One file per concern: what a change may break, with evidence and the value that would be safe."""
