"""Starts catalog: `python -m services.catalog`."""

from services.catalog.app import main

main()
