"""`python -m services.dispatch` serves until SIGTERM."""

from services.dispatch.app import main

main()
