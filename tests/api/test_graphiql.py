"""The GraphiQL page, used in headless Chromium as a newcomer would use it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from graphql import build_schema
from playwright.sync_api import Page, expect

from tests.support.browser import opened_page
from tests.support.programs import built
from tests.support.server import Server

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Visit:
    page: Page
    requested: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def run(self, operation: str) -> None:
        self.page.get_by_role("button", name="Execute query").click()
        self.page.get_by_role("menuitem", name=operation).click()


@pytest.fixture
def visit(live_server: Server) -> Iterator[Visit]:
    built(ROOT / "app/graphiql/dist/index.html", "scripts/graphiql")
    with opened_page() as page:
        visit = Visit(page)
        page.on("request", lambda request: visit.requested.append(request.url))
        page.on("pageerror", lambda error: visit.errors.append(str(error)))
        page.on(
            "console",
            lambda message: visit.errors.append(message.text) if message.type == "error" else None,
        )
        page.goto(f"{live_server.url}/graphiql/#key={live_server.key}")
        yield visit


def test_first_tab_upserts_and_lists_and_docs_open(visit: Visit, live_server: Server) -> None:
    page = visit.page
    expect(page.get_by_role("region", name="Headers")).to_contain_text(live_server.key)
    assert page.url == f"{live_server.url}/graphiql/"

    answer = page.get_by_role("region", name="Result Window")
    visit.run("UpsertContact")
    expect(answer).to_contain_text(re.compile("ContactCreated|ContactUpdated"))
    visit.run("UpsertContact")
    expect(answer).to_contain_text("ContactUpdated")
    visit.run("ListContacts")
    expect(answer).to_contain_text("totalCount")
    expect(answer).to_contain_text("ada@example.com")

    contact = build_schema((ROOT / "schema.graphql").read_text()).type_map["Contact"]
    assert contact.description
    page.get_by_role("button", name="Show Documentation Explorer").click()
    page.get_by_role("link", name="Contact", exact=True).click()
    expect(page.locator(".graphiql-doc-explorer")).to_contain_text(contact.description)

    outside = [url for url in visit.requested if not url.startswith((live_server.url, "data:"))]
    assert outside == []
    assert visit.errors == []


def test_key_survives_a_reload(visit: Visit, live_server: Server) -> None:
    visit.page.reload()
    expect(visit.page.get_by_role("region", name="Headers")).to_contain_text(live_server.key)
    visit.run("ListContacts")
    expect(visit.page.get_by_role("region", name="Result Window")).to_contain_text("totalCount")
    assert visit.errors == []
