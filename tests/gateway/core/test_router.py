"""Which resource a path leads to: the most specific template, whatever the order of the table."""

from __future__ import annotations

import random

import pytest
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.router import AmbiguousRoutesError, Router
from hypothesis import assume, given, settings
from hypothesis import strategies as st


def router(*templates: str) -> Router[str]:
    return Router([("GET", template, template) for template in templates])


def found(routes: Router[str], path: str) -> tuple[str, tuple[str, ...]] | None:
    match = routes.find(path.encode())
    return None if match is None else (match.resource.template, match.values)


def test_literals_win_over_variables_and_the_rest_backtracks() -> None:
    routes = router("/docs/{id}", "/docs/stats", "/docs/stats/all", "/docs/{id}/parts", "/{a}/{b}/{c}")
    assert found(routes, "/docs/stats") == ("/docs/stats", ())
    assert found(routes, "/docs/7") == ("/docs/{id}", ("7",))
    assert found(routes, "/docs/stats/all") == ("/docs/stats/all", ())
    assert found(routes, "/docs/stats/parts") == ("/docs/{id}/parts", ("stats",))
    assert found(routes, "/docs/stats/new") == ("/{a}/{b}/{c}", ("docs", "stats", "new"))
    assert found(routes, "/docs") is None
    assert found(routes, "/docs/7/") is None
    assert found(routes, "/docs/stats/") is None


def test_text_around_a_variable_makes_it_more_specific() -> None:
    routes = router("/f/{name}", "/f/{name}.json", "/f/v{name}.json")
    assert found(routes, "/f/a.txt") == ("/f/{name}", ("a.txt",))
    assert found(routes, "/f/a.json") == ("/f/{name}.json", ("a",))
    assert found(routes, "/f/v1.json") == ("/f/v{name}.json", ("1",))
    assert found(routes, "/f/.json") == ("/f/{name}", (".json",))


def test_paths_are_found_in_their_canonical_form() -> None:
    routes = router("/docs/stats", "/docs/{id}")
    match = routes.find(b"/%64ocs/st%61ts")
    assert match is not None
    assert match.path == "/docs/stats"
    assert found(routes, "/docs/caf%c3%a9") == ("/docs/{id}", ("caf%C3%A9",))
    with pytest.raises(ProblemError):
        routes.find(b"/docs/../docs/stats")


def test_get_serves_head_and_the_methods_are_listed() -> None:
    routes = Router([("GET", "/a", 1), ("POST", "/a", 2), ("DELETE", "/b", 3)])
    first, second = routes.find(b"/a"), routes.find(b"/b")
    assert first is not None
    assert second is not None
    assert first.resource.methods == {"GET": 1, "HEAD": 1, "POST": 2}
    assert first.resource.allow == b"GET, HEAD, OPTIONS, POST"
    assert second.resource.allow == b"DELETE, OPTIONS"


@pytest.mark.parametrize(
    ("templates", "witness"),
    [
        (("/a/{x}", "/{y}/b"), "/a/b"),
        (("/a/{x}/c/{z}", "/a/{x}/{y}/d"), "/a/x/c/d"),
        (("/f/a{x}", "/f/{x}b"), "/f/axb"),
        (("/f/{x}.json/{y}", "/{z}/a.json/b"), "/f/a.json/b"),
    ],
)
def test_ambiguous_templates_are_refused_with_a_witness(templates: tuple[str, ...], witness: str) -> None:
    for order in (templates, templates[::-1]):
        with pytest.raises(AmbiguousRoutesError, match=f"both match {witness} "):
            router(*order)


def test_a_method_may_come_once_however_its_variables_are_called() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        Router([("GET", "/a/{x}", 1), ("GET", "/a/{y}", 2)])
    Router([("GET", "/a/{x}", 1), ("DELETE", "/a/{y}", 2)])


@pytest.mark.parametrize("template", ["a", "/a//b", "/a/../b", "/a/", "/{x}{y}", "/{x", "/a b", "/a%2fb"])
def test_templates_that_nothing_can_match_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        router(template)


def test_thousands_of_routes_do_not_slow_a_lookup_or_the_boot() -> None:
    templates = [f"/api/v1/r{n}/{{id}}/{kind}" for n in range(1_700) for kind in ("a", "b", "{other}")]
    routes = router(*templates)
    assert found(routes, "/api/v1/r1699/7/b") == ("/api/v1/r1699/{id}/b", ("7",))
    assert found(routes, "/api/v1/r0/7/c") == ("/api/v1/r0/{id}/{other}", ("7", "c"))


SEGMENT = st.sampled_from(["a", "b", "c", "{v}", "{v}", "x{v}", "{v}y"])
TEMPLATE = st.lists(SEGMENT, min_size=1, max_size=4).map(lambda segments: "/" + "/".join(segments))
PATH = st.lists(st.sampled_from(["a", "b", "c", "d", "xa", "by", "xzy"]), min_size=1, max_size=4)


def fits(template: str, segments: list[str]) -> bool:
    parts = template[1:].split("/")
    return len(parts) == len(segments) and all(map(segment_fits, parts, segments))


def segment_fits(part: str, text: str) -> bool:
    if "{v}" not in part:
        return part == text
    prefix, _, suffix = part.partition("{v}")
    return text.startswith(prefix) and text.endswith(suffix) and len(text) > len(prefix) + len(suffix)


def generality(template: str) -> list[int]:
    return [part.count("{v}") * 10 - len(part.replace("{v}", "")) for part in template[1:].split("/")]


@settings(deadline=None)  # the machine may be busy
@given(templates=st.lists(TEMPLATE, min_size=1, max_size=6, unique=True), path=PATH, seed=st.integers(0, 99))
def test_the_router_agrees_with_a_naive_one(templates: list[str], path: list[str], seed: int) -> None:
    random.Random(seed).shuffle(templates)
    try:
        routes = router(*templates)
    except AmbiguousRoutesError:
        assume(False)
        return
    fitting = [template for template in templates if fits(template, path)]
    match = found(routes, "/" + "/".join(path))
    assert (match[0] if match else None) == (min(fitting, key=generality) if fitting else None)
