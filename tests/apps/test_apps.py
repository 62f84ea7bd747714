from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from headstart.apps.apps import Apps
from headstart.apps.spec import AppSpec
from headstart.errors import NotFound
from headstart.storage.database import Database
from tests.apps.fakes import FakeEndpoints, FakeKnowledge

FIRST = AppSpec(endpoint="chat", instructions="Be kind.", knowledge=["docs"])
SECOND = AppSpec(endpoint="chat", instructions="Be brief.", knowledge=["docs"])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'db'}")
    database.migrate()
    yield database
    database.close()


def apps(database: Database) -> Apps:
    return Apps(database, cast(Any, FakeEndpoints()), cast(Any, FakeKnowledge()))


def test_defining_twice_changes_nothing(database: Database) -> None:
    mine = apps(database)
    first, changed = mine.define("docs", FIRST)
    again, changed_again = mine.define("docs", FIRST)
    assert (changed, changed_again) == (True, False)
    assert again == first


def test_a_change_makes_a_version_and_an_earlier_one_comes_back(database: Database) -> None:
    mine = apps(database)
    mine.define("docs", FIRST)
    second, _ = mine.define("docs", SECOND)
    back, changed = mine.define("docs", FIRST)
    assert (second.number, back.number, changed) == (2, 1, True)
    assert mine.get("docs").spec == FIRST


def test_versions_outlive_the_process(database: Database) -> None:
    apps(database).define("docs", FIRST)
    apps(database).define("docs", SECOND)

    later = apps(database)

    assert later.get("docs").spec == SECOND
    assert later.get("docs").number == 2
    assert later.define("docs", SECOND)[1] is False


def test_list_is_by_name(database: Database) -> None:
    mine = apps(database)
    for name in ("b", "a"):
        mine.define(name, FIRST)
    assert [app.name for app in mine.list()] == ["a", "b"]


def test_a_removed_app_answers_no_longer_and_keeps_its_numbers(database: Database) -> None:
    mine = apps(database)
    mine.define("docs", FIRST)
    mine.remove("docs")

    assert mine.resolve("docs") is None
    assert apps(database).list() == []
    with pytest.raises(NotFound):
        mine.remove("docs")
    assert mine.define("docs", SECOND)[0].number == 2


def test_resolve_gives_the_active_version(database: Database) -> None:
    mine = apps(database)
    mine.define("docs", FIRST)
    mine.define("docs", SECOND)
    app = mine.resolve("docs")
    assert app is not None
    assert (app.name, app.number, app.spec) == ("docs", 2, SECOND)
    assert mine.resolve("other") is None


def test_an_unknown_app_is_not_found_with_a_hint(database: Database) -> None:
    mine = apps(database)
    mine.define("docs", FIRST)
    with pytest.raises(NotFound, match="no app 'dosc'; did you mean 'docs'"):
        mine.get("dosc")


def test_equal_specs_have_equal_digests() -> None:
    again = AppSpec.model_validate_json(FIRST.model_dump_json())
    assert again.digest == FIRST.digest
    assert SECOND.digest != FIRST.digest
