"""Ports of loopback for programs that have to be told theirs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """A port that nobody else is given meanwhile, and nobody answers on until a program listens there.

    Other tests ask for free ports all the time: one that was let go of could be theirs before its program
    has begun. This socket keeps it and does not listen; Linux lets a server listen beside it since both say
    SO_REUSEADDR, as servers do.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])
