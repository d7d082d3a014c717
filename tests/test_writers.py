"""Only `app.contacts.store.save` writes contacts, their identifiers and their terms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent / "app"
WRITER = APP / "contacts" / "store" / "save.py"
TABLES = {
    *("CONTACT", "IDENTIFIER", "TERM"),
    *("ContactTable", "IdentifierTable", "TermTable"),
}
WRITES = {"insert", "update", "delete", "add", "add_all", "merge"}


def writes(source: str) -> Iterator[int]:
    """The lines of calls that write, and have one of the tables as an argument."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        called = call.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        named = {
            node.id
            for part in [called, *call.args]
            for node in ast.walk(part)
            if isinstance(node, ast.Name)
        }
        if name in WRITES and named & TABLES:
            yield call.lineno


def test_only_the_store_writes_contacts_and_what_is_kept_beside_them() -> None:
    modules = [one for one in APP.rglob("*.py") if "node_modules" not in one.parts]
    found = {
        f"{module.relative_to(APP)}:{line}"
        for module in modules
        if module != WRITER
        for line in writes(module.read_text())
    }
    assert found == set()
    assert len(list(writes(WRITER.read_text()))) >= len(("CONTACT", "IDENTIFIER", "TERM"))


@pytest.mark.parametrize(
    "source",
    [
        "session.write(insert(CONTACT, rows))",
        "delete(TERM, [row])",
        "session.exec(update(ContactTable).where(condition))",
        "session.exec(delete(IdentifierTable))",
        "session.add(ContactTable(id=1))",
        "connection.execute(CONTACT.insert(), rows)",
    ],
)
def test_write_is_recognised(source: str) -> None:
    assert list(writes(source)) == [1]


@pytest.mark.parametrize(
    "source", ["select(ContactTable)", "insert(CUSTOM_FIELD, rows)", "values.update(row)"]
)
def test_read_is_none(source: str) -> None:
    assert list(writes(source)) == []
