"""What the tests of fetching share: limits, a page with all that belongs to it, and a folder to fetch into."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

from misbehaving import Server, reply

from flows.client import Limits
from flows.fetch import FetchOptions, FetchSummary, agent_name, fetch_list
from flows.screen import Screen
from flows.web import Manners, Web

ROOT = Path(__file__).parent.parent
PDF = b"%PDF-1.4 \n" + bytes(range(256))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
REPORT = "<h1>青石镇2022年政府信息公开工作年度报告</h1><p>一、总体情况</p><p>2022年，青石镇主动公开政府信息126条。</p>"
PATIENCE = Limits(connect_s=5.0, read_s=5.0, whole_s=20.0, max_bytes=2_000_000)
HASTE = Limits(connect_s=0.3, read_s=0.2, whole_s=0.5)
QUICK = Manners(delay_s=0.0, longest_wait_s=2.0, retries=1, backoff_s=0.02)


def html(body: str, title: str = "年报") -> bytes:
    return f"<html><head><meta charset=utf-8><title>{title}</title></head><body>{body}</body></html>".encode()


# Every address to which this process tries to connect; an audit hook cannot be taken out again.
CONNECTED: list[Any] = []
sys.addaudithook(lambda event, arguments: CONNECTED.append(arguments[1]) if event == "socket.connect" else None)


class Desk:
    """Fetches into one folder, without Prefect."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""

    def fetch(
        self,
        *addresses: str,
        allow: tuple[str, ...] = ("127.0.0.1",),
        limits: Limits = PATIENCE,
        manners: Manners = QUICK,
        resolver: Any = None,
        hosts: int = 4,
    ) -> FetchSummary:
        options = FetchOptions(addresses, self.folder, allow, hosts)
        stream = io.StringIO()

        async def run() -> FetchSummary:
            web = Web(limits, manners, frozenset(allow), agent_name(None), resolver)
            return await fetch_list(options, web, Screen(stream), lambda fetcher: fetcher.fetch)

        try:
            return asyncio.run(run())
        finally:
            self.said = stream.getvalue()

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]

    def row(self, address: str) -> dict[str, Any]:
        """The last line about an address."""
        return [row for row in self.rows() if row["address"] == address][-1]

    def files(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and not path.name.startswith((".", "manifest")) and path.parent.name != ".parts"
        )


PAGE = """<h1>青石镇2022年政府信息公开工作年度报告</h1><p>一、总体情况</p><p>2022年，青石镇主动公开政府信息126条。</p>
<p>二、主动公开政府信息情况</p><p><img src="/images/logo.png" width=80><img src="W01.png"><img src="pic.jsp?id=3"></p>
<p>三、收到和处理政府信息公开申请情况</p><img src="%E5%9B%BE 1.png"><img src="http://other.example.cn/W09.png">
<p>附件：<a href="files/年报.pdf">青石镇年报</a> <a href="/down?id=7">【下载PDF】</a> <a href="/down?id=8">附件2</a>
<a href="/news/1.html">新闻</a> <a href="/app.pdf">APP下载</a> <a href="http://other.example.cn/x.pdf">PDF</a>
<a href="mailto:x">下载</a> <a href="javascript:down('1.pdf')">下载</a> <a href="#top">附件</a>
<a href="scan.jpg">扫描件</a></p>
<iframe src="/pdfjs/viewer.html?file=/files/shown.pdf"></iframe>"""


def serve_page(server: Server, page: str = PAGE, path: str = "/zwgk/t1.html") -> str:
    """The page and all that belongs to it; its address."""
    server.pages |= {
        path: reply(body=html(page), etag='"p1"'),
        "/zwgk/W01.png": reply(body=PNG + b"1", kind="image/png"),
        "/zwgk/pic.jsp?id=3": reply(body=PNG + b"2", kind="image/png"),
        "/zwgk/%E5%9B%BE%201.png": reply(body=PNG + b"3", kind="image/png"),
        "/zwgk/files/%E5%B9%B4%E6%8A%A5.pdf": reply(body=PDF + b"1", kind="application/octet-stream", etag='"a1"'),
        "/down?id=7": reply(
            body=PDF + b"2", content_disposition="attachment; filename*=UTF-8''%E5%B9%B4%E6%8A%A52.pdf"
        ),
        "/down?id=8": reply(body=html("您访问的页面不存在"), kind="application/pdf"),
        "/zwgk/scan.jpg": reply(body=b"\xff\xd8\xff" + bytes(99), kind="image/jpeg"),
        "/files/shown.pdf": reply(body=PDF + b"3", kind="application/pdf"),
    }
    return f"{server.url}{path}"
