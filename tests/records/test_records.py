"""Finding records: filters, pages, who may see what."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from headstart.errors import BadRequest, NotFound
from headstart.records.feedback import FeedbackStore
from headstart.records.records import RecordFilter, Records
from headstart.storage.database import Database
from headstart.storage.paging import Order
from headstart.storage.tables import RecordRow
from tests.records.samples import ADMIN, ANNA, BERT, row


def put(database: Database, *rows: RecordRow) -> None:
    with database.session() as session:
        session.add_all(rows)


def ids(records: Records, where: RecordFilter | None = None) -> set[str]:
    return {record.row.id for record in records.list(ADMIN, where, limit=100).data}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (RecordFilter(), {"a", "b", "c"}),
        (RecordFilter(model="other"), {"b"}),
        (RecordFilter(app="docs"), {"c"}),
        (RecordFilter(status="failed"), {"b"}),
        (RecordFilter(conversation="conv_1"), {"c"}),
        (RecordFilter(created_after=1_700_000_010), {"b", "c"}),
        (RecordFilter(created_before=1_700_000_010), {"a"}),
        (RecordFilter(created_after=1_700_000_010, created_before=1_700_000_020), {"b"}),
        (RecordFilter(model="other", status="completed"), set()),
        (RecordFilter(q="TWO"), {"b"}),
        (RecordFilter(q=""), {"a", "b", "c"}),
    ],
)
def test_filters(database: Database, where: RecordFilter, found: set[str]) -> None:
    put(
        database,
        row("a", "one"),
        row("b", "two", model="other", status="failed", created_at=1_700_000_010),
        row("c", "three", app="docs", conversation_id="conv_1", created_at=1_700_000_020),
    )
    assert ids(Records(database), where) == found


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("%", {"percent"}),
        ("100%", {"percent"}),
        ("_", {"underscore"}),
        ("/", {"slash"}),
        ("\\", {"backslash"}),
        ("'; DROP TABLE records; --", {"quote"}),
        ("straße", {"german"}),
        ("STRASSE", {"german"}),
        ("ЧТО", {"russian"}),
        ("x" * 1000, set()),
    ],
)
def test_text_search_takes_every_character_for_itself(
    database: Database, q: str, found: set[str]
) -> None:
    put(
        database,
        row("percent", "100% sure"),
        row("underscore", "snake_case"),
        row("slash", "either/or"),
        row("backslash", "C:\\temp"),
        row("quote", "Robert'; DROP TABLE records; --"),
        row("german", "Die Straße"),
        row("russian", "что это"),
    )
    assert ids(Records(database), RecordFilter(q=q)) == found


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_over_equal_times_neither_repeat_nor_skip(database: Database, order: Order) -> None:
    put(
        database,
        *(row(f"r{number:02}", created_at=1_700_000_000 + number // 10) for number in range(35)),
    )
    records = Records(database)
    seen: list[str] = []
    after = None
    while True:
        page = records.list(ADMIN, after=after, limit=4, order=order)
        seen += [record.row.id for record in page.data]
        if not page.has_more:
            break
        after = page.data[-1].row.id
    assert seen == sorted(seen, reverse=order == "desc")
    assert len(seen) == len(set(seen)) == 35


def test_new_records_do_not_move_the_pages_behind(database: Database) -> None:
    put(database, *(row(f"r{number}", created_at=number) for number in range(6)))
    records = Records(database)
    first = records.list(ADMIN, limit=3)
    put(database, row("new", created_at=99))
    second = records.list(ADMIN, after=first.data[-1].row.id, limit=3)
    assert [record.row.id for record in second.data] == ["r2", "r1", "r0"]


def test_a_page_cannot_start_after_what_is_not_in_the_list(database: Database) -> None:
    put(database, row("anna"), row("other", model="other"))
    records = Records(database)
    with pytest.raises(BadRequest, match="'gone' is not in this list"):
        records.list(ADMIN, after="gone")
    with pytest.raises(BadRequest):
        records.list(BERT, after="anna")
    with pytest.raises(BadRequest):
        records.list(ADMIN, RecordFilter(model="other"), after="anna")


def test_members_see_their_own_and_admins_all(database: Database) -> None:
    put(database, row("annas"), row("berts", key_id=BERT.key_id), row("nobodys", key_id=None))
    records = Records(database)
    assert [record.row.id for record in records.list(ANNA).data] == ["annas"]
    assert len(records.list(ADMIN).data) == 3
    assert records.get("annas", ANNA).row.id == "annas"
    assert records.get("annas", ADMIN).row.id == "annas"
    for hidden in ("berts", "nobodys", "none"):
        with pytest.raises(NotFound, match=f"No record '{hidden}'"):
            records.get(hidden, ANNA)


def test_feedback_comes_along_in_two_statements_however_long_the_page(database: Database) -> None:
    put(database, *(row(f"r{number}") for number in range(30)))
    feedback = FeedbackStore(database)
    for number in range(30):
        feedback.add(f"r{number}", "thumbs", number % 2 == 0, ANNA)
        feedback.add(f"r{number}", "comment", "why", ANNA)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    found = Records(database).list(ADMIN, limit=30).data
    assert len(statements) == 2
    assert all([f.metric for f in record.feedback] == ["thumbs", "comment"] for record in found)


def test_records_with_feedback_of_a_kind(database: Database) -> None:
    put(database, row("a"), row("b"), row("c"))
    feedback = FeedbackStore(database)
    feedback.add("a", "thumbs", True, ANNA)
    feedback.add("b", "comment", "good", ANNA)
    assert ids(Records(database), RecordFilter(metric="thumbs")) == {"a"}
    assert ids(Records(database), RecordFilter(metric="comment")) == {"b"}
    assert ids(Records(database), RecordFilter(metric="rating")) == set()


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("", "ix_records_created"),
        ("WHERE model = 'm'", "ix_records_model"),
        ("WHERE app = 'a'", "ix_records_app"),
        ("WHERE key_id = 'k'", "ix_records_key"),
        ("WHERE status = 'failed'", "ix_records_status"),
        ("WHERE conversation_id = 'c'", "ix_records_conversation"),
    ],
)
def test_lists_are_read_from_an_index_in_order(database: Database, where: str, index: str) -> None:
    query = f"EXPLAIN QUERY PLAN SELECT * FROM records {where} ORDER BY created_at DESC, id DESC"
    with database.engine.connect() as connection:
        plan = " ".join(step[3] for step in connection.exec_driver_sql(query + " LIMIT 21"))
    assert index in plan
    assert "TEMP B-TREE" not in plan
