"""``gongkai fetch`` against a server that misbehaves: what is kept, what is refused, and what is never asked at all."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fetching import CONNECTED, HASTE, QUICK, REPORT, ROOT, Desk, html
from misbehaving import Act, Server, bomb, in_turn, raw, redirect, reply, slowly

from flows.addresses import FetchError, ListError, Wanted, is_public, parse_address, read_wanted
from flows.fetch import agent_name
from flows.links import find_links, load_words, site
from flows.screen import fetch_lines


class TestList:
    def test_text_with_comments(self, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text(
            "\ufeff# bodies\nhttp://a.gov.cn/1,2.html#top\n\n http://a.gov.cn/1,2.html \nhttps://b.gov.cn/\n"
        )
        assert [one.address for one in read_wanted([str(path)])] == ["http://a.gov.cn/1,2.html", "https://b.gov.cn/"]

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
    @pytest.mark.parametrize("delimiter", [",", "\t", ";"])
    def test_csv_by_its_heads(self, tmp_path: Path, encoding: str, delimiter: str) -> None:
        path = tmp_path / "list.csv"
        lines = [
            ["单位名称", "年度", "备注", "链接"],
            ["青石镇", "2022年", "", "http://a.gov.cn/1"],
            ["白水局", "近年", "", "x"],
        ]
        path.write_bytes("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
        found = read_wanted([str(path)])
        assert found == [Wanted("http://a.gov.cn/1", "青石镇", 2022), Wanted("x", "白水局", None)]
        assert found[0].label == "青石镇 2022"

    def test_csv_without_heads(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_text('"青石镇, 1",http://a.gov.cn/1\n')
        assert read_wanted([str(path)]) == [Wanted("http://a.gov.cn/1")]

    def test_no_list(self, tmp_path: Path) -> None:
        (tmp_path / "empty.txt").write_text("# nothing\n")
        (tmp_path / "none.csv").write_text("a,b\n1,2\n")
        for name in ("empty.txt", "none.csv", "missing.txt", "."):
            with pytest.raises(ListError):
                read_wanted([str(tmp_path / name)])


class TestAddresses:
    @pytest.mark.parametrize(
        "text",
        [
            "ftp://a.gov.cn/x",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "a.gov.cn/x",
            "http:///x",
            "",
            "http://[::1",
            "http://user:secret@a.gov.cn/",
            "http://user@a.gov.cn/",
            "http://a.gov.cn:99999/",
            "http://a.gov.cn:0/",
            "gopher://a.gov.cn",
            "http://a.gov.cn/" + "x" * 5000,
            "http://\ud800/",
        ],
    )
    def test_refused_without_asking(self, text: str) -> None:
        with pytest.raises(FetchError, match=".") as caught:
            parse_address(text)
        assert caught.value.code == "address"

    @pytest.mark.parametrize(
        "ip",
        [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "fe80::1%eth0",
            "fc00::1",
            "fec0::1",
            "ff02::1",
            "2002:7f00:1::",
            "2001:0:4136:e378::1",
            "2001:db8::1",
            "64:ff9b:1::1",
        ],
    )
    def test_no_public_address(self, ip: str) -> None:
        assert not is_public(ip)

    @pytest.mark.parametrize("ip", ["1.1.1.1", "223.5.5.5", "2400:3200::1", "::ffff:223.5.5.5", "64:ff9b::df05:505"])
    def test_public_addresses(self, ip: str) -> None:
        assert is_public(ip)


class TestRefusal:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "localhost",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "[::]",
            "１２７.0.0.1",
        ],
    )
    def test_spellings_of_this_machine_are_not_connected_to(self, host: str, desk: Desk, trap: Server) -> None:
        CONNECTED.clear()
        summary = desk.fetch(f"http://{host}:{trap.port}/secret", allow=())
        assert [row.error for row in summary.failed] in (["refused"], ["address"], ["unresolved"])
        assert trap.connections == 0
        assert CONNECTED == []
        assert desk.files() == []

    @pytest.mark.parametrize(
        "place",
        [
            "http://localhost:{port}/x",
            "http://2130706433:{port}/",
            "//[::1]:{port}/",
            "http://169.254.169.254/latest/meta",
            "http://10.0.0.1/",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "http://user:pw@127.0.0.1:{port}/",
        ],
    )
    def test_redirects_to_private_places_are_not_followed(
        self, place: str, desk: Desk, server: Server, trap: Server
    ) -> None:
        server.pages["/a"] = redirect(place.format(port=trap.port))
        CONNECTED.clear()
        desk.fetch(f"{server.url}/a")
        row = desk.row(f"{server.url}/a")
        assert row["outcome"] == "failed" and row["error"] in ("refused", "redirects")
        assert trap.connections == 0
        assert set(CONNECTED) == {("127.0.0.1", server.port)}

    def test_a_name_is_resolved_once_and_connected_where_it_was_checked(self, desk: Desk, trap: Server) -> None:
        """DNS rebinding: the second answer would be loopback, and is never asked for."""
        asked: list[str] = []

        async def rebinding(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["192.0.2.1" if len(asked) % 2 else "127.0.0.1"]

        CONNECTED.clear()
        desk.fetch(f"http://rebind.example.cn:{trap.port}/", allow=(), resolver=rebinding)
        assert trap.connections == 0 and CONNECTED == []
        assert desk.rows()[0]["error"] == "refused"

        asked.clear()

        async def public_then_private(host: str, port: int) -> list[str]:
            asked.append(host)
            # A public address of nobody's (2001:db8 and 192.0.2 count as private): the connection must go there.
            return ["203.0.114.1"] if len(asked) == 1 else ["127.0.0.1"]

        desk.fetch(
            f"http://rebind.example.cn:{trap.port}/",
            allow=(),
            resolver=public_then_private,
            limits=HASTE,
            manners=replace(QUICK, retries=0),
        )
        assert trap.connections == 0
        assert [("203.0.114.1", trap.port)] == CONNECTED

    def test_of_several_addresses_only_the_public_ones_are_tried(self, desk: Desk, trap: Server) -> None:
        async def mixed(host: str, port: int) -> list[str]:
            return ["127.0.0.1", "203.0.114.1", "::1"]

        CONNECTED.clear()
        desk.fetch(
            f"http://mixed.example.cn:{trap.port}/",
            allow=(),
            resolver=mixed,
            limits=HASTE,
            manners=replace(QUICK, retries=0),
        )
        assert trap.connections == 0
        assert [("203.0.114.1", trap.port)] == CONNECTED

    def test_an_allowed_name_is_asked(self, desk: Desk, server: Server) -> None:
        server.pages["/a"] = reply(body=html(REPORT))
        assert not desk.fetch(f"http://localhost:{server.port}/a", allow=("localhost",)).failed

    def test_proxies_of_the_environment_are_not_used(
        self, desk: Desk, server: Server, trap: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, trap.url)
        server.pages["/a"] = reply(body=html(REPORT))
        assert not desk.fetch(f"{server.url}/a").failed
        assert trap.connections == 0


class TestBadAnswers:
    @pytest.mark.parametrize(
        ("act", "code"),
        [
            pytest.param(redirect("/a"), "redirects", id="to itself"),
            pytest.param(redirect("/b"), "redirects", id="in a circle"),
            pytest.param(reply(302), "redirects", id="nowhere"),
            pytest.param(redirect("http://a.gov.cn:99999/"), "redirects", id="to no address"),
            pytest.param(bomb(64), "too_large", id="gzip bomb"),
            pytest.param(reply(200, b"x" * 100, content_encoding="gzip"), "broken", id="no gzip"),
            pytest.param(reply(200, b"x", content_encoding="br"), "encoding", id="brotli unasked"),
            pytest.param(reply(200, b"x", content_encoding=", ".join(["gzip"] * 9)), "broken", id="gzip nine times"),
            pytest.param(slowly(b"HTTP/1.1 200 X\r\n\r\n", b"x" * 50_000, 0), "too_large", id="endless body"),
            pytest.param(raw(b"HTTP/1.1 200 X\r\nA: " + b"x" * 300_000 + b"\r\n\r\n"), "broken", id="huge header"),
            pytest.param(raw(b"HTTP/1.1 200 X\r\n" + b"A: b\r\n" * 60_000 + b"\r\n"), "broken", id="many headers"),
            pytest.param(
                raw(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "broken", id="broken chunks"
            ),
            pytest.param(raw(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "broken", id="cut chunk"),
            pytest.param(raw(b"HTTP/1.1 200 X\r\nContent-Length: 999\r\n\r\nabc"), "broken", id="cut off"),
            pytest.param(
                raw(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\nContent-Length: 3\r\n\r\nabc"), "broken", id="two lengths"
            ),
            pytest.param(
                raw(b"HTTP/1.1 200 X\r\nContent-Length: 99999999999999999999\r\n\r\n"), "too_large", id="huge length"
            ),
            pytest.param(raw(b"SSH-2.0-OpenSSH_9\r\n"), "broken", id="not http"),
            pytest.param(raw(b""), "broken", id="hangs up"),
            pytest.param(reply(200, b""), "empty", id="nothing"),
            pytest.param(reply(404, html(REPORT)), "status", id="404"),
            pytest.param(reply(304), "status", id="304 unasked"),
            pytest.param(reply(206, b"abc"), "status", id="a part unasked"),
        ],
    )
    def test_a_bad_answer_costs_that_address_only(self, act: Act, code: str, desk: Desk, server: Server) -> None:
        server.pages |= {"/a": act, "/b": redirect("/a"), "/good": reply(body=html(REPORT))}
        summary = desk.fetch(f"{server.url}/a", f"{server.url}/good")
        row = desk.row(f"{server.url}/a")
        assert (row["outcome"], row["error"], row["file"], row["sha256"]) == ("failed", code, None, None)
        assert desk.row(f"{server.url}/good")["outcome"] == "saved"
        assert len(desk.files()) == 1
        assert list((desk.folder / ".parts").iterdir()) == []
        assert f"{server.url}/a: {code}: " in desk.said
        assert any("1 failed" in line for line in fetch_lines(summary))

    @pytest.mark.parametrize(
        "act",
        [
            pytest.param(slowly(b"HTTP/1.1 200 X\r\n\r\n", b"x", 0.05), id="dripping body"),
            pytest.param(slowly(b"HTTP/1.1 200 X\r\nA: ", b"x", 0.05), id="dripping headers"),
            pytest.param(slowly(b"", b"", 9), id="silence"),
        ],
    )
    def test_a_slow_answer_is_not_waited_for(self, act: Act, desk: Desk, server: Server) -> None:
        server.pages["/a"] = act
        started = time.monotonic()
        desk.fetch(f"{server.url}/a", limits=HASTE, manners=replace(QUICK, retries=0))
        assert time.monotonic() - started < 5
        assert desk.rows()[0]["error"] == "timeout"
        assert desk.files() == []

    def test_a_refused_connection_is_tried_again_and_then_let_go(self, desk: Desk) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            CONNECTED.clear()
            desk.fetch(f"http://127.0.0.1:{closed.getsockname()[1]}/")
        assert desk.rows()[0]["error"] == "unreachable"
        assert len(CONNECTED) == 2

    def test_only_what_can_pass_is_asked_again(self, desk: Desk, server: Server) -> None:
        page = reply(body=html(REPORT))
        server.pages |= {
            "/503": in_turn(reply(503), page),
            "/500": in_turn(reply(500), page),
            "/cut": in_turn(raw(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nab"), reply(body=html("x"))),
        }
        desk.fetch(*(f"{server.url}/{name}" for name in ("503", "500", "cut")))
        assert [row["outcome"] for row in desk.rows()] == ["saved", "failed", "saved"]
        assert server.paths == ["/503", "/503", "/500", "/cut", "/cut"]
        # The half body of the first try is not in the file.
        assert (desk.folder / desk.row(f"{server.url}/cut")["file"]).read_bytes() == html("x")


class TestManners:
    def test_robots_txt_is_asked_once_and_obeyed(self, desk: Desk, server: Server) -> None:
        rules = b"User-agent: *\nDisallow: /\n\nUser-agent: Gongkai\nAllow: /open/year/\nDisallow: /*.html$\n"
        server.pages |= {
            "/robots.txt": reply(body=rules, kind="text/plain"),
            "/a.html": reply(body=b"x"),
            "/open/year/a.html": reply(body=html(REPORT)),
            "/move": redirect("/a.html"),
        }
        desk.fetch(*(f"{server.url}{path}" for path in ("/a.html", "/open/year/a.html", "/move")))
        assert [row["error"] for row in desk.rows()] == ["robots", None, "robots"]
        assert [request.path for request in server.requests] == ["/robots.txt", "/open/year/a.html", "/move"]

    @pytest.mark.parametrize(
        ("act", "allowed"),
        [
            (reply(404), True),
            (reply(403), True),
            (reply(200, html("<b>Disallow: /</b>")), True),
            (reply(200, b"\xff\xfe\0"), True),
            (redirect("/robots.txt"), True),
            (redirect("http://10.0.0.1/"), True),
            (reply(200, b"a" * 600_000), True),
            (reply(200, b"User-agent: *\nDisallow: /\n" + b"#" * 600_000), False),
            (reply(500), False),
            (reply(503), False),
            (reply(429), False),
            (raw(b""), False),
            (bomb(3), True),
        ],
    )
    def test_what_stands_for_a_robots_txt(self, act: Act, allowed: bool, desk: Desk, server: Server) -> None:
        server.pages |= {"/robots.txt": act, "/a": reply(body=html(REPORT))}
        summary = desk.fetch(f"{server.url}/a")
        assert bool(summary.failed) is not allowed
        assert server.paths == (["/a"] if allowed else [])

    def test_a_host_is_asked_one_at_a_time_with_its_delay(self, desk: Desk, server: Server) -> None:
        server.pages["/robots.txt"] = reply(body=b"User-agent: *\nCrawl-delay: 0.2\n", kind="text/plain")
        for number in range(3):
            server.pages[f"/{number}"] = reply(body=html(f"{REPORT}{number}"))
        desk.fetch(*(f"{server.url}/{number}" for number in range(3)), manners=replace(QUICK, delay_s=0.05))
        times = [request.time for request in server.requests]
        # The delay that robots.txt asks for holds from the request after the next one on.
        assert times[1] - times[0] >= 0.05
        assert all(later - earlier >= 0.19 for earlier, later in zip(times[1:], times[2:], strict=False))

    def test_hosts_do_not_wait_for_each_other(self, desk: Desk, server: Server) -> None:
        slow = slowly(b"HTTP/1.1 200 X\r\nContent-Length: 20\r\n\r\n", b"x", 0.03)
        server.pages |= {"/slow": slow, "/quick": reply(body=html(REPORT))}
        desk.fetch(
            f"http://127.0.0.1:{server.port}/slow",
            f"http://localhost:{server.port}/quick",
            allow=("127.0.0.1", "localhost"),
        )
        assert [row["address"].rpartition("/")[2] for row in desk.rows()] == ["quick", "slow"]

    def test_retry_after_is_honoured(self, desk: Desk, server: Server) -> None:
        server.pages["/a"] = in_turn(reply(429, retry_after="1"), reply(body=html(REPORT)))
        assert not desk.fetch(f"{server.url}/a").failed
        first, second = (request.time for request in server.requests if request.path == "/a")
        assert second - first >= 0.95

    @pytest.mark.parametrize("wish", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT", "9" * 400])
    def test_retry_after_is_bounded(self, wish: str, desk: Desk, server: Server) -> None:
        """A host that wants to be left alone for long is left alone, by its other addresses too."""
        server.pages |= {"/a": reply(429, retry_after=wish), "/b": reply(body=html(REPORT))}
        desk.fetch(f"{server.url}/a", f"{server.url}/b")
        assert [row["error"] for row in desk.rows()] == ["later", "later"]
        assert server.paths == ["/a"]

    def test_a_senseless_retry_after_is_none(self, desk: Desk, server: Server) -> None:
        server.pages["/a"] = in_turn(reply(503, retry_after="soon ²"), reply(body=html(REPORT)))
        assert not desk.fetch(f"{server.url}/a").failed

    def test_a_dead_host_is_given_up(self, desk: Desk, server: Server) -> None:
        for number in range(6):
            server.pages[f"/{number}"] = raw(b"")
        desk.fetch(*(f"{server.url}/{number}" for number in range(6)), manners=replace(QUICK, retries=0))
        assert server.paths == ["/0", "/1", "/2"]
        assert [row["error"] for row in desk.rows()] == ["broken"] * 3 + ["later"] * 3

    def test_who_asks_says_so(self, desk: Desk, server: Server) -> None:
        server.pages["/a"] = reply(body=html(REPORT))
        desk.fetch(f"{server.url}/a")
        assert all(request.headers["user-agent"].startswith("gongkai/") for request in server.requests)
        assert agent_name("mail@example.cn").endswith("; +mail@example.cn)")
        with pytest.raises(ListError):
            agent_name("a\r\nX: y")

    def test_cookies_stay_with_their_host_and_their_errand(self, desk: Desk, server: Server) -> None:
        elsewhere = f"http://localhost:{server.port}/b"
        page = reply(body=html(REPORT))
        server.pages |= {
            "/a": in_turn(redirect("/a", set_cookie="k=1; Path=/"), redirect(elsewhere)),
            "/b": page,
            "/c": page,
        }
        summary = desk.fetch(f"{server.url}/a", f"{server.url}/c", allow=("127.0.0.1", "localhost"))
        assert not summary.failed
        sent = [
            (request.path, request.headers.get("cookie"))
            for request in server.requests
            if request.path != "/robots.txt"
        ]
        assert sent == [("/a", None), ("/a", "k=1"), ("/b", None), ("/c", None)]


class TestLinks:
    def test_sites(self) -> None:
        same = ["www.x.gov.cn", "zwgk.x.gov.cn", "x.gov.cn"]
        assert {site(host) for host in same} == {"x.gov.cn"}
        assert site("y.gov.cn") != site("x.gov.cn")
        assert site("a.bj.cn") != site("b.bj.cn")
        assert site("www.example.com") == site("files.example.com")
        assert site("10.0.0.1") != site("11.0.0.1")

    @pytest.mark.parametrize(
        "page",
        [
            "",
            "\0" * 50,
            "<a href='http://['>附件</a>",
            "<base href='http://['><a href='x.pdf'>附件</a>",
            "<a href='\ud800.pdf'>x</a>",
            "<a href='//'>附件</a>",
            "<a href=x.pdf" * 100,
            "<div>" * 3000 + "<a href='x.pdf'>x</a>",
            "<a href='?" + "&a=b" * 3000 + "'>附件</a>",
        ],
    )
    def test_hostile_pages(self, page: str) -> None:
        links = find_links(page.encode("utf-8", "surrogatepass"), "http://a.gov.cn/1.html")
        assert all(link.address.startswith("http://a.gov.cn/") for link in links)

    def test_a_list_of_links_is_cut_off(self) -> None:
        page = "".join(f"<a href='{number}.pdf'>x</a>" for number in range(500))
        assert len(find_links(page.encode(), "http://a.gov.cn/")) == 20

    def test_the_words_are_checked(self, tmp_path: Path) -> None:
        good = (ROOT / "data" / "fetch.toml").read_text(encoding="utf-8")
        for old, new in (('"附件"', '""'), ('".pdf"', '"pdf"'), ("gongkai.fetch/1", "gongkai.fetch/2")):
            (tmp_path / "bad.toml").write_text(good.replace(old, new, 1), encoding="utf-8")
            with pytest.raises(ValueError, match="fetch.toml"):
                load_words(tmp_path / "bad.toml")
