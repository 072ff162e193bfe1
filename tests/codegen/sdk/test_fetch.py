"""What is fetched, and what is refused with a reason."""

from __future__ import annotations

import pytest
from codegen.sdk.sources import Site
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.reading.fetch import FetchError, fetch
from dhatu_codegen.reading.load import load_document
from dhatu_codegen.reading.locations import Boundary


def anywhere(_: str) -> bool:
    return True


def test_a_document_is_fetched_and_a_redirect_inside_the_bounds_followed(site: Site) -> None:
    site.put("/new.json", '{"openapi": "3.1.1"}')
    old = site.put("/old", "", 302, Location="/new.json")
    diagnostics = Diagnostics()
    assert load_document(Boundary(start=old), diagnostics) == {"openapi": "3.1.1"}
    assert diagnostics.all == ()


@pytest.mark.parametrize(
    ("path", "page", "reason"),
    [
        ("/gone", (404, {}, ""), "the server answered 404 Not Found"),
        ("/away", (302, {"Location": "http://127.0.0.2:1/x"}, ""), "redirects to http://127.0.0.2:1/x"),
        ("/local", (302, {"Location": "file:///etc/hostname"}, ""), "file:///etc/hostname' is not allowed"),
    ],
)
def test_what_cannot_be_had_is_said_with_the_reason(
    path: str, page: tuple[int, dict[str, str], str], reason: str, site: Site
) -> None:
    status, headers, text = page
    location = site.put(path, text, status, **headers)
    diagnostics = Diagnostics()
    assert load_document(Boundary(start=location), diagnostics) is None
    (found,) = diagnostics.all
    assert (found.code, reason in found.message) == ("DH050", True), found.message


def test_a_document_has_a_largest_size(site: Site) -> None:
    location = site.put("/large", "x" * 1001)
    with pytest.raises(FetchError, match="larger than 1000 bytes"):
        fetch(location, anywhere, max_bytes=1000)
    assert len(fetch(location, anywhere, max_bytes=1001)) == 1001


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.test/x", "only http and https"),
        ("http://", "only http and https"),
        ("https://name:secret@a.test/x", "a name or password"),
    ],
)
def test_an_address_of_another_kind_is_refused_without_showing_a_password(url: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason) as caught:
        fetch(url, anywhere)
    assert "secret" not in str(caught.value)


def test_nobody_who_listens_is_an_error_and_no_trace(site: Site) -> None:
    with pytest.raises(FetchError, match="refused"):
        fetch("http://127.0.0.1:1/openapi.yaml", anywhere)
