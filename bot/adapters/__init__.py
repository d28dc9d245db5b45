"""What we call: one file per outside system."""
