"""Metrics for Prometheus."""

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.commands import Rollcall, refused
from tests.support.databases import copied_postgresql
from tests.support.postgres import Cluster
from tests.support.server import Server, free_port

WORKERS = 2
CALLS = 20
UPSERT = """
mutation ($email: String) { upsertContact(input: {email: $email}) { __typename } }
"""


@pytest.fixture(scope="module", params=[1, WORKERS])
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    cluster: Cluster,
    postgresql_template: str,
) -> Iterator[Server]:
    server = Server(
        tmp_path_factory.mktemp("server"),
        *("--workers", str(request.param)),
        DATABASE_URL=copied_postgresql(cluster, postgresql_template),
        METRICS_PORT=str(free_port()),
    )
    server.start()
    yield server
    server.stop()


def scrape(server: Server) -> dict[tuple[str, str], float]:
    """The sum of each sample's values, by its name and the kind of its operations."""
    page = httpx.get(f"http://127.0.0.1:{server.environment['METRICS_PORT']}/metrics").text
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            key = sample.name, sample.labels.get("kind", "")
            found[key] = found.get(key, 0) + sample.value
    return found


def test_metrics_count_the_requests_of_all_workers(server: Server) -> None:
    for number in range(CALLS):
        server.post(UPSERT, email=f"{number}@example.com")
    server.post("{ contacts { nodes { id } } }")
    found = scrape(server)
    assert found["rollcall_request_seconds_count", "mutation"] == CALLS
    assert found["rollcall_rows_total", "mutation"] == CALLS
    assert found["rollcall_operation_cost_points_total", "mutation"] >= CALLS
    assert found["rollcall_request_seconds_count", "query"] == 1
    assert found["rollcall_rows_total", "query"] == CALLS
    assert found["rollcall_requests_in_flight", ""] == 0


def test_metrics_are_not_served_on_the_port_of_the_api(server: Server) -> None:
    assert httpx.get(f"{server.url}/metrics").status_code == 404


def test_server_whose_metrics_port_is_taken_does_not_start(
    server: Server, rollcall: Rollcall
) -> None:
    taken = server.environment["METRICS_PORT"]
    message = refused(rollcall("serve", PORT=str(free_port()), METRICS_PORT=taken))
    assert message.startswith(f"rollcall: Cannot serve metrics on 127.0.0.1:{taken}:")
