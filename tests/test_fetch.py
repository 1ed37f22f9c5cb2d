"""``gongkai fetch``: what lies in the folder afterwards, what a second run does, and what a kill leaves."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fetching import PAGE, PDF, PNG, REPORT, ROOT, Desk, html, serve_page
from misbehaving import Server, raw, reply
from test_flow import prefect_states

from extractors.extract import read_document
from flows.cli import main
from flows.inbox import find_files
from flows.snapshots import FolderError, Row, Snapshots, picture_file, safe_name


class TestPages:
    def test_what_belongs_to_a_page_lies_beside_it(self, desk: Desk, server: Server) -> None:
        address = serve_page(server)
        summary = desk.fetch(address)
        assert desk.said == ""
        host, folder = f"127.0.0.1 {server.port}", desk.files()[0].split("/")[1]
        assert folder.startswith("t1.html ")
        assert [name.removeprefix(f"{host}/{folder}/") for name in desk.files()] == [
            "attachment-shown.pdf",
            "attachment-附件2.html",
            "attachment-年报.pdf",
            "attachment-年报2.pdf",
            "attachment-scan.jpg",
            "page.html",
            "page_files/%E5%9B%BE 1.png",
            "page_files/W01.png",
            "page_files/pic.jsp?id=3",
        ] or sorted(desk.files()) == desk.files()
        assert summary.outcomes == {"page": {"saved": 1}, "attachment": {"saved": 5}, "picture": {"saved": 3}}
        names = {name.removeprefix(f"{host}/{folder}/") for name in desk.files()}
        assert names == {
            "attachment-shown.pdf",
            "attachment-附件2.html",
            "attachment-年报.pdf",
            "attachment-年报2.pdf",
            "attachment-scan.jpg",
            "page.html",
            "page_files/%E5%9B%BE 1.png",
            "page_files/W01.png",
            "page_files/pic.jsp?id=3",
        }
        row = desk.row(f"{server.url}/down?id=8")
        assert (row["kind"], row["media_type"], row["headers"]["content-type"]) == (
            "attachment",
            "text/html",
            "application/pdf",
        )
        assert (row["parent"], row["text"]) == (address, "附件2")

    def test_the_folder_is_an_inbox(self, desk: Desk, server: Server) -> None:
        """Pages and attachments are files of it; pictures are parts of their page, and the reader finds them."""
        desk.fetch(serve_page(server))
        found = [path.name for path in find_files(desk.folder)]
        assert sorted(found) == sorted(
            [
                "page.html",
                "attachment-shown.pdf",
                "attachment-附件2.html",
                "attachment-年报.pdf",
                "attachment-年报2.pdf",
                "attachment-scan.jpg",
            ]
        )
        from extractors.pictures import _beside

        page = next(desk.folder.rglob("page.html"))
        read = [_beside(image, page) for image in read_document(page).images]
        assert read[:3] == [PNG + b"1", PNG + b"2", PNG + b"3"]

    def test_a_second_run_asks_only_for_what_changed(self, desk: Desk, server: Server) -> None:
        address = serve_page(server)
        first = desk.fetch(address)
        before = {name: (desk.folder / name).stat().st_mtime_ns for name in desk.files()}
        second = desk.fetch(address)
        assert second.outcomes == {kind: {"unchanged": sum(counts.values())} for kind, counts in first.outcomes.items()}
        assert {name: (desk.folder / name).stat().st_mtime_ns for name in desk.files()} == before
        row = desk.rows()[-len(desk.rows()) // 2]
        assert (row["run"], row["status"], row["outcome"]) == (2, 304, "unchanged")
        assert row["sha256"] == desk.rows()[0]["sha256"] and row["headers"]["content-type"].startswith("text/html")

    def test_a_changed_page_is_a_version_with_its_pictures(self, desk: Desk, server: Server) -> None:
        address = serve_page(server)
        desk.fetch(address)
        old = desk.files()
        server.pages["/zwgk/t1.html"] = reply(body=html(PAGE.replace("126", "127")))
        server.pages["/zwgk/W01.png"] = reply(404)
        desk.fetch(address)
        new = [name for name in desk.files() if name not in old]
        folder = old[0].split("/")[1]
        assert {name.split(f"{folder} (2)/")[1] for name in new} == {
            "page.html",
            "page_files/pic.jsp?id=3",
            "page_files/%E5%9B%BE 1.png",
        }
        assert set(old) < set(desk.files())
        desk.fetch(address)
        assert desk.row(address)["outcome"] == "unchanged"

    def test_the_same_bytes_are_stored_once(self, desk: Desk, server: Server) -> None:
        first, second = serve_page(server), f"{server.url}/copy.html"
        server.pages["/copy.html"] = server.pages["/zwgk/t1.html"]
        server.pages["/other.html"] = reply(body=html('<p>附件：<a href="/zwgk/files/年报.pdf">年报</a></p>'))
        desk.fetch(first, second, f"{server.url}/other.html")
        row, known = desk.row(second), desk.row(first)
        assert (row["outcome"], row["file"], row["duplicate_of"]) == ("duplicate", known["file"], first)
        attachment = [row for row in desk.rows() if row["parent"] == f"{server.url}/other.html"]
        assert [(row["outcome"], row["text"]) for row in attachment] == [("duplicate", "年报")]
        assert len([name for name in desk.files() if name.endswith("年报.pdf")]) == 1
        assert server.paths.count("/zwgk/files/%E5%B9%B4%E6%8A%A5.pdf") == 1

    def test_a_lost_file_is_fetched_again(self, desk: Desk, server: Server) -> None:
        address = serve_page(server)
        desk.fetch(address)
        (desk.folder / desk.row(address)["file"]).unlink()
        before = desk.files()
        desk.fetch(address)
        assert desk.row(address)["status"] == 200
        assert sorted({*before, desk.row(address)["file"]}) == desk.files()

    def test_a_file_of_the_list_is_named_and_typed_by_its_bytes(self, desk: Desk, server: Server) -> None:
        server.pages |= {
            "/a/report.pdf": reply(body=html("页面不存在"), kind="application/pdf"),
            "/a/show?id=9": reply(body=PDF, kind="text/html"),
            "/a/scan": reply(body=PNG, kind="application/octet-stream"),
        }
        desk.fetch(*(f"{server.url}{path}" for path in server.pages if path != "/robots.txt"))
        assert [row["media_type"] for row in desk.rows()] == ["text/html", "application/pdf", "image/png"]
        assert {Path(name).name for name in desk.files()} == {"page.html", "show.pdf", "scan.png"}

    def test_the_served_charset_reaches_the_reader(self, desk: Desk, server: Server) -> None:
        """Two bytes are 年 in one encoding and another character in the other: only the header tells."""
        body = f"<html><body>{'<p>' + '甲' * 4 + '</p>'}</body></html>".encode("big5")
        server.pages["/a"] = reply(body=body, kind="text/html; charset=Big5")
        server.pages["/b"] = reply(body=body, kind="text/html")
        desk.fetch(f"{server.url}/a")
        assert desk.rows()[0]["charset"] == "big5"
        page = next(desk.folder.rglob("page.html"))
        assert "甲甲甲甲" in read_document(page).text
        (page.parent / ".page.html.headers").unlink()
        assert "甲甲甲甲" not in read_document(page).text

    def test_authority_and_year_of_the_list_name_the_folder(self, desk: Desk, server: Server, tmp_path: Path) -> None:
        server.pages["/a"] = reply(body=html(REPORT))
        path = tmp_path / "list.csv"
        path.write_text(f"address,authority,year\n{server.url}/a,青石镇/../../x,2022\n", encoding="utf-8")
        desk.fetch(str(path))
        row = desk.rows()[0]
        assert (row["authority"], row["year"]) == ("青石镇/../../x", 2022)
        assert row["file"].startswith(f"127.0.0.1 {server.port}/青石镇_.._.._x 2022 ")
        assert (desk.folder / row["file"]).is_file()


HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "C:\\Windows\\x.pdf",
    "a\x00b.pdf",
    "x" * 500 + ".pdf",
    "年" * 300 + ".pdf",
    "CON.pdf",
    ".htaccess",
    "a\nb.pdf",
    "\u202egnp.pdf",
    "",
    "   ",
    "a/b/c.pdf",
    "报告?.pdf",
    "\ud800.pdf",
    "-rf",
    "~",
    "x.",
]


class TestNames:
    @pytest.mark.parametrize("name", HOSTILE)
    @pytest.mark.parametrize("make", [safe_name, picture_file])
    def test_any_text_becomes_the_name_of_a_file(self, name: str, make: Any, tmp_path: Path) -> None:
        safe = make(name)
        (tmp_path / safe).write_bytes(b"x")
        assert [path.name for path in tmp_path.iterdir()] == [safe]
        assert len(safe.encode()) < 240 and not safe.startswith(".")

    @pytest.mark.parametrize(
        "name", ["../../x.pdf", "..%2f..%2fx.pdf", "C:\\x.pdf", "\u202efdp.exe", "x" * 400, "年报.pdf"]
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
    def test_names_that_servers_give(self, name: str, encoding: str, desk: Desk, server: Server) -> None:
        head = b'HTTP/1.1 200 X\r\nContent-Length: 3\r\nContent-Disposition: attachment; filename="%b"\r\n\r\n%%PD'
        server.pages["/a"] = raw(head % name.encode(encoding))
        desk.fetch(f"{server.url}/a")
        (file,) = desk.files()
        assert (desk.folder / file).resolve().is_relative_to(desk.folder.resolve())
        assert len(Path(file).parts) == 3
        if name == "年报.pdf":
            assert Path(file).name.startswith("年报.pdf")

    @pytest.mark.parametrize(
        "path", ["/../../../x", "/%2e%2e/%2e%2e/x", "/a/..%2f..%2fetc", "/%00", "/" + "年" * 300, "/\\..\\x"]
    )
    def test_paths_of_addresses(self, path: str, desk: Desk, server: Server) -> None:
        desk.fetch(f"{server.url}{path}")
        asked = server.paths[0]
        server.pages[asked] = reply(body=PDF)
        desk.fetch(f"{server.url}{path}")
        (file,) = desk.files()
        assert (desk.folder / file).resolve().is_relative_to(desk.folder.resolve())


class TestFolder:
    def test_two_fetches_do_not_share_a_folder(self, desk: Desk) -> None:
        with Snapshots(desk.folder), pytest.raises(FolderError, match="in use"):
            Snapshots(desk.folder)

    def test_a_manifest_that_is_none_is_not_overwritten(self, desk: Desk) -> None:
        desk.folder.mkdir()
        (desk.folder / "manifest.jsonl").write_text('{"a": 1}\n')
        with pytest.raises(FolderError, match="line 1"):
            Snapshots(desk.folder)

    def test_an_interrupted_run_goes_on_where_it_was(self, desk: Desk, server: Server) -> None:
        """What was settled is not asked again, a line that was cut off is, and half files are gone."""
        addresses = [serve_page(server), f"{server.url}/b"]
        server.pages["/b"] = reply(body=html(REPORT))
        desk.fetch(*addresses)
        lines = (desk.folder / "manifest.jsonl").read_bytes().splitlines(keepends=True)
        (desk.folder / "manifest.jsonl").write_bytes(b"".join(lines[:4]) + lines[4][:50])
        (desk.folder / ".unfinished").write_text("1\n")
        (desk.folder / ".parts" / "half").write_bytes(b"x")
        files = {name: (desk.folder / name).read_bytes() for name in desk.files()}
        server.requests.clear()
        desk.fetch(*addresses)
        assert len(server.paths) == len(lines) - 4
        assert {name: (desk.folder / name).read_bytes() for name in desk.files()} == files
        assert {row["run"] for row in desk.rows()} == {1}
        assert len(desk.rows()) == len(lines)
        assert list((desk.folder / ".parts").iterdir()) == []

    def test_a_full_disk_stops_the_run(self, desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(self: Snapshots, *arguments: object) -> None:
            raise OSError(28, "No space left on device")

        serve_page(server)
        monkeypatch.setattr(Snapshots, "keep", full)
        with pytest.raises(FolderError, match="No space left"):
            desk.fetch(f"{server.url}/zwgk/t1.html", f"http://localhost:{server.port}/zwgk/t1.html")
        assert (desk.folder / ".unfinished").exists()


class TestCommand:
    @pytest.mark.parametrize(
        "arguments",
        [["missing.csv"], ["http://a.gov.cn/", "--contact", "a\nb"], ["http://a.gov.cn/", "--out", "/dev/null/x"]],
    )
    def test_wrong_usage(
        self, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["fetch", *arguments]) == 2
        assert capfd.readouterr().err.startswith("gongkai: ")

    def test_every_error_code_is_in_the_docs(self) -> None:
        text = (ROOT / "docs" / "fetch.md").read_text(encoding="utf-8")
        code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "flows").glob("*.py")))
        codes = set(re.findall(r'FetchError\(\s*"(\w+)"', code)) | {"crashed"}
        assert len(codes) > 10
        assert {name for name in codes if f"`{name}`" not in text} == set()
        assert {name for name in Row.__slots__ if f"`{name}`" not in text} == set()

    def test_a_bug_costs_one_address(self, desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(data: bytes, address: str, charset: str | None) -> Any:
            raise RecursionError("too deep")

        monkeypatch.setattr("flows.fetch.find_links", broken)
        desk.fetch(serve_page(server))
        assert [(row["outcome"], row["error"]) for row in desk.rows()] == [("saved", None), ("failed", "crashed")]
        assert "RecursionError: too deep (test_fetch.py, line " in desk.rows()[1]["message"]


# Fetches as the command does, without the half minute that Prefect takes to start.
SCRIPT = """
import asyncio, sys
from pathlib import Path
from flows.client import Limits
from flows.fetch import FetchOptions, fetch_list
from flows.screen import Screen
from flows.web import Manners, Web
options = FetchOptions((sys.argv[1],), Path(sys.argv[2]), ("127.0.0.1",))
async def run():
    web = Web(Limits(), Manners(delay_s=0.05), frozenset(options.allow_hosts), "gongkai")
    await fetch_list(options, web, Screen(), lambda fetcher: fetcher.fetch)
