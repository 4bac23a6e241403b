"""Starts the sandbox (`python -m services.sandbox`) or makes its keys (`python -m services.sandbox keys DIR`)."""

from services.sandbox.app import main

if __name__ == "__main__":
    main()
