"""`rollcall export`: an import into an empty workspace gives the same contacts."""

import asyncio
import csv
import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.database.sessions import Database
from app.errors import CommandFailed
from app.settings import Settings
from app.text import normalised
from app.transfer.contact_lines import FIELDS, CsvLines
from app.transfer.csv_file import Cells
from app.transfer.exporting import Export, started
from app.transfer.in_process import InProcess
from app.transfer.output import Output
from app.workspaces.command_line_key import command_line_caller
from tests.support.client import Client
from tests.support.commands import Result, Rollcall, refused
from tests.transfer.test_interruptions import Cut, Interrupted
from tests.transfer.test_reading import read

ODD = [
    *("=1+1", "+49 30 1", "-5", "@x", "'=x", "''", "'", "\t", '"', 'a"b""', ",", ";", "a;b,c|d"),
    *("one\ntwo", "one\r\ntwo\r", "[", "[1]", "{", "null", "true", "007", "1e3", "=a\rb", "Zoë🎉"),
    *("a\u2028b", "a\x1cb", "\x1c", "\ufeffx", "'\t=x", "NaN", " inner  space "),
]
DEFINED = {
    **{"s": "STRING", "n": "NUMBER", "b": "BOOLEAN", "d": "DATETIME", "j": "JSON"},
    "=f.g": "STRING",
}
UPSERT = """mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs, policy: {customFields: REPLACE, metadata: REPLACE}) {
    created invalid rows { result { ... on ContactInvalid { errors { field message } } } } } }"""
DEFINE = "mutation ($input: CustomFieldInput!) { defineCustomField(input: $input) { key } }"
CONTACTS = f"""{{ contacts(first: 100, orderBy: {{field: EMAIL, direction: ASC}}) {{
    nodes {{ phoneE164 {" ".join(FIELDS)} }} }} }}"""

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.sampled_from(ODD) | st.text(letters, max_size=9)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts
lists = st.lists(scalars, max_size=2) | st.dictionaries(texts, scalars, max_size=2)
values = scalars | st.floats(allow_nan=False, allow_infinity=False) | lists
MEMBERS = dict.fromkeys([*DEFINED, "other"], values)


async def rollcall_on(rollcall: Rollcall, url: str, *command: str) -> Result:
    return await asyncio.to_thread(rollcall, *command, DATABASE_URL=url)


def odd_contacts() -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = [
        {
            "externalId": f"{number} {text}"[:200],
            "email": f"p{number:02}@example.com",
            **dict.fromkeys(("name", "company", "notes", "jobTitle"), text),
            "phone": "+49 30 123456" if number % 2 else text,
            "tags": [f"{text}x", "b"] if number % 3 else [text.strip() or "x"],
            "customFields": {
                **{"s": text, "n": -number / 3, "b": number % 2 == 0, "j": [text, {"k": None}]},
                **{"d": "2026-01-31t08:00:00.5+02:00", "=f.g": text, "other": text, "none": None},
            },
            "metadata": {text: text, "deep": {"none": None}},
            "createdAt": f"2026-01-01T00:00:{number:02}.123456Z",
            "updatedAt": "2026-02-01T00:00:00Z",
        }
        for number, text in enumerate(ODD)
    ]
    people.append({"email": "bare@example.com", "isActive": False})
    people.append(
        {
            **{"email": "full@example.com", "lifetimeValue": -1e-7, "ordersCount": 2147483647},
            **{"professionalId": "01a1fcf8-b51f-70af-8d67-2f54093498f0", "timezone": "Asia/Tokyo"},
            **{"lastOrderAt": "2026-01-31T08:00:00Z", "language": "de-CH", "country": "CH"},
        }
    )
    return people


def same(contacts: Any) -> list[dict[str, Any]]:
    """What an import can give: neither ids nor what the server stamps."""
    found = []
    for contact in contacts["nodes"]:
        del contact["id"], contact["metadata"]["api_key_id"]
        if contact["isUnsubscribed"]:
            del contact["unsubscribedAt"], contact["updatedAt"]
        found.append(contact)
    return found


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.ndjson.zst"])
async def test_import_into_an_empty_workspace_gives_the_same_contacts(
    name: str, rollcall: Rollcall, api: Client, stranger: Client, database_url: str
) -> None:
    for client in (api, stranger):
        for key, kind in DEFINED.items():
            await client(DEFINE, input={"key": key, "type": kind})
    people = odd_contacts()
    written = await api(UPSERT, inputs=people)
    assert (written["created"], written["invalid"]) == (len(people), 0), written["rows"]
    await api('mutation { unsubscribeContact(by: {email: "p03@example.com"}) { __typename } }')
    exported = await rollcall_on(rollcall, database_url, "export", name, "--workspace", "ours")
    assert (exported.code, exported.out) == (0, "")
    assert f"Contacts exported: {len(people)}." in exported.err
    assert ("begin with an apostrophe" in exported.err) == ("csv" in name)
    whole = ("--custom-fields", "replace", "--metadata", "replace")
    imported = await rollcall_on(
        rollcall, database_url, "import", name, "--workspace", "theirs", *whole
    )
    assert f"{len(people)} created" in imported.out, imported
    ours, theirs = same(await api(CONTACTS)), same(await stranger(CONTACTS))
    assert len(ours) == len(people)
    assert theirs == ours


