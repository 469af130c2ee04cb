"""Alembic runs this for every command; the engine comes from octavia.store.schema."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import context

from octavia.store.tables import metadata

WAIT = 600


@contextmanager
def alone(connection: sa.Connection) -> Iterator[None]:
    """No other process migrates this database meanwhile; the one that waited finds nothing left to do."""
    if connection.dialect.name == "sqlite":
        # SQLite is used without implicit transactions (see store/engine.py): this one is ours to open and close.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        return
    name = "concat('octavia schema ', left(sha1(database()), 40))"
    if not connection.exec_driver_sql(f"SELECT get_lock({name}, {WAIT})").scalar():
        raise TimeoutError(f"Another process has migrated the database for {WAIT} seconds.")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"SELECT release_lock({name})")


with context.config.attributes["engine"].connect() as connection, alone(connection):
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
