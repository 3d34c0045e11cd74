"""`python -m gitforge`."""

from gitforge.cli.entry import entry

entry()
