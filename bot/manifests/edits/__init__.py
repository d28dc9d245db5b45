"""Approved values, written where they came from."""
