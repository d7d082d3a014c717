"""What is found out of a file: compression, encoding, format, delimiter, columns and values."""

import csv
import gzip
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.errors import CommandFailed
from app.transfer.csv_file import Cells
from app.transfer.row_file import Reading, opened_rows
from app.transfer.rows import Row
from app.transfer.source import STANDARD_INPUT
from app.transfer.zstd import zstd

EMAIL = "e@example.com"


def read(
    content: bytes, folder: Path, definitions: dict[str, str] | None = None, **options: Any
) -> tuple[str, list[Row]]:
    """The description of a file, and its rows."""
    path = folder / "contacts.csv"
    path.write_bytes(content)
    with opened_rows(Reading(path, **options), definitions or {}) as (_, rows):
        return rows.description, list(rows.rows())


def contact(content: str, folder: Path, **options: Any) -> dict[str, Any]:
    """What the only row of a file gives."""
    _, [row] = read(content.encode(), folder, **options)
    assert row.faults == []
    return row.contact


def faults(content: str, folder: Path, **options: Any) -> list[tuple[int, str]]:
    _, rows = read(content.encode(), folder, **options)
    return [(row.line, fault.message) for row in rows for fault in row.faults]


@pytest.mark.parametrize(
    ("encoding", "described"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_encoding_is_found_out(encoding: str, described: str, tmp_path: Path) -> None:
    names = ["Jürgen Groß", "François Lefèvre", "Ängström Åsa", "José Muñoz", "Zoë Été"]
    lines = ["email,name", *(f"{EMAIL},{name}" for name in names)]
    found, rows = read("\r\n".join(lines).encode(encoding), tmp_path)
    assert found == f"CSV in {described}, separated by commas"
    assert [row.contact["name"] for row in rows] == names


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("cp1250", "Łukasz Wójcik, Żaneta Wiśniewska, Paweł Gołębiewski, Bożena Dąbrowska"),
        ("cp1250", "Jiří Dvořák, Růžena Kučerová, Šárka Němcová, Zdeněk Černý, Lukáš Novák"),
        ("cp1250", "István Szűcs, Enikő Török, Győző Kovács, Ödön Németh, Ágnes Tóth"),
        ("cp1250", "Łukasz Wójcik, Růžena Kučerová, Győző Szűcs, Željko Đurić, Ştefan Niţă"),
        ("iso8859_2", "Łukasz Wójcik, Żaneta Wiśniewska, Šárka Tomášková, Ľubomír Šťastný"),
        ("cp1252", "José Muñoz, Begoña Núñez, Íñigo Ibáñez, Ángela Peña, Raúl Gómez"),
        ("cp1252", "Jürgen Groß, Hélène Lefèvre, Íñigo Muñoz, Åsa Sjögren, João Simões"),
        ("cp1254", "Ayşe Şimşek, İbrahim Çelik, Gökhan Şahin, Tuğba Öztürk"),
        ("cp1257", "Rūta Žukauskienė, Jānis Bērziņš, Šarūnas Kazlauskas, Līga Kalniņa"),
        ("mac_roman", "Jürgen Groß, Käthe Schäfer, Björn Köhler, Günther Weiß"),
        ("iso8859_15", "Jürgen Groß, Käthe Schäfer, Björn Köhler, Günther Weiß"),
        ("cp1251", "Иван Петрович Сидоров, Мария Кузнецова, Ольга Васильевна Орлова"),
        ("cp932", "山田太郎さん, 鈴木はなこ, たなかけいこと申します"),
        ("gb18030", "王小明先生你好, 李娜在北京工作, 张伟和他的朋友们"),
    ],
)
def test_encoding_is_found_out_by_the_letters(encoding: str, written: str, tmp_path: Path) -> None:
    names = written.split(", ") * 4
    lines = ["email,name", *(f"{EMAIL},{name}" for name in names)]
    _, rows = read("\n".join(lines).encode(encoding), tmp_path)
    assert [row.contact["name"] for row in rows] == names


def test_bytes_that_are_no_text_reject_their_row_alone(tmp_path: Path) -> None:
    lines = [f"{EMAIL},Zoë".encode()] * 20 + [b"e@example.com,Zo\xeb"]
    _, rows = read(b"\n".join([b"email,name", *lines]), tmp_path)
    assert [row.faults[0].message for row in rows if row.faults] == ["name: must be text in utf-8"]


def test_encoding_is_found_out_at_the_end_of_a_file_and_in_long_lines(tmp_path: Path) -> None:
    described, [row] = read(f"email,name\n{EMAIL},René".encode("cp1252"), tmp_path)
    assert (described, row.contact["name"]) == ("CSV in cp1252, separated by commas", "René")
    long = [f"{EMAIL},{'x' * (number % 2)}{'ж' * 40_000}" for number in range(4)]
    described, _ = read("\n".join(["email,notes", *long]).encode(), tmp_path)
    assert described == "CSV in utf-8, separated by commas"


