"""The command line: `hef chat`, `hef reply`, `hef analyze`, `hef serve-sem`."""

from hef_graph.cli.main import main

__all__ = ["main"]
