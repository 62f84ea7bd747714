"""Migrations build exactly the schema of `tables.py`, wholly or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from headstart.storage.database import Database, migrations_config
from headstart.storage.tables import Table


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'headstart.db'}")


def test_migrated_schema_is_the_metadata(empty: Database) -> None:
    empty.migrate()
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Table.metadata)
    assert differences == [], "run: python -m headstart.storage.migrations 'what changed'"


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    empty.migrate()
    before = sorted(inspect(empty.engine).get_table_names())
    empty.migrate()
    assert sorted(inspect(empty.engine).get_table_names()) == before


def test_a_failed_migration_leaves_nothing_behind(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_after_upgrade(*args: object) -> None:
        upgrade(*args)  # type: ignore[arg-type]
        raise RuntimeError("power cut")

    upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", fail_after_upgrade)
    with pytest.raises(RuntimeError, match="power cut"):
        empty.migrate()
    assert inspect(empty.engine).get_table_names() == []
    monkeypatch.undo()
    empty.migrate()
    assert "records" in inspect(empty.engine).get_table_names()


def test_every_migration_can_be_undone(empty: Database) -> None:
    empty.migrate()
    with empty.engine.begin() as connection:
        config = migrations_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
