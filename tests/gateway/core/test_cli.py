"""The command line, from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhatu_gateway.cli import app
from typer.testing import CliRunner, Result


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE", str(tmp_path / "keys.sqlite3"))
    for variable in ("GATEWAY_DEMO", "JWT_SECRET_KEY", "REDIS_URL"):
        monkeypatch.delenv(variable, raising=False)


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment)


def test_keys_are_made_listed_and_revoked() -> None:
    made = run("keys", "create", "--name", "ci", "--scope", "corpus:read", "--scope", "corpus:write")
    assert made.exit_code == 0
    assert made.stdout.startswith("dhk_")
    listed = run("keys", "list").stdout
    id_ = listed.split()[0]
    assert id_ in made.stdout
    assert made.stdout.strip() not in listed
    assert "ci  corpus:read corpus:write" in listed
    assert run("keys", "revoke", id_).exit_code == 0
    assert run("keys", "list").stdout == ""
    again = run("keys", "revoke", id_)
    assert (again.exit_code, "no API key" in again.stderr) == (1, True)


def test_a_key_is_rotated_and_everything_is_in_the_audit_log() -> None:
    old = run("keys", "create", "--name", "ci", "--scope", "corpus:read", "--quiet").stdout.split("_")[1]
    rotated = run("keys", "rotate", old, "--overlap-hours", "1", "--quiet")
    assert rotated.stdout.startswith("dhk_")
    new = rotated.stdout.split("_")[1]
    lines = run("keys", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [old, new]
    assert ["until" in line for line in lines] == [True, False]
    assert run("keys", "revoke", old).exit_code == 0
    run("users", "create", "--name", "ada", "--scope", "corpus:read", "--password", "correct horse")
    audit = run("audit").stdout
    assert [line.split("  ")[1:] for line in audit.splitlines()] == [
        ["operator", "user.create", "user:ada", "grants corpus:read"],
        ["operator", "key.revoke", f"key:{old}"],
        ["operator", "key.rotate", f"key:{new}", f"from key:{old}"],
        ["operator", "key.create", f"key:{old}", "grants corpus:read"],
    ]
    assert rotated.stdout.split("_")[2] not in audit
    assert len(run("audit", "--limit", "1").stdout.splitlines()) == 1


def test_somebody_is_revoked_whether_they_have_a_password_or_a_provider() -> None:
    for user in ("user:ada", "oidc:corp:248289761001"):
        revoked = run("users", "revoke", user)
        assert (revoked.exit_code, revoked.stdout.startswith(f"{user} revoked until 20")) == (0, True)
    for nobody in ("ada", "oidc:corp", "key:7hNq2LxWcB4d", "user:"):
        refused = run("users", "revoke", nobody)
        assert (refused.exit_code, "is no id of a user" in refused.stderr) == (1, True)
    assert [line.split("  ")[1:] for line in run("audit").stdout.splitlines()] == [
        ["operator", "user.revoke", "oidc:corp:248289761001"],
        ["operator", "user.revoke", "user:ada"],
    ]


def test_a_key_that_is_gone_is_not_rotated() -> None:
    refused = run("keys", "rotate", "nobody")
    assert (refused.exit_code, "no API key that holds" in refused.stderr) == (1, True)


def test_a_name_forges_no_line_and_moves_no_cursor() -> None:
    forged = "ci\nAAAAAAAAAAAA  trusted  keys:manage\r\x1b[2J\u202e"
    run("keys", "create", "--name", forged, "--scope", "corpus:read")
    run("users", "create", "--name", "eve\n2026  operator", "--scope", "a:b", "--password", "correct horse")
    (line,) = run("keys", "list").stdout.splitlines()
    assert line.isprintable()
    assert "ci\\nAAAAAAAAAAAA  trusted" in line
    audit = run("audit").stdout.splitlines()
    assert len(audit) == 2
    assert all(line.isprintable() for line in audit)


def test_a_bad_location_is_refused() -> None:
    refused = run("keys", "list", GATEWAY_DATABASE="http://:hunter2@host")
    assert (refused.exit_code, "GATEWAY_DATABASE" in refused.stderr) == (1, True)
    assert "hunter2" not in refused.stderr


def test_a_service_is_given_its_own_secret() -> None:
    corpus = run("identity-secret", "corpus", GATEWAY_DEMO="1").stdout
    assert len(corpus) == 65
    assert run("identity-secret", "analysis", GATEWAY_DEMO="1").stdout != corpus
    unknown = run("identity-secret", "nobody", GATEWAY_DEMO="1")
    assert (unknown.exit_code, "no service nobody" in unknown.stderr) == (1, True)


def test_quiet_prints_the_key_alone() -> None:
    made = run("keys", "create", "--name", "ci", "--scope", "corpus:read", "--quiet")
    assert (made.stdout.count("\n"), made.stderr) == (1, "")


def test_users_are_made_once() -> None:
    arguments = ("users", "create", "--name", "ada", "--scope", "corpus:read", "--password", "correct horse")
    assert run(*arguments).exit_code == 0
    again = run(*arguments)
    assert (again.exit_code, "already a user called 'ada'" in again.stderr) == (1, True)


def test_a_role_grants_what_platform_yaml_says_and_must_be_described_there() -> None:
    made = run("keys", "create", "--name", "ci", "--role", "analyst", "--quiet")
    assert made.stdout.startswith("dhk_")
    refused = run("keys", "create", "--name", "ci", "--role", "analist")
    assert (refused.exit_code, "there is no role 'analist'" in refused.stderr) == (1, True)
    assert "analyst, curator" in refused.stderr
    nothing = run("users", "create", "--name", "ada", "--password", "correct horse")
    assert (nothing.exit_code, "at least one --scope or --role" in nothing.stderr) == (1, True)


def test_a_scope_must_be_a_name() -> None:
    made = run("keys", "create", "--name", "ci", "--scope", "Everything!")
    assert (made.exit_code, "'Everything!'" in made.stderr) == (1, True)


def test_routes_are_listed_with_their_scopes() -> None:
    lines = run("routes").stdout.splitlines()
    assert any(
        line.split() == ["GET", "/api/v1/corpus/search", "corpus.search", "corpus:read"] for line in lines
    )
    assert any(line.startswith("GET    /api/v1/health ") and line.endswith("-") for line in lines)


def test_the_configuration_can_be_checked() -> None:
    good = run("check-config", GATEWAY_DEMO="1")
    assert good.exit_code == 0
    assert good.stdout.splitlines()[-1].startswith("ok: ")
    assert "GATEWAY_DEMO=1" in good.stdout.splitlines()
    bad = run("check-config", GATEWAY_PORT="x")
    assert bad.exit_code == 1
    assert "GATEWAY_PORT" in bad.stderr
    assert "JWT_SECRET_KEY" in bad.stderr


def test_serving_is_refused_without_a_secret() -> None:
    refused = run("serve")
    assert (refused.exit_code, "JWT_SECRET_KEY" in refused.stderr) == (1, True)
