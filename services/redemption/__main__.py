"""`python -m services.redemption` serves until SIGTERM."""

from services.redemption.app import main

main()
