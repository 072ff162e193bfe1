"""Whom certificates stand for, alone and together with other credentials."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.auth.certificates import InvalidCertificatesFile, read_callers
from dhatu_gateway.auth.errors import AuthError
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.auth.stage import build_authenticate
from dhatu_gateway.core.tls.renewal import LOOK_S
from gateway.auth.support import ROLES
from gateway.support import head
from gateway.tls.authorities import Files, Leaf
from gateway.tls.support import BOTH, EITHER, INDEXER, KNOWN, READ, READER, SCHEMES, gate, known_in


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def test_a_caller_has_the_roles_and_scopes_of_its_certificate(files: Files) -> None:
    indexer, reader = files.clients.issue(Leaf(sans=(INDEXER,))), files.clients.issue(Leaf(sans=(READER,)))
    async with gate(files, "required") as at:
        for path, of_indexer, of_reader in (
            ("/read", 200, 200),
            ("/write", 200, 403),
            ("/edit", 200, 403),
            ("/open", 200, 200),
        ):
            assert (await at.status(path, indexer), await at.status(path, reader)) == (of_indexer, of_reader)
        _, seen = await at.ask("/read", indexer)
        assert dict(seen["headers"])["x-dhatu-principal"] == "cert:indexer"
        _, problem = await at.ask("/write", reader)
        assert problem["detail"] == "The scope corpus:write is missing."


async def test_a_caller_is_found_once_for_a_connection(files: Files) -> None:
    caller = files.caller(files.clients.issue(Leaf(sans=(INDEXER,))))
    async with gate(files) as at, at.client.connect(caller) as wire:
        for path in ("/read", "/write", "/read"):
            await wire.write(head("GET", path))
            assert (await wire.reply()).status == 200
            known_in(files.folder, [])  # nobody looks at it
            at.clock.ahead_s += LOOK_S / 2


async def test_names_of_hosts_are_the_same_in_upper_case_and_one_of_several_is_enough(files: Files) -> None:
    leaf = Leaf(sans=("DNS:other.internal", "DNS:READER.Internal", "email:x@example.org"))
    async with gate(files) as at:
        assert await at.status("/read", files.clients.issue(leaf)) == 200


async def test_a_certificate_or_a_key(files: Files) -> None:
    reader, nobody = files.clients.issue(Leaf(sans=(READER,))), files.clients.issue(Leaf(sans=("DNS:x.y",)))
    async with gate(files) as at:
        key, poor = await at.key("corpus:read"), await at.key("other")
        for pem, sent, status in (
            (reader, None, 200),
            (None, key, 200),
            (nobody, key, 200),
            (reader, poor, 200),
            (nobody, None, 401),
            (None, None, 401),
            (nobody, poor, 403),
        ):
            headers = {} if sent is None else {"X_API_Key": sent}
            for _ in range(2):  # the second time they are known
                assert await at.status("/either", pem, **headers) == status
        _, seen = await at.ask("/either", reader, X_API_Key=key)
        assert dict(seen["headers"])["x-dhatu-principal"].startswith("key:"), "the first that is described"
        _, problem = await at.ask("/either", None)
        assert (
            problem["detail"] == "Send an API key in X-API-Key or a client certificate with the connection."
        )


async def test_a_certificate_and_a_key(files: Files) -> None:
    reader = files.clients.issue(Leaf(sans=(READER,)))
    async with gate(files) as at:
        key = await at.key("other")
        assert await at.status("/both", reader, X_API_Key=key) == 200
        assert await at.status("/both", reader) == 401
        assert await at.status("/both", None, X_API_Key=key) == 401
        _, seen = await at.ask("/both", reader, X_API_Key=key)
        assert dict(seen["headers"])["x-dhatu-principal"] == "cert:reader"


async def test_an_operation_that_nobody_could_call_is_refused_at_boot(files: Files) -> None:
    async with gate(files) as at:
        for route in (READ, BOTH):
            with pytest.raises(AuthError, match="asks for a client certificate, but none stands for"):
                build_authenticate(route, SCHEMES, at.auth.authenticator)
        assert build_authenticate(EITHER, SCHEMES, at.auth.authenticator) is not None
        assert build_authenticate(replace(READ, security=()), SCHEMES, at.auth.authenticator) is None


def entry(**changes: Any) -> dict[str, Any]:
    return {**KNOWN[0], **changes}


def test_a_caller_may_have_several_certificates(tmp_path: Path) -> None:
    path = known_in(tmp_path, [entry(), entry(san="DNS:Indexer.internal.")])
    callers = read_callers(path, Roles(ROLES)).by_san
    assert callers["URI", "spiffe://example.org/indexer"] == callers["DNS", "indexer.internal"]
    assert callers["DNS", "indexer.internal"].scopes == {"corpus:read", "corpus:write"}


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([entry(san="CN:indexer")], "certificate 1: san must be DNS, URI, email, a colon and a name"),
        ([entry(san="DNS:")], "certificate 1: san must be"),
        ([entry(san="DNS: ")], "certificate 1: san must be"),
        ([entry(san=7)], "certificate 1: san must be"),
        ([entry(san="DNS:*.internal")], "there are no wildcards"),
        ([entry(san="URI:spiffe://example.org/*")], "there are no wildcards"),
        ([entry(name="")], "name must have 1 to 128 letters"),
        ([entry(name="a b")], "name must have 1 to 128 letters"),
        ([entry(name="a\n")], "name must have 1 to 128 letters"),
        ([entry(roles=["king"])], "there is no role 'king'"),
        ([entry(roles="editor")], "roles must be a list of texts"),
        ([entry(scopes=[7])], "scopes must be a list of texts"),
        ([entry(role=["editor"])], "role is unknown; there are name, roles, san, scopes"),
        ([entry(), entry()], "certificate 2: its san is there twice"),
        ([entry(), entry(san=READER, roles=["reader"])], "certificate 2: the same name is there with other"),
        (["indexer"], "certificate 1: must be an object"),
    ],
)
def test_a_file_that_says_something_else_is_refused(
    tmp_path: Path, entries: list[dict[str, Any]], why: str
) -> None:
    with pytest.raises(InvalidCertificatesFile) as caught:
        read_callers(known_in(tmp_path, entries), Roles(ROLES))
    assert str(caught.value).startswith(str(tmp_path / "known.json"))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"certificates": {}}', '{"certificates": [], "x": 1}', "[" * 9_999]
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.json"
    path.write_text(text)
    with pytest.raises(InvalidCertificatesFile, match=r"known\.json"):
        read_callers(path, Roles(ROLES))
    with pytest.raises(InvalidCertificatesFile, match=r"cannot read .*missing\.json"):
        read_callers(tmp_path / "missing.json", Roles(ROLES))
    assert json.loads(known_in(tmp_path).read_text())["certificates"] == KNOWN
