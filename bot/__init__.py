"""Tuppence: what a Kubernetes change will cost and what it may break."""

__version__ = "0.1.0"
