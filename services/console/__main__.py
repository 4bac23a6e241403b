"""`python -m services.console`: the `groupbuy` command without installation."""

from services.console.app import main

main()
