"""Starts the settlement service: `python -m services.settlement`."""

from services.settlement.app import main

if __name__ == "__main__":
    main()
