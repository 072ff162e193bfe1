"""Where the API is."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from .survey import Finding, Findings, Survey, members

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def no_servers(survey: Survey) -> Findings:
    listed = survey.root.get("servers")
    if listed is None or not listed.value:
        source = listed.source if listed else survey.root.source
        yield Finding(message="the document does not say where its API is", source=source)


def server_variables(survey: Survey) -> Findings:
    listed = survey.root.get("servers")
    for server in listed.elements() if listed else ():
        url = server.get("url")
        known = dict(members(server, "variables"))
        for name in _VARIABLE.findall(server.text("url")):
            if url and name not in known:
                yield Finding(message=f"the server variable {name!r} is not described", source=url.place)
        for name, variable in known.items():
            choices = variable.get("enum")
            if choices and variable.text("default") not in variable.texts("enum"):
                message = f"the default of the server variable {name!r} is none of its values"
                yield Finding(message=message, source=choices.source)


def server_slash(survey: Survey) -> Findings:
    listed = survey.root.get("servers")
    for server in listed.elements() if listed else ():
        url = server.get("url")
        if url and len(server.text("url")) > 1 and server.text("url").endswith("/"):
            message = "the server's URL ends with a slash, and every path begins with one"
            yield Finding(message=message, source=url.place)


def server_https(survey: Survey) -> Findings:
    listed = survey.root.get("servers")
    for server in listed.elements() if listed else ():
        url = server.get("url")
        parts = urlsplit(_VARIABLE.sub("x", server.text("url")))
        if url and parts.scheme in ("http", "ws") and parts.hostname not in _LOOPBACK:
            message = f"{server.text('url')} is not encrypted"
            yield Finding(message=message, source=url.place, hint=f"serve it over {parts.scheme}s")