@pytest.mark.parametrize("encoding", ["latin-99", "base64", "undefined"])
def test_named_encoding_must_be_one_of_text(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="--encoding must be the name of an encoding"):
        read(b"email\n", tmp_path, encoding=encoding)


@pytest.mark.parametrize(
    "compress",
    [
        gzip.compress,
        zstd.compress,
        lambda plain: zstd.compress(plain[:9]) + zstd.compress(plain[9:]),
    ],
    ids=["gzip", "zstd", "zstd in frames"],
)
def test_compressed_file_is_read(compress: Any, tmp_path: Path) -> None:
    _, rows = read(compress(f"email\n{EMAIL}\n".encode()), tmp_path)
    assert [row.contact for row in rows] in ([{"email": EMAIL}], [{"email": EMAIL}] * 2)


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_damaged_archive_is_refused(compress: Any, tmp_path: Path) -> None:
    whole = compress(f"email\n{EMAIL}\n".encode() * 1000)
    with pytest.raises(CommandFailed, match=r"contacts\.csv ends early or is damaged"):
        read(whole[:-9], tmp_path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_out(delimiter: str, tmp_path: Path) -> None:
    text = f'email,name,notes\n{EMAIL},Ada,"a;b,c|d"\n'.replace(",", delimiter)
    given = contact(text, tmp_path)
    assert given["name"] == "Ada"
    assert given["notes"].count("b") == 1


def test_first_line_may_name_the_delimiter(tmp_path: Path) -> None:
    _, [row] = read(b"sep=;\r\nemail;name\r\ne@example.com;Ada\r\n", tmp_path)
    assert (row.line, row.contact["name"]) == (3, "Ada")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_breaks_in_quotes_are_kept(end: str, tmp_path: Path) -> None:
    text = end.join(
        ["email,notes,name", f'{EMAIL},"one{end}{end}""two""",Ada', f"{EMAIL},x,Bob", ""]
    )
    _, rows = read(text.encode(), tmp_path)
    assert [row.line for row in rows] == [2, 5]
    assert rows[0].contact["notes"] == f'one{end}{end}"two"'


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = gzip.compress(f"email\n{EMAIL}\n".encode())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    with opened_rows(Reading(STANDARD_INPUT), {}) as (_, rows):
        assert [row.contact for row in rows.rows()] == [{"email": EMAIL}]


def test_columns_are_found_by_name_in_any_spelling(tmp_path: Path) -> None:
    text = "E-Mail,FIRST NAME,last_name,address line1,Custom Fields.plan,seats,ID\n"
    given = contact(
        f"{text}{EMAIL},Ada,Lovelace,Street,gold,7,9\n", tmp_path, definitions={"seats": "NUMBER"}
    )
    assert given == {
        "email": EMAIL,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "addressLine1": "Street",
        "customFields": {"plan": "gold", "seats": 7},
    }


def test_mapping_gives_columns_to_fields_or_leaves_them_out(tmp_path: Path) -> None:
    mapping = {"Mail": "email", "Level": "customFields.level", "Age": ""}
    given = contact(f"Mail,Level,Age\n{EMAIL},3,40\n", tmp_path, mapping=mapping)
    assert given == {"email": EMAIL, "customFields": {"level": "3"}}


@pytest.mark.parametrize(
    ("header", "mapping", "message"),
    [
        ("email,Age", {}, "No field has the name of these columns: Age."),
        ("email,E-Mail", {}, "More than one column gives email."),
        ("email", {"Mail": "email"}, "--map names columns that the file does not have: Mail."),
        ("email,x", {"x": "nickname"}, "--map gives x to nickname, which is not a field"),
    ],
)
def test_columns_are_never_guessed(
    header: str, mapping: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandFailed) as refused:
        read(f"{header}\n".encode(), tmp_path, mapping=mapping)
    assert refused.value.message.startswith(message)


def test_cells_have_the_type_of_their_field(tmp_path: Path) -> None:
    definitions = {"n": "NUMBER", "b": "BOOLEAN", "j": "JSON", "s": "STRING", "d": "DATETIME"}
    cells = {
        "lifetimeValue": ("-12.5", -12.5),
        "ordersCount": (" 7 ", 7),
        "isActive": ("No", False),
        "tags": ('"a, b,,a"', ["a", "b", "a"]),
        "metadata": ('"{""k"": [1]}"', {"k": [1]}),
        "lastOrderAt": ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
        "phone": ("'+49 30 1", "+49 30 1"),
        "name": ("''=x", "'=x"),
        "n": ("1e3", 1000.0),
        "b": ("1", True),
        "j": ("[1]", [1]),
        "s": ("007", "007"),
        "d": ("2026", "2026"),  # the API says what is wrong with it
    }
    text = ",".join(cells) + "\n" + ",".join(cell for cell, _ in cells.values())
    given = contact(text, tmp_path, definitions=definitions)
    given |= given.pop("customFields")
    assert given == {name: value for name, (_, value) in cells.items()}


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("lifetimeValue", "1.234,50"),
        ("lifetimeValue", "1e999"),
        ("lifetimeValue", "NaN"),
        ("ordersCount", "1.0"),
        ("ordersCount", "3000000000"),
        ("isActive", "maybe"),
        ("metadata", "[1]"),
        ("metadata", "{'a': 1}"),
        ("customFields", "[" * 100_000),
    ],
)
def test_value_that_cannot_be_converted_is_rejected(column: str, cell: str, tmp_path: Path) -> None:
    [(line, message)] = faults(f"email;{column}\n{EMAIL};{cell}\n", tmp_path)
    assert line == 2
    assert message.startswith(f"{column}: ")


