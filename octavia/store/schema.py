"""The schema's versions, by Alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, IntegrityError

from octavia.store.engine import DATABASE, Database, Unusable, engine
from octavia.store.tables import deployment

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(made: sa.Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = made
    return config


def head() -> str | None:
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def version(database: Database) -> str | None:
    """The version that the database has; None for an empty one. Raises Unusable if it does not answer."""
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise Unusable(f"The database ({DATABASE}) cannot be used: {said(error)}") from None


def said(error: DBAPIError) -> str:
    """What the driver says, without its number."""
    return str(error.orig.args[-1] if error.orig and error.orig.args else error.orig)


def upgrade(database: Database) -> None:
    """The database has this code's schema, and its one deployment row. Several processes may ask for it at once.

    Raises Unusable if the database does not answer.
    """
    if version(database) != head():
        made = engine(database.url, "migrating")
        command.upgrade(configuration(made), "head")
        made.dispose()
    try:
        database.write(ensure_deployment)
    except IntegrityError:
        """Another process was faster."""


def ensure_deployment(connection: sa.Connection) -> None:
    if connection.scalar(sa.select(deployment.c.id)) is None:
        connection.execute(deployment.insert().values(id=1, epoch=1))
