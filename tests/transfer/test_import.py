"""`rollcall import`: rows are decided by the API, and what is rejected can be mended."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.commands import Result, Rollcall, refused
from tests.support.server import Server

Import = Callable[..., Awaitable[Result]]

CONTACTS = """{ contacts(first: 100, orderBy: {field: EMAIL, direction: ASC}) { nodes {
    externalId email name tags ordersCount isUnsubscribed customFields version } } }"""
DEFINE = "mutation ($input: CustomFieldInput!) { defineCustomField(input: $input) { key } }"


@pytest.fixture
def importing(rollcall: Rollcall, api: Client, database_url: str) -> Import:
    """Imports a file into the workspace of `api`."""

    async def run(*arguments: str) -> Result:
        command = ("import", *arguments, "--workspace", "ours")
        return await asyncio.to_thread(rollcall, *command, DATABASE_URL=database_url)

    return run


def write(name: str, text: str, encoding: str = "utf-8") -> None:
    Path(name).write_text(text, encoding)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def contacts(api: Client) -> Any:
    return (await api(CONTACTS))["nodes"]


async def test_file_becomes_contacts(importing: Import, api: Client, tmp_path: Path) -> None:
    await api(DEFINE, input={"key": "seats", "type": "NUMBER"})
    write(
        "people.csv",
        "ID no;E-Mail;Name;Tags;Orders count;seats;isUnsubscribed\n"
        "1;ada@example.com;Ada;a,b;3;2.5;no\n"
        "2;bob@example.com;Bob;;;;yes\n",
    )
    result = await importing("people.csv", "--map", "ID no=externalId")
    assert (result.code, result.out) == (
        0,
        "Rows imported: 2 (2 created, 0 updated, 0 unchanged, 0 conflicts, 0 invalid).\n",
    )
    assert "people.csv: CSV in utf-8, separated by semicolons." in result.err
    assert "  ID no = externalId" in result.err
    ada, bob = await contacts(api)
    assert ada == {
        **{"externalId": "1", "email": "ada@example.com", "name": "Ada", "tags": ["a", "b"]},
        **{"ordersCount": 3, "isUnsubscribed": False, "customFields": {"seats": 2.5}, "version": 1},
    }
    assert (bob["isUnsubscribed"], bob["version"]) == (True, 2)
    assert names(tmp_path) == ["people.csv"]
    again = await importing("people.csv", "--map", "ID no=externalId")
    assert "0 created, 0 updated, 2 unchanged" in again.out
    assert await contacts(api) == [ada, bob]


async def test_guessed_encoding_is_said_with_words_that_show_whether_it_is_right(
    importing: Import, api: Client
) -> None:
    names = ["Lajos Lőrinc", "Lőrinc Lőrinc", "Béla Ács"]
    lines = [f"{number}@example.com,{name}" for number, name in enumerate(names)]
    write("a.csv", "\n".join(["email,name", *lines]), "cp1250")
    guessed = await importing("a.csv", "--dry-run")
    assert (
        "  cp1252 is a guess, by which the file has Lõrinc, Béla, Ács. If letters are wrong, give "
        "--encoding, such as cp1252 for Western or cp1250 for Central Europe.\n"
    ) in guessed.err
    named = await importing("a.csv", "--encoding", "cp1250")
    assert "a guess" not in named.err
    assert [one["name"] for one in await contacts(api)] == names


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
async def test_rejected_rows_are_mended_and_imported_again(
    ending: str, importing: Import, api: Client, tmp_path: Path
) -> None:
    rows = [
        {"externalId": "1", "email": "ada@example.com"},
        {"externalId": "2", "email": "ada@example.com"},
        {"externalId": "3", "email": "nobody"},
        {"externalId": "4", "email": "dora@example.com", "ordersCount": "many"},
    ]
    if ending == "csv":
        cells = [[*row.values(), ""][:3] for row in rows]
        text = "\n".join(map(",".join, [["externalId", "email", "ordersCount"], *cells]))
    else:
        text = "\n".join(map(json.dumps, rows))
    path = tmp_path / f"people.{ending}"
    write(path.name, text)
    result = await importing(path.name)
    assert "1 created, 0 updated, 0 unchanged, 1 conflicts, 2 invalid" in result.out
    rejected = tmp_path / f"people.{ending}.rejected.{ending}"
    assert f"The rejected rows are in {rejected.name}: mend and import it." in result.out
    assert rejected.stat().st_mode & 0o777 == 0o600
    text = rejected.read_text()
    for told in ("EXTERNAL_ID_MISMATCH", "email: must be an email address", "INVALID_FORMAT"):
        assert told in text
    assert refused(await importing(path.name)).endswith("Import it, move it or remove it.")
    for wrong, right in (("nobody", "cleo@example.com"), ("many", "7"), ('"7"', "7")):
        text = text.replace(wrong, right)
    rejected.write_text(text.replace("ada@example.com", "bob@example.com"))
    result = await importing(rejected.name)
    assert "3 created" in result.out
    found = [(one["externalId"], one["email"]) for one in await contacts(api)]
    people = enumerate(("ada", "bob", "cleo", "dora"), 1)
    assert found == [(str(number), f"{name}@example.com") for number, name in people]


async def test_nothing_is_written_if_the_position_cannot_be(
    importing: Import, api: Client, tmp_path: Path
) -> None:
    write("a.csv", "email\nada@example.com\n")
    (tmp_path / "a.csv.progress.new").mkdir()
    result = await importing("a.csv")
    assert (result.code, result.out) == (1, "")
    assert "rollcall: The import cannot write beside the file: Is a directory." in result.err
    assert await contacts(api) == []


async def test_dry_run_shows_the_first_of_each_outcome(
    importing: Import, api: Client, tmp_path: Path
) -> None:
    write("a.csv", "externalId,email,name\n1,ada@example.com,Ada\n")
    await importing("a.csv")
    before = await contacts(api)
    write(
        "b.csv",
        "externalId,email,name\n"
        "1,ada@example.com,Ada\n1,ada@example.com,Countess\n2,ada@example.com,X\n3,bad,X\n"
        "4,dora@example.com,Dora\n4,dora@example.com,Dora\n",
    )
    result = await importing("b.csv", "--dry-run")
    assert result.out.splitlines() == [
        "Rows of the file: 6. An import would give: 1 created, 1 updated, 2 unchanged, "
        "1 conflicts, 1 invalid.",
        "unchanged, first in line 2: ada@example.com",
        "updated, first in line 3: ada@example.com: name",
        "conflicts, first in line 4: ada@example.com: The contact has another externalId than 2.",
        "invalid, first in line 5: bad: email: must be an email address (an email address must "
        "have an @-sign)",
        "created, first in line 6: dora@example.com",
    ]
    assert await contacts(api) == before
    assert names(tmp_path) == ["a.csv", "b.csv"]


async def test_policy_comes_from_a_file_and_options(importing: Import, api: Client) -> None:
    write("a.csv", "externalId,email,tags\n1,ada@example.com,a\n")
    write("b.csv", "externalId,email,tags\n2,ada@example.com,b\n")
    write("policy.json", '{"tags": "REMOVE", "externalIdOnMatch": "REPLACE"}')
    await importing("a.csv")
    await importing("b.csv", "--policy", "policy.json", "--tags", "add", "--match-by", "email")
    [ada] = await contacts(api)
    assert (ada["externalId"], ada["tags"]) == ("2", ["a", "b"])
    write("policy.json", '{"onMatch": "MERGE"}')
    result = await importing("b.csv", "--policy", "policy.json")
    assert "onMatch" in refused(result)


async def test_every_invalid_row_is_told_why(
    importing: Import, api: Client, tmp_path: Path
) -> None:
    """An answer of the API tells the first 100 broken rules."""
    rows = [
        f"{number},{'bad' if number % 5 else f'p{number}@example.com'}" for number in range(600)
    ]
    write("a.csv", "\n".join(["externalId,email", *rows]))
    result = await importing("a.csv")
    assert "120 created, 0 updated, 0 unchanged, 0 conflicts, 480 invalid" in result.out
    rejected = (tmp_path / "a.csv.rejected.csv").read_text().splitlines()[1:]
    assert len(rejected) == 480
    assert all("INVALID_FORMAT,email: must be" in line for line in rejected)


async def test_row_that_the_api_takes_for_too_much_is_rejected_alone(
    importing: Import, api: Client, rollcall: Rollcall, tmp_path: Path
) -> None:
    long = json.dumps({"a": list(range(300_000))})
    lines = [
        '{"email": "ada@example.com"}',
        '{"email": "bob@example.com", "metadata": ' + long + "}",
    ]
    write("a.ndjson", "\n".join([*lines, '{"email": "cleo@example.com"}']))
    result = await importing("a.ndjson")
    assert "2 created, 0 updated, 0 unchanged, 0 conflicts, 1 invalid" in result.out
    [rejected] = (tmp_path / "a.ndjson.rejected.ndjson").read_text().splitlines()
    assert json.loads(rejected)["rejectedLine"] == "2"


async def test_missing_workspace_is_one_sentence(rollcall: Rollcall, database_url: str) -> None:
    write("a.csv", "email\n")
    run = ("import", "a.csv", "--workspace", "nobody")
    result = await asyncio.to_thread(rollcall, *run, DATABASE_URL=database_url)
    assert refused(result) == "rollcall: Workspace nobody does not exist."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--delimiter", "ab"], "--delimiter must be one character"),
        (["--delimiter", '"'], "--delimiter must be one character"),
        (["--tag-separator", ""], "--tag-separator must have at least one character."),
        (["--url", "contacts.example.com"], "--url must be an address"),
        (["--url", "http://contacts.example.com:http"], "--url must be an address"),
        (["--url", "http://contacts.example.com:99999"], "--url must be an address"),
        (["--url", "http://[::1"], "--url must be an address"),
        (["--url", "http://contacts\x01.example.com"], "--url must be an address"),
        (["--url", "http://localhost", "--key", "ключ"], "The API key is malformed."),
        (["--url", "http://localhost", "--key", "rollcall_1\n"], "The API key is malformed."),
    ],
)
def test_option_that_makes_no_sense_is_refused(
    options: list[str], message: str, rollcall: Rollcall
) -> None:
    where = [] if "--url" in options else ["--workspace", "ours"]
    line = refused(rollcall("import", "a.csv", *where, *options, ROLLCALL_KEY="rollcall_1"))
    assert line.startswith(f"rollcall: {message}")


def test_import_over_the_api(rollcall: Rollcall, live_server: Server) -> None:
    """Also where the server limits the body of a request."""
    rows = [f"over{number}@example.com,{number}" for number in range(30)]
    long = f'long@example.com,"{"x" * 5_000_000}"'
    write("a.csv", "\n".join(["email,notes", *rows, long]))
    result = rollcall("import", "a.csv", "--url", live_server.url, ROLLCALL_KEY=live_server.key)
    assert "30 created, 0 updated, 0 unchanged, 0 conflicts, 1 invalid" in result.out, result.err
    assert "must have at most" in Path("a.csv.rejected.csv").read_text()[:500]
    wrong = rollcall("import", "a.csv", "--url", live_server.url, "--key", "rollcall_1")
    assert refused(wrong) == "rollcall: The API key is malformed."
