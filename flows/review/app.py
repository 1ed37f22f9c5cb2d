"""The web application: routes, and what keeps others out.

It listens on the loopback interface only. Requests must name it by a loopback name (a page of another site whose name
was pointed at 127.0.0.1 names its own), changes need a token that only its own pages hold, and its pages may run
nothing, show nothing and send nothing that it does not serve itself.
"""

from __future__ import annotations

import functools
import hmac
import json
import secrets
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import anyio.to_thread
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extractors.rules import load_rules
from flows.decisions import Decision, DecisionError, Decisions, look_up, readings, state_of
from flows.review import queue
from flows.review.decide import NotThere, decide, decide_all
from flows.review.sources import SourceError, Sources
from flows.review.views import LANGUAGES, MAX_TEXT, ReportView, fields, strings, truth_words
from flows.store import Store

_HERE = Path(__file__).parent
# A form of this application has some twenty fields, the longest a value.
MAX_BODY = 100_000
MAX_FIELDS = 40
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_COOKIE = "gongkai_language"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the routes share: the store's folder, its decisions, who reviews, what opens files, the token."""

    folder: Path
    decisions: Decisions
    reviewer: str
    sources: Sources
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, which a run may be writing to, with the decisions attached."""
        with Store(self.folder) as store:
            queue.attach(store)
            yield store


class Refusal(Exception):
    """What was asked for is not done; ``status`` and the message say why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def make_app(folder: Path, reviewer: str, sources: Sources | None = None) -> Starlette:
    """The application over the store in ``folder``, whose files ``sources`` shows."""
    context = Context(folder, Decisions(folder), reviewer, sources or Sources())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        context.sources.start()
        yield
        context.sources.close()
        context.decisions.close()

    pages: dict[str, tuple[str, Callable[[Context, Request], Response]]] = {
        "/": ("GET", _queue), "/bulk": ("GET", _bulk), "/decisions": ("GET", _decisions),
        "/report/{id:int}": ("GET", _report), "/report/{id:int}/page/{number:int}.jpg": ("GET", _page),
    }  # fmt: skip
    changes: dict[str, Callable[[Context, Request, Mapping[str, str]], Response]] = {
        "/decide": _decide, "/undo": _undo, "/bulk": _decide_bulk, "/language": _language,
    }  # fmt: skip
    routes = [Route(path, _getting(context, page), methods=[method]) for path, (method, page) in pages.items()]
    routes += [Route(path, _posting(context, change), methods=["POST"]) for path, change in changes.items()]
    app = Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=_HERE / "static"))],
        lifespan=lifespan,
        exception_handlers={Refusal: _refused(context), DecisionError: _refused(context), NotThere: _refused(context)},
    )
    app.state.context = context
    app.add_middleware(_Guard)
    return app


class _Guard:
    """Answers requests to a loopback name only, and gives every answer its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # The lifespan; there are no web sockets.
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or _name(hosts[0]) not in LOOPBACK:
            await PlainTextResponse("this address is served to this machine only", 421)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


def _name(host: str) -> str:
    """The host of a Host header, its port taken off."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


# --- requests and answers --------------------------------------------------------------------------------------


