"""What the bot can do: one file per feature."""
