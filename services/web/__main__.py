"""`python -m services.web` serves the pages."""

from services.web.app import main

main()