asyncio.run(run())
"""


@pytest.mark.slow
def test_killed_again_and_again_it_ends_as_if_undisturbed(server: Server, tmp_path: Path) -> None:
    addresses = []
    for number in range(20):
        serve_page(server, PAGE.replace("126", str(number)), f"/zwgk/t{number}.html")
        addresses.append(f"{server.url}/zwgk/t{number}.html")
    (tmp_path / "list.txt").write_text("\n".join(addresses))

    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path / "list.txt"), str(folder)], cwd=ROOT)

    whole, killed = Desk(tmp_path / "whole"), Desk(tmp_path / "killed")
    assert start(whole.folder).wait(300) == 0
    chance = random.Random(7)
    for _ in range(5):
        asked = len(server.requests) + chance.randint(2, 4)
        process = start(killed.folder)
        while len(server.requests) < asked and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.random() / 50)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert start(killed.folder).wait(300) == 0
    assert {row["run"] for row in killed.rows()} == {1}
    keys = [(row["address"], row["parent"]) for row in killed.rows()]
    assert len(set(keys)) == len(keys) == len(whole.rows())
    contents = [{name: (desk.folder / name).read_bytes() for name in desk.files()} for desk in (whole, killed)]
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_the_whole_fetch_under_prefect(server: Server, tmp_path: Path) -> None:
    """No server at hand, no noise, an address that gave nothing is one line; then the folder is read as an inbox."""
    address = serve_page(server)
    (tmp_path / "列表.csv").write_text(f"链接,单位名称,年度\n{address},青石镇,2022\n{server.url}/none,白水局,2021\n")
    hidden = ("PREFECT", "HOME", "DO_NOT_TRACK")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "flows.cli", "fetch", "列表.csv", "--allow-host", "127.0.0.1", "--delay", "0.01"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=400
    )
    assert done.returncode == 3, done.stderr
    said = done.stderr.splitlines()
    assert said[0] == "2 addresses to ask, 8 hosts at the same time"
    assert said[2:] == [f"{server.url}/none: status: HTTP 404"]
    assert done.stdout.startswith("Asked for 2 addresses in ")
    assert prefect_states(tmp_path / "gongkai-store" / "prefect" / "prefect.db") == {
        "Completed": 1,
        "Failed in part": 1,
    }
    assert len(list(find_files(tmp_path / "snapshots"))) == 6
