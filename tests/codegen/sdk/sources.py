"""Documents in temporary folders and behind loopback addresses, and SDKs made of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent

from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Map
from dhatu_codegen.ir.api import Api
from dhatu_codegen.ir.name import Name
from dhatu_codegen.reading.locations import Boundary
from dhatu_codegen.sdk.adopt import SdkName, adopt
from dhatu_codegen.sdk.build import Sdk, understand
from dhatu_codegen.sdk.bundle import bundle

DOCUMENTS = Path(__file__).parent / "documents"
ACME = SdkName(name=Name.of("acme"))
HEAD = "openapi: 3.1.1\ninfo: {title: T, version: '1'}\nservers: [{url: https://a.test}]\n"


def write(folder: Path, **files: str) -> str:
    """Write files, a double underscore in a name for a slash; the location of the first one."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return (folder / f"{next(iter(files)).replace('__', '/')}.yaml").as_posix()


def bundled(location: str, *roots: str) -> tuple[Map, Diagnostics]:
    diagnostics = Diagnostics()
    document = bundle(Boundary(start=location, roots=roots), diagnostics)
    assert document is not None, [diagnostics.render(item) for item in diagnostics.all]
    return document, diagnostics


def adopted(location: str) -> tuple[Map, Diagnostics]:
    document, diagnostics = bundled(location)
    return adopt(document, location, ACME, diagnostics), diagnostics


def understood(location: str) -> Sdk:
    """Everything but the rendering."""
    diagnostics = Diagnostics()
    return Sdk(api=understand(Boundary(start=location), ACME, diagnostics), files=(), diagnostics=diagnostics)


def api(location: str) -> Api:
    found = understood(location).api
    assert found is not None
    return found


def codes(diagnostics: Diagnostics) -> list[tuple[str, int]]:
    """(code, line) of everything found."""
    return [(item.code, item.source.line) for item in diagnostics.all]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A web server on the loopback interface."""

    address: str
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Path to status, headers and body."""

    def put(self, path: str, text: str, status: int = 200, **headers: str) -> str:
        """Serve a text; its address."""
        self.pages[path] = (status, headers, text.encode())
        return self.address + path


@contextmanager
def serving() -> Iterator[Site]:
    pages: dict[str, tuple[int, dict[str, str], bytes]] = {}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Site(address=f"http://127.0.0.1:{server.server_port}", pages=pages)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
