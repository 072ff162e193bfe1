"""OIDC_PROVIDERS_FILE is read as a whole; whatever is wrong is named by its entry and member."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.auth.errors import ProviderFileError
from dhatu_gateway.auth.providers.config import (
    PROVIDER_MEMBERS,
    Introspection,
    Login,
    PrincipalClaims,
    Provider,
    read_providers_file,
)
from dhatu_gateway.settings import SettingsError, read_settings

LEAST: dict[str, Any] = {
    "name": "corporate",
    "issuer": "https://login.example.com/realms/staff",
    "audiences": ["dhatu-api"],
}
WHOLE: dict[str, Any] = LEAST | {
    "algorithms": ["ES384"],
    "token_types": ["at+jwt", "JWT"],
    "allow_private": True,
    "ca_file": "authority.pem",
    "principal": {
        "subject": "uid",
        "scope": "scp",
        "roles": "realm_access.roles",
        "role_map": {"staff": "reader"},
        "fixed_roles": ["guest"],
    },
    "introspection": {
        "client_id": "gateway",
        "client_secret_file": "secret",
        "endpoint": "https://login.example.com/introspect?tenant=a",
        "cache_s": 5,
    },
    "login": {
        "client_id": "app",
        "client_secret_file": "secret",
        "scopes": ["openid", "email"],
        "redirect_uri": "https://api.example.com/callback",
        "return_urls": ["https://app.example.com/?tab=1", "http://localhost:3000/"],
    },
}


def write(folder: Path, *entries: object) -> Path:
    (folder / "secret").write_text("s3cret\n")
    (folder / "authority.pem").write_text("")
    path = folder / "providers.json"
    path.write_text(json.dumps({"providers": entries}))
    return path


def test_issuer_and_audience_are_enough(tmp_path: Path) -> None:
    [provider] = read_providers_file(write(tmp_path, LEAST))
    assert provider == Provider(
        name="corporate", issuer="https://login.example.com/realms/staff", audiences=("dhatu-api",)
    )
    assert (provider.algorithms, provider.token_types) == (("RS256", "ES256", "EdDSA"), ("at+jwt",))
    assert (provider.allow_private, provider.introspection, provider.login) == (False, None, None)


def test_everything_can_be_said(tmp_path: Path) -> None:
    [provider] = read_providers_file(write(tmp_path, WHOLE))
    assert provider.ca_file == tmp_path / "authority.pem"
    assert provider.principal == PrincipalClaims(
        subject="uid",
        scope="scp",
        roles="realm_access.roles",
        role_map=(("staff", "reader"),),
        fixed_roles=("guest",),
    )
    assert provider.introspection == Introspection(
        client_id="gateway",
        client_secret="s3cret",
        endpoint="https://login.example.com/introspect?tenant=a",
        cache_s=5.0,
    )
    assert provider.login == Login(
        client_id="app",
        client_secret="s3cret",
        scopes=("openid", "email"),
        redirect_uri="https://api.example.com/callback",
        return_urls=("https://app.example.com/?tab=1", "http://localhost:3000/"),
    )
    assert "s3cret" not in repr(provider)
    assert pickle.loads(pickle.dumps(provider)) == provider  # goes to worker processes


def within(section: str, **members: object) -> dict[str, Any]:
    return {section: WHOLE[section] | members}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "provider 1: colour is unknown; there are algorithms,"),
        ({"name": "Corporate"}, "provider 1: name must be lower-case letters"),
        ({"name": None}, "provider 1: name must be text"),
        ({"issuer": "http://login.example.com"}, "(corporate): issuer must be an https:// address"),
        ({"issuer": "https://a:b@login.example.com"}, "issuer must be an https:// address"),
        ({"issuer": "https://login.example.com?a=b"}, "issuer must be an https:// address"),
        ({"issuer": "https://login.example.com#a"}, "issuer must be an https:// address"),
        ({"issuer": "https://login.example.com\\@a"}, "issuer must be an https:// address"),
        ({"issuer": "https://login%2eexample.com"}, "issuer must be an https:// address"),
        ({"issuer": "https://login.example.com:0"}, "issuer must be an https:// address"),
        ({"issuer": "https://"}, "issuer must be an https:// address"),
        ({"issuer": "https://[1"}, "issuer must be an https:// address"),
        ({"issuer": "http://127.0.0.1.evil.example"}, "issuer must be an https:// address"),
        ({"issuer": "http://127.0.0.1:9400"}, "issuer is on this machine, which needs allow_private: true"),
        ({"audiences": []}, "audiences must be a list of texts, at least one"),
        ({"audiences": "dhatu-api"}, "audiences must be a list of texts"),
        ({"audiences": ["a", "a"]}, "audiences says one thing twice"),
        ({"algorithms": ["none"]}, "algorithms must be some of RS256,"),
        ({"algorithms": ["HS256"]}, "algorithms must be some of RS256,"),
        ({"token_types": ["id+jwt"]}, "token_types must be some of at+jwt, JWT"),
        ({"allow_private": "yes"}, "allow_private must be true or false"),
        ({"ca_file": "absent.pem"}, "ca_file must be a file with certificates"),
        ({"principal": []}, "(corporate), principal: must be an object"),
        ({"principal": {"role_map": {"a": "b"}}}, "roles and role_map belong together"),
        ({"principal": {"roles": "groups"}}, "roles and role_map belong together"),
        ({"principal": {"roles": "groups", "role_map": {"a": 1}}}, "role_map must be an object of texts"),
        ({"introspection": {"client_id": "a"}}, "introspection: client_secret_file is missing"),
        (within("introspection", client_secret_file="absent"), "client_secret_file cannot be read from abs"),
        (within("introspection", client_secret_file="authority.pem"), "must name a file with one line"),
        (within("introspection", cache_s=-1), "cache_s must be a number of seconds from 0 to 3600"),
        (within("introspection", cache_s=True), "cache_s must be a number of seconds from 0 to 3600"),
        (within("introspection", endpoint="http://a.example"), "endpoint must be an https:// address"),
        (within("login", scopes=["email"]), "login: scopes must hold openid"),
        (within("login", redirect_uri="/callback"), "redirect_uri must be an https:// address"),
        (within("login", return_urls=["https://app.example.com", "//a"]), "return_urls must be https:// add"),
        (within("login", client_id="dhatu-api"), "audiences must not hold the client_id of login"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    needed = {"token_types": ["JWT"]} | changes if "login" in changes else changes
    with pytest.raises(ProviderFileError) as caught:
        read_providers_file(write(tmp_path, LEAST | needed))
    assert str(caught.value).startswith(f"{tmp_path}/providers.json, provider 1")
    assert message in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ([LEAST | {"issuer": "https://other.example"}], "two providers have the name 'corporate'"),
        ([LEAST | {"name": "other"}], "two providers have the issuer 'https://login.example.com/realms/st"),
        (
            [LEAST | within("introspection") | {"name": "other", "issuer": "https://other.example"}],
            "corporate and other have introspection; one at most may",
        ),
        ([LEAST] * 16, "providers must be a list of 1 to 16 entries"),
    ],
)
def test_providers_that_cannot_stand_beside_each_other(
    tmp_path: Path, others: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ProviderFileError) as caught:
        read_providers_file(write(tmp_path, LEAST | within("introspection"), *others))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is not JSON"),
        ('{"providers": [], "providers": []}', "a member is written twice"),
        ("[]", "it is not a JSON object"),
        ("{}", "providers must be a list of 1 to 16 entries"),
        ('{"providers": [{}], "more": 1}', "more is unknown"),
        ('{"providers": [1]}', "provider 1: must be an object"),
    ],
)
def test_what_is_no_file_of_providers(tmp_path: Path, text: str, message: str) -> None:
    (path := tmp_path / "providers.json").write_text(text)
    with pytest.raises(ProviderFileError) as caught:
        read_providers_file(path)
    assert message in str(caught.value)


def test_the_setting_names_the_file(tmp_path: Path) -> None:
    secret = {"JWT_SECRET_KEY": "x" * 32}
    assert read_settings(secret, ()).providers == ()
    path = write(tmp_path, WHOLE)
    settings = read_settings(secret | {"OIDC_PROVIDERS_FILE": str(path)}, ())
    assert settings.providers == read_providers_file(path)
    with pytest.raises(SettingsError) as caught:
        read_settings(secret | {"OIDC_PROVIDERS_FILE": str(tmp_path / "absent")}, ())
    assert caught.value.problems == (
        f"OIDC_PROVIDERS_FILE: cannot read {tmp_path}/absent: No such file or directory",
    )


def test_the_files_that_the_documentation_shows_are_some(tmp_path: Path) -> None:
    page = Path(__file__).parents[4] / "docs/gateway-credentials.md"
    text = page.read_text(encoding="utf-8")
    (tmp_path / "corp-secret").write_text("a secret of the provider's")
    found: dict[str, Provider] = {}
    for sample in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        if '"providers"' in sample:
            (path := tmp_path / "providers.json").write_text(sample)
            found |= {provider.name: provider for provider in read_providers_file(path)}
    assert found["staff"].principal.role_map == (("corpus-editors", "curator"),)
    assert found["corp"].login is not None
    assert PROVIDER_MEMBERS - {"login"} <= set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
