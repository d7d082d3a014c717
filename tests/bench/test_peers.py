"""What `scripts/bench peers` refuses to measure, and what it reports."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import build_schema, parse, validate

from app.errors import CommandFailed
from bench.peers.client import checked
from bench.peers.comparison import require_equal
from bench.peers.data import NODE
from bench.peers.languages import ROLLCALL as OPERATIONS
from bench.peers.load import Load
from bench.peers.measurement import SHORT, Results
from bench.peers.report import report
from bench.peers.servers import MERCURIUS, ROLLCALL
from bench.peers.workloads import SERIAL, WORKLOADS, Sample

ROOT = Path(__file__).parent.parent.parent
A, B, C, D, E = WORKLOADS
NAMES = ["Rollcall", "Mercurius"]


@pytest.mark.parametrize("sdl", [ROOT / "schema.graphql", NODE / "schema.graphql"], ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_is_valid_in_both_schemas(name: str, sdl: Path) -> None:
    assert validate(build_schema(sdl.read_text()), parse(OPERATIONS[name])) == []


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (503, {"errors": [{"message": "Too busy."}]}),
        (200, {"data": {"contact": {"id": "1"}}, "errors": [{"message": "No."}]}),
        (200, {"data": {"contact": None}}),
        (200, {"data": None}),
    ],
)
def test_answer_with_an_error_is_refused(status: int, answer: Any) -> None:
    with pytest.raises(CommandFailed, match=rf"Rollcall \(a\) answered {status}"):
        checked("Rollcall (a)", status, orjson.dumps(answer))


def test_whole_answer_is_accepted() -> None:
    data = {"contact": {"id": "1", "phone": None}}
    assert checked("Rollcall (a)", 200, orjson.dumps({"data": data})) == data


def test_other_value_is_refused_by_its_path() -> None:
    answers = [{"contact": {"id": "1", "tags": ["a", tag]}} for tag in "bc"]
    with pytest.raises(CommandFailed, match=r"Mercurius .* data\.contact\.tags\[1\] is 'c' .* 'b'"):
        require_equal(A, NAMES, answers)


def test_missing_contact_of_a_page_is_refused() -> None:
    edges = [{"cursor": str(number), "node": {"id": number}} for number in range(3)]
    answers = [
        {"contacts": {"edges": part, "pageInfo": {"hasNextPage": True, "endCursor": "2"}}}
        for part in (edges, edges[1:])
    ]
    with pytest.raises(CommandFailed, match="otherwise"):
        require_equal(B, NAMES, answers)


def test_servers_may_choose_the_id_of_a_new_contact_only() -> None:
    def upserted(kind: str, contact_id: str) -> Any:
        contact = {"id": contact_id, "updatedAt": contact_id, "email": "a@example.com"}
        return {"upsertContact": {"__typename": kind, "contact": contact}}

    require_equal(C, NAMES, [upserted("ContactCreated", chosen) for chosen in "12"])
    with pytest.raises(CommandFailed, match=r"data\.contact\.id"):
        require_equal(C, NAMES, [upserted("ContactUpdated", chosen) for chosen in "12"])


def test_half_of_the_upserts_are_of_new_contacts() -> None:
    sample = Sample.of(["1"] * 10, workspace_size=2_000, seed=1)
    single = [variables["input"] for variables in sample.variables(C, [])]
    bulks = [variables["inputs"] for variables in sample.variables(D, [])]
    for inputs in (single, *bulks):
        assert len(inputs) == D.rows
        assert sum(SERIAL in one["externalId"] for one in inputs) == D.rows / 2
        assert all(SERIAL in orjson.dumps(one).decode() for one in inputs)


def test_no_two_bulks_change_the_same_contact() -> None:
    sample = Sample.of(["1"] * 10, workspace_size=5_000, seed=1)
    changed = [
        {one["externalId"] for one in variables["inputs"] if SERIAL not in one["externalId"]}
        for variables in sample.variables(D, [])
    ]
    assert len(changed) == 8
    assert len(set.union(*changed)) == sum(map(len, changed))


def test_ratio_is_the_median_of_the_rounds() -> None:
    loads = defaultdict(
        list,
        {
            (ROLLCALL, "a"): [Load(rate, 50, 1_000, 2_000) for rate in (100, 90, 300)],
            (MERCURIUS, "a"): [Load(rate, 100, 1_000, 2_000) for rate in (100, 30, 200)],
        },
    )
    resident = {ROLLCALL: 2**20}
    written = report("scripts/bench peers", SHORT, [], Results(loads, loads, {}, resident))
    assert written.startswith("```sh\nscripts/bench peers\n```\n")
    assert f"| {ROLLCALL} / {MERCURIUS} | 1.50 |" in written
    assert f"| {ROLLCALL} / {MERCURIUS} | 2.00 |" in written
    assert f"| {ROLLCALL} | 100 |" in written
