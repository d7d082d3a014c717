"""The GraphiQL page, used in headless Chromium as a newcomer would use it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from graphql import build_schema
from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.support.browser import opened_browser
from tests.support.programs import built
from tests.support.server import Server

ROOT = Path(__file__).parent.parent.parent

PHONE = (360, 740)
WIDE = (1600, 900)
WINDOWS = [PHONE, (800, 600), WIDE]

SIZES = """() => {
    const page = document.scrollingElement;
    return [page.scrollLeft, page.scrollTop, page.scrollWidth, page.scrollHeight];
}"""
NEXT_FRAME = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
CUT_OFF = """() => [...document.querySelectorAll("button, input, label")].filter((part) => {
    const {left, top, right, bottom} = part.getBoundingClientRect();
    return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight;
}).map((part) => part.ariaLabel ?? part.textContent)"""
FIELDS_WITH = """(text) => [...document.querySelectorAll("input, textarea")]
    .filter((field) => field.value.includes(text)).map((field) => field.type)"""
HISTORY_AND_TABS = "localStorage['graphiql:queries'] && localStorage['graphiql:tabState']"


@dataclass
class Visit:
    page: Page
    requested: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def answer(self) -> Locator:
        return self.page.get_by_role("region", name="Result Window")

    @property
    def key(self) -> Locator:
        return self.page.get_by_label("API key", exact=True)

    def run(self, operation: str) -> int:
        """Returns the status of the response."""
        button = self.page.get_by_role("button", name="Execute query")
        expect(button).to_have_attribute("aria-haspopup", "menu")  # it knows the operations
        with self.page.expect_response(lambda response: asks_for(operation, response)) as response:
            button.click()
            self.page.get_by_role("menuitem", name=operation).click()
        return response.value.status


def asks_for(operation: str, response: Response) -> bool:
    """Unlike the responses to GraphiQL's own introspection."""
    return operation in (response.request.post_data or "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    built(ROOT / "app/graphiql/dist/index.html", "scripts/graphiql")
    with opened_browser() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, live_server: Server) -> Iterator[Visit]:
    page = browser.new_page()
    visit = Visit(page)
    page.on("request", lambda request: visit.requested.append(request.url))
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on(
        "console",
        lambda message: visit.errors.append(message.text) if message.type == "error" else None,
    )
    page.goto(f"{live_server.url}/graphiql/#key={live_server.key}")
    yield visit
    page.close()


def test_first_tab_upserts_and_lists_and_docs_open(visit: Visit, live_server: Server) -> None:
    page = visit.page
    visit.run("UpsertContact")
    expect(visit.answer).to_contain_text(re.compile("ContactCreated|ContactUpdated"))
    visit.run("UpsertContact")
    expect(visit.answer).to_contain_text("ContactUpdated")
    visit.run("ListContacts")
    expect(visit.answer).to_contain_text("nodes")
    expect(visit.answer).to_contain_text("ada@example.com")

    contact = build_schema((ROOT / "schema.graphql").read_text()).type_map["Contact"]
    assert contact.description
    page.get_by_role("button", name="Show Documentation Explorer").click()
    page.get_by_role("link", name="Contact", exact=True).click()
    expect(page.locator(".graphiql-doc-explorer")).to_contain_text(contact.description)

    outside = [url for url in visit.requested if not url.startswith((live_server.url, "data:"))]
    assert outside == []
    assert visit.errors == []


def test_page_fits_every_window(visit: Visit) -> None:
    page = visit.page
    editor = page.get_by_role("region", name="Operation Editor")
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        assert visit.run("ListContacts") == 200
        expect(visit.answer).to_contain_text("nodes")
        page.mouse.move(width / 2, height - 5)
        page.mouse.wheel(0, 1_000)
        page.evaluate(NEXT_FRAME)
        assert page.evaluate(SIZES) == [0, 0, width, height]
        assert page.evaluate(CUT_OFF) == []

        query, answer = editor.bounding_box(), visit.answer.bounding_box()
        assert query is not None
        assert answer is not None
        stacked = query["y"] + query["height"] <= answer["y"]
        beside = query["x"] + query["width"] <= answer["x"]
        assert (stacked, beside) == ((width, height) == PHONE, (width, height) != PHONE)
        assert min(answer["width"], answer["height"]) > 250

    last_lines = editor.locator(".view-line").filter(has_text=re.compile("^}$"))
    expect(last_lines).to_have_count(2)
    for line in last_lines.all():
        expect(line).to_be_in_viewport(ratio=1)

    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.get_by_role("button", name="Show Documentation Explorer").click()
    docs = page.locator(".graphiql-doc-explorer")
    expect(docs.get_by_role("link", name="Mutation")).to_be_in_viewport(ratio=1)
    assert page.evaluate(CUT_OFF) == []
    page.get_by_role("button", name="Hide Documentation Explorer").click()
    expect(docs).to_have_count(0)
    assert visit.run("ListContacts") == 200
    assert visit.errors == []


def test_key_stays_in_its_field_and_can_be_replaced(visit: Visit, live_server: Server) -> None:
    page, key = visit.page, live_server.key
    assert page.url == f"{live_server.url}/graphiql/"
    for _ in range(2):
        expect(visit.key).to_have_value(key)
        expect(visit.key).to_have_attribute("type", "password")
        assert visit.run("ListContacts") == 200
        assert key not in page.locator("body").inner_text()
        assert key not in page.content()
        assert page.evaluate(FIELDS_WITH, key) == ["password"]
        page.reload()

    page.get_by_role("button", name="Show API key").click()
    expect(visit.key).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide API key").click()
    expect(visit.key).to_have_attribute("type", "password")

    assert visit.errors == []
    for wrong in ("rollcall_wrong", ""):
        visit.key.fill(wrong)
        assert visit.run("ListContacts") == 401
    visit.key.click()
    page.keyboard.insert_text(f" {key} ")
    assert visit.run("ListContacts") == 200


def test_key_in_the_headers_is_sent_and_is_not_stored(visit: Visit, live_server: Server) -> None:
    page, key = visit.page, live_server.key
    visit.key.fill("rollcall_wrong")
    page.get_by_role("button", name="Headers", exact=True).click()
    page.get_by_role("region", name="Headers").get_by_role("textbox").focus()
    page.keyboard.insert_text(json.dumps({"Authorization": f"Bearer {key}"}))
    assert visit.run("ListContacts") == 200
    page.wait_for_function(HISTORY_AND_TABS)
    assert key not in page.evaluate("JSON.stringify(localStorage)")


def test_editors_follow_the_theme_of_the_system_and_of_the_page(visit: Visit) -> None:
    page = visit.page
    editor = page.locator(".graphiql-query-editor .monaco-editor").first
    light, dark = re.compile(r"\svs(\s|$)"), re.compile(r"\svs-dark(\s|$)")
    page.emulate_media(color_scheme="light")
    expect(editor).to_have_class(light)
    page.emulate_media(color_scheme="dark")
    expect(editor).to_have_class(dark)
    page.get_by_role("button", name="Open settings dialog").click()
    page.get_by_role("button", name="Light").click()
    expect(editor).to_have_class(light)
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Dark").click()
    expect(editor).to_have_class(dark)
    assert visit.errors == []
