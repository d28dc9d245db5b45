"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)
"""A file or a folder, which need not be there: what is wrong with it is told by whoever opens it."""

prices_option = click.option(
    "--prices",
    type=FILE,
    metavar="FILE",
    help="Price sheet (YAML) or OpenCost price CSV; wins over prices found in Prometheus.",
)
config_option = click.option(
    "--config",
    type=FILE,
    metavar="FILE",
    help="Clusters, teams and shared namespaces; default: ./tuppence.yaml, where it is there.",
)
output_option = click.option(
    "--output", type=FILE, metavar="FILE", help="Write there instead of standard output."
)
