"""The command line: a file for each group of commands."""

from app.cli.commands import cli as cli
from app.cli.commands import main as main
