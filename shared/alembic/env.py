"""Alembic's environment, the same for every service: one schema, one role, one migration at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine


def _migrate(connection: Connection) -> None:
    schema = context.config.attributes["schema"]
    # Two migration jobs started at once take turns instead of failing.
    connection.exec_driver_sql(f"select pg_advisory_xact_lock(hashtext('migrate {schema}'))")
    context.configure(connection=connection, version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def _run() -> None:
    attributes = context.config.attributes
    engine = create_async_engine(
        attributes["url"],
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"search_path": attributes["schema"], "lock_timeout": "10s"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
