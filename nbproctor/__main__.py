"""Run as ``python -m nbproctor``."""

from nbproctor.cli.app import main

main()
