"""The review page in a real browser, by keyboard alone; skipped where there is no Chromium to drive."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from conftest import make_file
from test_review import EVIL, LOST, TEXT, TOTAL, Shown, place, record_of

from flows.decisions import Decision, open_decisions
from flows.review.app import make_app
from flows.store import Store

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with Store(tmp_path, writable=True) as store:
        store.start_run(Path("inbox"), "1")
        for name in ("a.txt", "b.txt"):
            store.add_report(1, "1", make_file(name, name), record_of(name, authority=EVIL, title=EVIL))
    listener = socket.create_server(("127.0.0.1", 0))
    app = make_app(tmp_path, "周岚", Shown())
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = opened.new_page(locale="en-GB")
        page.failures = []
        page.on("pageerror", lambda error: page.failures.append(str(error)))
        page.on("console", lambda message: page.failures.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: page.failures.append("a dialog") or dialog.dismiss())
        yield page
        opened.close()
        assert page.failures == []


def standing(folder: Path) -> dict[tuple[str, str], Decision]:
    with open_decisions(folder) as decisions:
        return decisions.standing(str(make_file("", "a.txt").sha256))


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def chosen(page: Any) -> str:
    return str(page.evaluate("document.querySelector('.item.chosen')?.dataset.target"))


def test_a_cell_a_span_and_an_undo_by_keyboard_alone(address: str, browser: Any, tmp_path: Path) -> None:
    browser.goto(address)
    with browser.expect_navigation():
        press(browser, "n")
    assert chosen(browser) == "form.balance:x"
    with browser.expect_navigation():
        press(browser, "p")
    assert standing(tmp_path)["finding", "form.balance:x"].verdict == "publisher"

    # The next doubt is the illegible cell: its print is typed.
    assert chosen(browser) == LOST
    press(browser, "c")
    browser.keyboard.insert_text("4")
    with browser.expect_navigation():
        press(browser, "Enter")
    truth = standing(tmp_path)["cell", LOST].truth
    assert truth == {"status": "reported", "value": 4, "raw": "4"}

    # Then the doubtful claim, behind characters that are two UTF-16 units each: its end moves by one code point.
    target = place("43条", "disclosed_part")
    assert chosen(browser) == target
    lit = browser.evaluate("[...CSS.highlights.get('lamp')][0].toString()")
    assert lit == "43条"
    press(browser, "c")
    assert browser.evaluate("document.getElementById('span-words').textContent") == "43条"
    press(browser, "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowRight", "Tab")
    browser.keyboard.type("interp")
    with browser.expect_navigation():
        press(browser, "Tab", "Enter")
    truth = standing(tmp_path)["claim", target].truth
    assert truth is not None
    start = TEXT.index("43条")
    assert (truth["start"], truth["end"], truth["text"]) == (start, start + 2, "43")

    # Taken back, one after the other; what is taken back is chosen again.
    with browser.expect_navigation():
        press(browser, "z")
    assert chosen(browser) == target
    with browser.expect_navigation():
        press(browser, "z")
    assert chosen(browser) == LOST
    assert list(standing(tmp_path)) == [("finding", "form.balance:x")]


def test_words_are_selected_with_the_mouse_in_code_points(address: str, browser: Any, tmp_path: Path) -> None:
    browser.goto(f"{address}/report/1")
    spot = browser.evaluate(
        """() => { const walker = document.createTreeWalker(document.getElementById('text'), NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) { const at = walker.currentNode.data.indexOf('未收到'); if (at < 0) continue;
        const range = document.createRange(); range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + 3); const box = range.getBoundingClientRect();
        return [box.left, box.right, (box.top + box.bottom) / 2]; } }"""
    )
    left, right, middle = spot
    browser.mouse.move(left + 1, middle)
    browser.mouse.down()
    browser.mouse.move(right - 1, middle, steps=5)
    browser.mouse.up()
    assert browser.evaluate("document.getElementById('span-words').textContent") == "未收到"
    browser.select_option("#correct-span select", "requests_received")
    with browser.expect_navigation():
        press(browser, "Enter")
    (target,) = (key for kind, key in standing(tmp_path) if kind == "claim")
    assert target == place("未收到", "requests_received")


def test_a_script_in_a_name_stays_text(address: str, browser: Any) -> None:
    for path in ("/", "/report/1", "/bulk", "/decisions"):
        browser.goto(address + path)
        assert browser.evaluate("document.scripts.length") == 1
    browser.goto(f"{address}/report/1")
    assert EVIL in browser.evaluate("document.body.textContent")
    assert browser.evaluate(f"document.querySelector('[data-target=\"{TOTAL}\"]').dataset.raw") == "31"


def test_findings_alike_are_decided_in_bulk_by_keyboard(address: str, browser: Any, tmp_path: Path) -> None:
    browser.goto(f"{address}/bulk")
    browser.locator("main form[action='/bulk'] button").first.focus()
    with browser.expect_navigation():
        press(browser, "Enter")
    assert standing(tmp_path)["finding", "form.balance:x"].batch is not None
    with browser.expect_navigation():
        press(browser, "z")
    assert standing(tmp_path) == {}
