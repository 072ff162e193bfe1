"""`upstream` of a service in platform.yaml: what may be said, and what the gateway's table makes of it."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import jsonschema_rs
import pytest
import yaml
from codegen.project import PLATFORM, REPOSITORY, Project
from dhatu_codegen.ir import upstream as ir
from dhatu_codegen.targets.gateway import GatewayTarget
from dhatu_gateway.core.upstream import policy as gateway

FINE = {
    "balance: {algorithm: hash, hash: {by: header, name: X-User}}": gateway.UpstreamPolicy(
        balance=gateway.Balance(algorithm="hash", hash=gateway.Hash(by="header", name="X-User"))
    ),
    "balance: {algorithm: hash, hash: {by: network}}": gateway.UpstreamPolicy(
        balance=gateway.Balance(algorithm="hash", hash=gateway.Hash(by="network"))
    ),
    "balance: {slow_start_s: 20, zone: prefer, panic_threshold: 0, "
    "subsets: [{tag: canary, header: X-Canary}, {tag: canary, share: 0.05}]}": gateway.UpstreamPolicy(
        balance=gateway.Balance(
            slow_start_s=20.0,
            zone="prefer",
            panic_threshold=0.0,
            subsets=(
                gateway.Subset(tag="canary", header="X-Canary"),
                gateway.Subset(tag="canary", share=0.05),
            ),
        )
    ),
    'health: {path: "/live?deep=1", statuses: [204, "300-399"], interval_s: 3}': gateway.UpstreamPolicy(
        health=gateway.HealthCheck(
            kind="http", path="/live?deep=1", statuses=((204, 204), (300, 399)), interval_s=3.0
        )
    ),
    "breaker: {consecutive: 5, open_s: 9}": gateway.UpstreamPolicy(
        breaker=gateway.Breaker(consecutive=5, open_s=9.0)
    ),
    "retry_budget: {ratio: 0.2}": gateway.UpstreamPolicy(retry_budget=gateway.RetryBudget(ratio=0.2)),
    "concurrency: {max: 50}": gateway.UpstreamPolicy(concurrency=gateway.Concurrency(max=50)),
    "concurrency: {adaptive: {max: 90}, queue_s: 2}": gateway.UpstreamPolicy(
        concurrency=gateway.Concurrency(adaptive=gateway.Adaptive(max=90), queue_s=2.0)
    ),
    "connections: {max: 9, connect_s: 1}": gateway.UpstreamPolicy(
        connections=gateway.Connections(max=9, connect_s=1.0)
    ),
    "ejection: {}": gateway.UpstreamPolicy(ejection=gateway.Ejection()),
    "ejection: {consecutive_failures: null, success_rate_stdev_factor: null}": gateway.UpstreamPolicy(
        ejection=gateway.Ejection(consecutive_failures=None, success_rate_stdev_factor=None)
    ),
}
REFUSED = [
    "balance: {algorithm: hash}",
    "balance: {hash: {by: network}}",
    "balance: {algorithm: hash, hash: {by: cookie}}",
    "balance: {algorithm: hash, hash: {by: network, name: X}}",
    "balance: {subsets: [{tag: canary}]}",
    "balance: {subsets: [{tag: canary, share: 0.1, header: X}]}",
    "balance: {subsets: [{tag: canary, share: 0.1, value: x}]}",
    "balance: {panic_threshold: 50}",
    'health: {path: "live"}',
    "health: {statuses: []}",
    "health: {interval_s: 0}",
    "ejection: {max_ejection_percent: 101}",
    "breaker: {failure_rate: 0}",
    "retry_budget: {ratio: 2}",
    "concurrency: {}",
    "concurrency: {max: 5, adaptive: {}}",
    "connections: {max: 0}",
]


def project_with(project: Project, upstream: str) -> Project:
    project.simple("alpha", "/alpha")
    entry = f"  alpha: {{spec: services/alpha.yaml, upstream: {{env: ALPHA_URL, {upstream}}}}}\n"
    (project.root / "spec/platform.yaml").write_text(PLATFORM + entry)
    return project


def tables(project: Project) -> dict[str, Any]:
    [text] = [
        file.text
        for file in GatewayTarget().render(project.api())
        if file.path.endswith("generated/routes.py")
    ]
    namespace: dict[str, Any] = {"__package__": "dhatu_gateway.generated"}
    exec(compile(text, "routes.py", "exec"), namespace)
    return namespace


@pytest.mark.parametrize(("written", "expected"), FINE.items())
def test_what_is_written_reaches_the_gateway(
    project: Project, written: str, expected: gateway.UpstreamPolicy
) -> None:
    [service] = tables(project_with(project, written))["PLATFORM"].services
    assert service.upstream == expected


@pytest.mark.parametrize("written", REFUSED)
def test_what_means_nothing_is_an_error_at_its_place(project: Project, written: str) -> None:
    codes = {code for code, _ in project_with(project, written).found()}
    assert codes == {"DH011"}


def test_a_key_that_nothing_reads_is_an_error(project: Project) -> None:
    [(code, _)] = project_with(project, "ejection: {interval: 5}").found()
    assert code == "DH010"


CONTRADICTIONS = [
    "retry: {class: never}, hedge: {after_s: 0.2}",
    "retry: {class: keyed}, hedge: {percentile: 0.95}",
    "retry: {class: never, attempts: 3}",
    "timeout_s: 2, retry: {per_try_timeout_s: 2}",
    "timeout_s: 2, hedge: {after_s: 2}",
]
CONSISTENT = [
    "retry: {class: idempotent, attempts: 3, per_try_timeout_s: 1}, hedge: {percentile: 0.95}",
    "retry: {class: never, attempts: 1}",
    "retry: {attempts: 3}",
    "hedge: null, breaker: {}",
]


def on_operation(project: Project, extension: str) -> Project:
    project.simple("alpha", "/alpha")
    file = project.root / "spec/services/alpha.yaml"
    text = file.read_text()
    file.write_text(text.replace("      responses:\n", f"      x-dhatu: {{{extension}}}\n      responses:\n"))
    return project


@pytest.mark.parametrize("extension", CONTRADICTIONS)
def test_a_way_that_contradicts_itself_is_an_error_at_its_place(project: Project, extension: str) -> None:
    [(code, place)] = on_operation(project, extension).found()
    assert (code, place.split(":")[0]) == ("DH059", "spec/services/alpha.yaml")


@pytest.mark.parametrize("extension", CONSISTENT)
def test_a_way_that_does_not_is_none(project: Project, extension: str) -> None:
    assert on_operation(project, extension).found() == []


def test_a_limit_begins_within_its_bounds(project: Project) -> None:
    found = project_with(project, "concurrency: {adaptive: {initial: 2}}").found()
    assert [code for code, _ in found] == ["DH059"]


def test_policies_of_an_operation_reach_the_gateway(project: Project) -> None:
    extension = (
        "retry: {attempts: 3, per_try_timeout_s: 1}, hedge: {percentile: 0.9}, breaker: {consecutive: 5}"
    )
    on_operation(project, extension)
    [route] = tables(project)["ROUTES"]
    assert route.retry == "safe"
    assert route.tries == gateway.Tries(attempts=3, per_try_timeout_s=1.0)
    assert route.hedge == gateway.Hedge(percentile=0.9)
    assert route.breaker == gateway.Breaker(consecutive=5)


def test_what_the_guide_shows_may_be_written(project: Project) -> None:
    page = (REPOSITORY / "docs/gateway-upstreams.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\nservices:\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 2
    project.simple("corpus", "/corpus")
    for block in blocks:
        (project.root / "spec/platform.yaml").write_text(PLATFORM + block)
        assert project.found() == []


def test_what_the_guide_shows_of_operations_may_be_written() -> None:
    page = (REPOSITORY / "docs/gateway-upstreams.md").read_text(encoding="utf-8")
    schema = json.loads((REPOSITORY / "spec/x-dhatu.schema.json").read_text(encoding="utf-8"))
    blocks = re.findall(r"```yaml\n(x-dhatu:\n.*?)```", page, re.DOTALL)
    assert len(blocks) >= 3
    validator = jsonschema_rs.Draft202012Validator(schema)
    for block in blocks:
        validator.validate(yaml.safe_load(block)["x-dhatu"])


def test_both_sides_have_the_same_settings() -> None:
    def described(module: Any) -> dict[str, list[tuple[str, object]]]:
        return {
            name: [(field.name, field.type) for field in dataclasses.fields(found)]
            for name, found in vars(module).items()
            if dataclasses.is_dataclass(found)
        }

    assert described(ir) == described(gateway)


def test_a_service_that_names_no_variable_has_one_by_its_name(project: Project) -> None:
    for name in ("word_list", "other", "system"):
        project.simple(name, f"/{name}")
    text = (project.root / "spec" / "platform.yaml").read_text()
    named = text.replace("services/other.yaml", "services/other.yaml, upstream: {env: ELSEWHERE}")
    (project.root / "spec" / "platform.yaml").write_text(named)
    found = {service.name: service.upstream_env for service in project.api().services}
    assert found == {"word_list": "WORD_LIST_SERVICE_URL", "other": "ELSEWHERE", "system": ""}