def _getting(
    context: Context, page: Callable[[Context, Request], Response]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await anyio.to_thread.run_sync(page, context, request)

    return endpoint


def _posting(
    context: Context, change: Callable[[Context, Request, Mapping[str, str]], Response]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        form = await _form(request)
        if not hmac.compare_digest(form.get("token", "").encode(), context.token.encode()):
            raise Refusal(403, "this form is of an earlier start; load the page again")
        return await anyio.to_thread.run_sync(change, context, request, form)

    return endpoint


async def _form(request: Request) -> dict[str, str]:
    """The fields of a posted form, of bounded size.

    Raises:
        Refusal: it is too large, of another kind, or comes from another site.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise Refusal(415, "a form is expected")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers["host"]:
        raise Refusal(403, "sent by another site")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise Refusal(413, "too large")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise Refusal(400, "no form") from error
    return dict(pairs)


def _refused(context: Context) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, Refusal) else 404 if isinstance(error, NotThere) else 400
        response = _render(context, request, "refused", reason=str(error), back=_back(request.headers.get("referer")))
        response.status_code = status
        return response

    return answer


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )


def visible(text: str) -> str:
    """``text`` with what HTML drops or what turns the direction of writing replaced, code point for code point."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else "\ufffd"
        for char in text
    )


def _render(context: Context, request: Request, name: str, **values: Any) -> HTMLResponse:
    lang = _language_of(request)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    template = _environment().get_template(f"{name}.html.jinja")
    here = here if request.method == "GET" else "/"
    return HTMLResponse(template.render(t=strings(lang), lang=lang, token=context.token, here=here, **values))


def _language_of(request: Request) -> str:
    chosen = request.cookies.get(_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return "zh" if request.headers.get("accept-language", "zh").lower().startswith("zh") else "en"


def _back(address: str | None) -> str:
    """A path of this application to return to; the queue where ``address`` names another place."""
    path = "/" + (address or "").partition("://")[2].partition("/")[2] if "://" in (address or "") else address or "/"
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def _see(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)


# --- pages -----------------------------------------------------------------------------------------------------


def _wish(request: Request) -> queue.Wish:
    asked = {name: request.query_params.get(name, "")[:100] for name in ("reason", "rule", "authority", "year")}
    year = int(asked["year"]) if asked["year"].isascii() and asked["year"].isdigit() else None
    return queue.Wish(asked["reason"], asked["rule"], asked["authority"], year if year and year < 10_000 else None)


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _queue(context: Context, request: Request) -> Response:
    wish, after = _wish(request), _number(request, "after") or 0
    with context.store() as store:
        rows = queue.waiting(store, wish, after, queue.PAGE + 1)
        reasons = list(queue.reasons(store))
    shown = rows[: queue.PAGE]
    more = f"/?{urlencode(wish.query | {'after': shown[-1]['id']})}" if len(rows) > len(shown) else ""
    suffix = f"?{urlencode(wish.query)}" if wish.query else ""
    first = f"/{suffix}" if after else ""
    return _render(
        context, request, "queue", rows=shown, reasons=reasons, rules=list(load_rules()), wish=wish, more=more,
        first=first, suffix=suffix,
    )  # fmt: skip


def _bulk(context: Context, request: Request) -> Response:
    wish = _wish(request)
    with context.store() as store:
        rows = queue.groups(store, wish)
    return _render(
        context, request, "bulk", rows=rows, reasons=[], rules=list(load_rules()), wish=wish,
        verdicts=("publisher", "reader", "unsure"),
    )  # fmt: skip


def _report(context: Context, request: Request) -> Response:
    wish = _wish(request)
    with context.store() as store:
        record, superseded = load_record(store, request.path_params["id"])
        following = queue.waiting(store, wish, request.path_params["id"], 1)
    source = record["source"]
    has_pages = source["pages"] is not None
    view = "text" if request.query_params.get("view") == "text" or not has_pages else "pages"
    failure, text = "", None
    sizes: tuple[tuple[float, float], ...] = ()
    try:
        # The text of a scan is read only where it is asked for: that takes minutes.
        text = context.sources.text(source) if view == "text" or not source["scanned"] else None
        sizes = context.sources.sizes(source) if view == "pages" else ()
    except SourceError as error:
        failure = str(error)
    shown = ReportView(record, context.decisions.standing(source["sha256"]), text)
    query = urlencode(wish.query)
    other = urlencode(wish.query | ({} if view == "text" else {"view": "text"}))
    response = _render(
        context, request, "report", id=request.path_params["id"], source=source, about=record["report"], view=view,
        query=query, superseded=superseded, failure=failure, fields=fields(),
        other_view=f"/report/{request.path_params['id']}?{other}" if has_pages else "",
        next=f"/report/{following[0]['id']}?{query}" if following else f"/?{query}",
        pages=shown.pages(sizes), segments=shown.segments() if view == "text" and text else [],
        is_cut=view == "text" and text is not None and len(text) > MAX_TEXT, open_count=shown.open_count,
        findings=shown.findings, tables=shown.tables, passages=shown.passages,
    )  # fmt: skip
    if following:
        response.background = BackgroundTask(_prefetch, context, following[0]["id"])
    return response


def _prefetch(context: Context, report: int) -> None:
    """Reads what the page of the next report will need, while a person looks at this one."""
    with context.store() as store:
        source = load_record(store, report)[0]["source"]
    try:
        if not source["scanned"]:
            context.sources.text(source)
        if source["pages"] is not None:
            context.sources.sizes(source)
    except SourceError:
        # It will be said when its page is asked for.
        return


def _page(context: Context, request: Request) -> Response:
    with context.store() as store:
        record, _ = load_record(store, request.path_params["id"])
    try:
        picture = context.sources.page(record["source"], request.path_params["number"])
    except SourceError as error:
        raise Refusal(404, str(error)) from error
    # The address carries the content's digest.
    return Response(picture, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})


def _decisions(context: Context, request: Request) -> Response:
    rows = context.decisions.history(_number(request, "before"))
    with context.store() as store:
        shown = [_history_row(store, decision, stands) for _, decision, stands in rows]
    more = f"/decisions?before={rows[-1][0]}" if len(rows) == 100 else ""
    return _render(context, request, "decisions", rows=shown, more=more)


def _history_row(store: Store, decision: Decision, stands: bool) -> dict[str, Any]:
    about = decision.about or {}
    found = store.count("SELECT id, record FROM reports WHERE sha256 = :sha256", sha256=decision.sha256)
    if not stands:
        state = "undone"
    elif not found:
        state = "gone"
    else:
        record, _ = load_record(store, found[0][0])
        state = state_of(decision, look_up(decision, readings(record)))
    truth = truth_words(decision.truth) if decision.truth else ""
    return {
        "made": decision.made, "reviewer": decision.reviewer, "report": found[0][0] if found else None,
        "name": f"{about.get('authority') or ''} {about.get('year') or ''}".strip() or decision.sha256[:12],
        "kind": decision.kind, "target": decision.target, "raw": (decision.raw or "")[:80], "verdict": decision.verdict,
        "truth": truth, "state": state, "stands": stands, "item": f"{decision.kind}:{decision.target}",
        "undo": decision.id,
    }  # fmt: skip


# --- changes ---------------------------------------------------------------------------------------------------


def load_record(store: Store, report: int) -> tuple[dict[str, Any], bool]:
    """The record of a stored report with what was found between years, and whether a later version replaces it.

    Raises:
        NotThere: there is none.
    """
    found = list(store.records("r.id = :report", {"report": report}))
    store.connection.rollback()
    if not found:
        raise NotThere(f"there is no report {report}")
    return json.loads(found[0]), bool(store.count("SELECT 1 FROM revisions WHERE revises = :report", report=report))


def _decide(context: Context, request: Request, form: Mapping[str, str]) -> Response:
    report = form.get("report", "")
    if not (report.isascii() and report.isdigit() and len(report) < 16):
        raise NotThere("no report is named")
    with context.store() as store:
        record, _ = load_record(store, int(report))
        extractor = str(store.count("SELECT extractor FROM reports WHERE id = :id", id=int(report))[0][0])
    source = record["source"]
    if form.get("sha256") != source["sha256"]:
        raise Refusal(409, "the store was made anew; load the page again")
    standing = context.decisions.standing(source["sha256"])
    decision = decide(record, standing, form, context.reviewer, extractor, lambda: _text(context, source))
    context.decisions.add([decision])
    wanted = dict(parse_qsl(form.get("query", ""), max_num_fields=10)) | {"at": form.get("then", "")}
    wanted |= {"view": "text"} if form.get("view") == "text" else {}
    return _see(f"/report/{report}?{urlencode(wanted)}")


def _text(context: Context, source: Mapping[str, Any]) -> str:
    try:
        return context.sources.text(source)
    except SourceError as error:
        raise DecisionError(f"the text cannot be read: {error}") from error


def _undo(context: Context, request: Request, form: Mapping[str, str]) -> Response:
    back = _back(form.get("back"))
    if form.get("id"):
        context.decisions.undo(form["id"], context.reviewer)
        return _see(back)
    last = context.decisions.last(context.reviewer)
    if last is None:
        return _see(back)
    context.decisions.undo(last.batch or last.id, context.reviewer)
    if not back.startswith("/report/") or last.batch:
        return _see(back)
    with context.store() as store:
        found = store.count("SELECT id FROM reports WHERE sha256 = :sha256", sha256=last.sha256)
    path, _, query = back.partition("?")
    wanted = dict(parse_qsl(query, max_num_fields=20)) | {"at": f"{last.kind}:{last.target}"}
    return _see(f"/report/{found[0][0]}?{urlencode(wanted)}" if found else back)


def _decide_bulk(context: Context, request: Request, form: Mapping[str, str]) -> Response:
    rule, verdict = form.get("rule", ""), form.get("verdict", "")
    if verdict not in ("publisher", "reader", "unsure"):
        raise Refusal(400, "no such decision")
    with context.store() as store:
        rows = list(queue.members(store, rule, form.get("authority") or None))
    context.decisions.add(decide_all(rows, verdict, context.reviewer))
    return _see(_back(form.get("back")))


def _language(context: Context, request: Request, form: Mapping[str, str]) -> Response:
    response = _see(_back(form.get("back")))
    if form.get("lang") in LANGUAGES:
        response.set_cookie(_COOKIE, form["lang"], httponly=True, samesite="strict", max_age=10**8)
    return response
