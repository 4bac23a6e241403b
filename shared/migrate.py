"""Brings schemas up to date: `python -m shared.migrate all|<service>`, URLs from GROUPBUY_MIGRATE_<SERVICE>."""

import os
import sys
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config

from shared.contracts import SERVICES

_ROOT = Path(__file__).resolve().parent.parent


def migrate(service: str, url: str) -> None:
    """Apply every migration that the service's schema lacks. `url` is postgresql://… for the service's own role."""
    config = Config(_ROOT / "alembic.ini", ini_section=service)
    config.set_section_option(service, "script_location", str(_ROOT / "shared/alembic"))
    config.set_section_option(service, "version_locations", str(_ROOT / f"services/{service}/migrations"))
    config.set_section_option(service, "path_separator", "os")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+asyncpg://", 1)
    config.attributes["schema"] = service
    # Alembic's environment runs its own event loop, which a caller's running loop would forbid.
    failure: list[BaseException] = []

    def upgrade() -> None:
        try:
            command.upgrade(config, "head")
        except BaseException as error:
            failure.append(error)

    worker = threading.Thread(target=upgrade)
    worker.start()
    worker.join()
    if failure:
        raise failure[0]


def main() -> None:
    """Migrate the services named on the command line."""
    names = sys.argv[1:]
    if not names or set(names) - {*SERVICES, "all"}:
        raise SystemExit(f"usage: python -m shared.migrate all|{'|'.join(SERVICES)}")
    for service in SERVICES if "all" in names else names:
        migrate(service, os.environ[f"GROUPBUY_MIGRATE_{service.upper()}"])
        sys.stdout.write(f"{service}: up to date\n")


if __name__ == "__main__":
    main()
