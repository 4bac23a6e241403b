"""Runs plain SQL scripts inside Alembic's transaction."""

from typing import Any

from alembic import op
from sqlalchemy.util import await_only


def apply(script: str) -> None:
    """Run a script of several statements as it is, in the migration's own transaction."""
    connection: Any = op.get_bind().connection.driver_connection
    if not connection.is_in_transaction():
        raise RuntimeError("a migration runs in one transaction or not at all")
    await_only(connection.execute(script))
