"""`python -m gitforge`."""

from gitforge.cli.main import entry

entry()
