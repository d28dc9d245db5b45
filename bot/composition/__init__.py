"""The composition root beside `bot/app.py`: what binds real adapters to handlers, a file a way of running."""