@given(objects=st.lists(st.fixed_dictionaries({}, optional=MEMBERS), max_size=3), raw=st.booleans())
def test_any_custom_fields_and_tags_are_read_as_they_were(
    objects: list[dict[str, Any]], raw: bool, tmp_path: Path
) -> None:
    contacts = []
    for members in objects:
        tags = [normalised(value) for value in members.values() if isinstance(value, str)]
        given = {"email": "e@example.com", "metadata": {}, "customFields": members}
        contacts.append(dict.fromkeys(FIELDS) | given | {"tags": [tag for tag in tags if tag]})
    lines = CsvLines(DEFINED, raw)
    text = lines.header() + "".join(map(lines.line, contacts))
    _, rows = read(text.encode(), tmp_path, DEFINED, cells=Cells(raw=raw))
    assert [row.faults for row in rows] == [[]] * len(contacts)
    for row, contact in zip(rows, contacts, strict=True):
        assert row.contact.get("tags", []) == contact["tags"]
        assert json.dumps(row.contact.get("customFields", {}), sort_keys=True) == json.dumps(
            contact["customFields"], sort_keys=True
        )


async def test_interrupted_export_goes_on_after_its_last_page(
    rollcall: Rollcall,
    api: Client,
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.transfer.exporting.PAGE_LIMIT", 3)
    monkeypatch.setattr("app.transfer.exporting.PAGES_AT_ONCE", 2)
    await api(UPSERT, inputs=odd_contacts())
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    options = ("--workspace", "ours", "--filter", '{"email": {"startsWith": "p"}}')
    await rollcall_on(rollcall, database_url, "export", whole.name, *options)
    caller = await command_line_caller(database, "ours", "default")
    execution = InProcess(database, caller, Settings(_env_file=None))
    selection = {"filter": {"email": {"startsWith": "p"}}, "search": None}
    append = Output.append

    def appended(output: Output, length: int, text: str) -> int:
        append(output, length, text)
        raise Interrupted

    with monkeypatch.context() as patch, suppress(Interrupted):
        patch.setattr(Output, "append", appended)
        await Export(execution, selection, cut, CsvLines({})).run(started(cut, {}), lambda _: None)
    assert cut.exists()
    ends = 0
    for moment in (4, 3, 7, 12, 40):
        export = Export(Cut(execution, moment, Interrupted()), selection, cut, CsvLines({}))
        with suppress(Interrupted):
            await export.run(started(cut, {}), lambda _: None)
            ends += 1
    assert ends == 1
    assert cut.read_bytes() == whole.read_bytes()
    assert cut.stat().st_mode & 0o777 == 0o600
    cut.rename(tmp_path / "moved.csv")
    with pytest.raises(CommandFailed, match=r"cut\.csv has fewer bytes than were written to it"):
        started(cut, {})
    (tmp_path / "moved.csv").rename(cut)
    text = io.StringIO(cut.read_bytes().decode(), newline="")
    assert sum(1 for _ in csv.reader(text)) == len(ODD) + 1


async def test_export_overwrites_nothing_and_refuses_what_it_does_not_know(
    rollcall: Rollcall, api: Client, database_url: str, tmp_path: Path
) -> None:
    async def message(*command: str) -> str:
        return refused(await rollcall_on(rollcall, database_url, "export", *command))

    (tmp_path / "a.csv").write_text("mine")
    ours = ("--workspace", "ours")
    assert await message("a.csv", *ours) == "rollcall: a.csv exists. Move it or remove it."
    assert "--filter must be JSON" in await message("b.csv", *ours, "--filter", "{")
    assert "nickname" in await message("b.csv", *ours, "--filter", '{"nickname": 1}')
    assert "Give --workspace NAME" in await message("b.csv")
    assert (tmp_path / "a.csv").read_text() == "mine"