def test_empty_cells_keep_or_clear(tmp_path: Path) -> None:
    text = f"email,name,customFields.a,tags\n{EMAIL}, ,,\n"
    assert contact(text, tmp_path) == {"email": EMAIL}
    assert contact(text, tmp_path, cells=Cells(empty_clears=True)) == {
        **{"email": EMAIL, "name": None, "tags": None},
        "customFields": {"a": None},
    }


def test_malformed_rows_are_rejected_with_their_lines_and_no_other(tmp_path: Path) -> None:
    lines = [
        "email,name",
        f"{EMAIL},Ada",
        EMAIL,
        f"{EMAIL},Bob,x",
        f'{EMAIL},"never closed',
        f"{EMAIL},Cleo",
        f'{EMAIL},"half" closed',
        *[""] * 50,
        ",",
        f"{EMAIL},Dora",
    ]
    _, rows = read("\n".join(lines).encode(), tmp_path)
    assert [(row.line, row.contact.get("name"), len(row.faults)) for row in rows] == [
        (2, "Ada", 0),
        *((line, None, 1) for line in (3, 4, 5)),
        (6, "Cleo", 0),
        (7, None, 1),
        (59, "Dora", 0),
    ]
    assert rows[3].original == [EMAIL, "never closed\n"]


def test_cell_of_ten_million_characters_is_read(tmp_path: Path) -> None:
    given = contact(f'email,notes\n{EMAIL},"{"x" * 10_000_000}"\n', tmp_path)
    assert len(given["notes"]) == 10_000_000


def test_line_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.transfer.records.LINE_LIMIT", 1000)
    with pytest.raises(CommandFailed, match=r"Line 2 must have at most 1,000 characters\."):
        read(f"email\n{'x' * 1001}".encode(), tmp_path)


def test_lines_of_ndjson_are_checked_one_by_one(tmp_path: Path) -> None:
    lines = [
        f'{{"email": "{EMAIL}", "tags": ["a"],"customFields": {{"n": 1}}, "isUnsubscribed": true}}',
        '{"email": 5}',
        "",
        '{"nickname": "x"}',
        '{"lifetimeValue": 1e999}',
        '{"ordersCount": 3000000000}',
        "[1]",
        "{",
        "[" * 100_000,
    ]
    described, rows = read("\n".join(lines).encode(), tmp_path)
    assert described == "NDJSON in utf-8"
    assert rows[0].contact == {"email": EMAIL, "tags": ["a"], "customFields": {"n": 1}}
    assert rows[0].is_unsubscribed
    assert [(row.line, [fault.message for fault in row.faults]) for row in rows[1:]] == [
        (2, ["email: must be text"]),
        (4, ["nickname: is not a field of a contact"]),
        (5, ["lifetimeValue: must be a finite number"]),
        (6, ["ordersCount: must be from -2,147,483,648 to 2,147,483,647"]),
        (7, ["The line must be a JSON object."]),
        (8, ["The line must be JSON: Expecting property name enclosed in double quotes."]),
        (9, ["The line is nested too deeply."]),
    ]


def test_rejected_rows_are_read_again_without_what_was_added(tmp_path: Path) -> None:
    for text in ("email;name\nbad\ne@example.com;Zoë\n", '{"email": 5}\n{"a\n{"name": "Zoë"}\n'):
        path = tmp_path / "contacts"
        path.write_text(text)
        with opened_rows(Reading(path), {}) as (_, rows):
            once = rows.rejected_header() + "".join(
                rows.rejected(row, row.faults) for row in rows.rows()
            )
        path.write_text(once)
        with opened_rows(Reading(path), {}) as (_, rows):
            header = rows.rejected_header()
            assert header == once[: len(header)]
            contacts = [row.contact for row in rows.rows()]
        assert contacts[-1]["name"] == "Zoë"
        assert contacts[0] == {}


def test_header_is_required(tmp_path: Path) -> None:
    for content, message in (("", "is empty"), ('email,"x\n', "is malformed")):
        with pytest.raises(CommandFailed, match=message):
            read(content.encode(), tmp_path)


def test_columns_of_a_file_are_rejected_in_the_csv_of_its_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text('email;name\ne@example.com;"a;b";c\n')
    with opened_rows(Reading(path), {}) as (_, rows):
        [row] = rows.rows()
        [cells] = csv.reader([rows.rejected(row, row.faults)], delimiter=";")
    assert cells == [
        *("2", "MALFORMED_ROW", "The row has 3 cells, and the header has 2."),
        *(EMAIL, "a;b", "c"),
    ]
