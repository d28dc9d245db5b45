"""Analyses, as the worker has them."""

from __future__ import annotations

import resource
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.composition.analysing import MOST_MEMORY, Analysing
from bot.server_config import ServerConfig
from bot.settings import GitHubSettings, PrometheusSettings, Settings


def test_an_analysis_cannot_take_the_memory_of_all(tmp_path: Path) -> None:
    """What it reads is a stranger's."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings = Settings(PrometheusSettings(), "", tmp_path, f"sqlite:///{tmp_path / 'tuppence.db'}")
    github = GitHubSettings(1, key.decode(), ("secret",))
    made = Analysing(settings, ServerConfig(), github, (), rehearsed=False)
    try:
        most, _ = made._processes.call(resource.getrlimit, resource.RLIMIT_DATA)
    finally:
        made.stop()
    assert MOST_MEMORY < most < 2 * MOST_MEMORY
