"""The specification of the platform that is made to suffer, and the table that is made of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template

from dhatu_codegen.pipeline import build
from dhatu_codegen.targets.gateway.table import table_lines

ROOT = Path(__file__).parents[2]

_WIDE = "connections: {max: 1000}"
_EJECTION = "ejection: {consecutive_failures: 2, base_ejection_s: 300}"
_CHECKS = "health: {path: /health, interval_s: 0.2, timeout_s: 1, unhealthy_after: 1, healthy_after: 1}"

SERVICES: Mapping[str, str] = {
    **dict.fromkeys(
        ("plain", "killed", "loaded", "slow", "reset", "refused", "flapping", "called", "outage"), ""
    ),
    "wide": _WIDE,
    **dict.fromkeys(("ejected", "tried", "failing", "corrupt"), _EJECTION),
    "checked": _CHECKS,
    **dict.fromkeys(("gone", "stopped", "lying"), ""),
}
"""The same service behind the same endpoints, and what the gateway does about those that are not well.

Many names for one policy, since tests have a gateway in common: budgets, ejections and connections are a
service's own, so that each test begins with one that has seen nothing.
"""

_PLATFORM = """\
info: {title: Chaos, version: 1.0.0}
header_prefix: X-Dhatu-
versions: {v1: {state: current}}
defaults: {timeout_s: 30, validate: {request: enforce, response: "off"}}
services:
  system: {spec: services/system.yaml}
"""

_SERVICE = Template("""\
openapi: 3.1.1
info: {title: $name, version: 1.0.0, description: A service.}
tags: [{name: $name, description: A service.}]
security: []
x-dhatu: {sdk: {resource: $name}}
paths:
  /api/v1/$name/items:
    get:
      operationId: ${name}List
      tags: [$name]
      summary: Read
      description: Safe, so that it may be repeated.
      x-dhatu: {sdk: {method: list}}
      responses: &done {"200": {description: Done.}, default: {description: Failed.}}
    post:
      operationId: ${name}Add
      tags: [$name]
      summary: Add
      description: Must not be repeated.
      x-dhatu: {sdk: {method: add}}
      requestBody: &text {content: {application/json: {schema: {type: object}}}}
      responses: *done
  /api/v1/$name/brief:
    get:
      operationId: ${name}Brief
      tags: [$name]
      summary: Read at once
      description: Has two seconds.
      x-dhatu: {sdk: {method: brief}, timeout_s: 2}
      responses: *done
  /api/v1/$name/tried:
    get:
      operationId: ${name}Try
      tags: [$name]
      summary: Read in two attempts
      description: The first one has two of thirty seconds.
      x-dhatu: {sdk: {method: tried}, retry: {class: safe, attempts: 2, per_try_timeout_s: 2}}
      responses: *done
  /api/v1/$name/large:
    get:
      operationId: ${name}Large
      tags: [$name]
      summary: Read much
      description: Four MiB, for which ten minutes are enough.
      x-dhatu: {sdk: {method: large}, timeout_s: 600}
      responses: *done
  /api/v1/$name/jobs:
    post:
      operationId: ${name}Start
      tags: [$name]
      summary: Start a job
      description: May be repeated under its key.
      x-dhatu: {sdk: {method: start}, retry: {class: keyed}}
      requestBody: *text
      responses: *done
  /api/v1/$name/kept:
    get:
      operationId: ${name}Kept
      tags: [$name]
      summary: Read what is kept
      description: The answer is kept for a while.
      x-dhatu: {sdk: {method: kept}, cache: {ttl_s: 600, shared: true}}
      responses: *done
  /api/v1/$name/limited:
    get:
      operationId: ${name}Limited
      tags: [$name]
      summary: Read now and then
      description: Five calls an hour for each address.
      x-dhatu:
        sdk: {method: limited}
        rate_limit: {limit: 5, window_s: 3600, burst: 5, by: address, on_store_failure: local}
      responses: *done
""")


def generate(directory: Path) -> Path:
    """The table that a gateway is to serve: its own operations, and those of the services."""
    spec, services = directory / "spec", directory / "spec" / "services"
    services.mkdir(parents=True)
    shutil.copy(ROOT / "spec" / "x-dhatu.schema.json", spec)
    shutil.copy(ROOT / "spec" / "services" / "system.yaml", services)
    platform = _PLATFORM
    for name, upstream in SERVICES.items():
        (services / f"{name}.yaml").write_text(_SERVICE.substitute(name=name))
        where = f"{{env: {name.upper()}_SERVICE_URL, {upstream}}}"
        platform += f"  {name}: {{spec: services/{name}.yaml, upstream: {where}}}\n"
    (spec / "platform.yaml").write_text(platform)
    built = build(directory, targets=())
    assert built.diagnostics.errors == (), built.diagnostics.errors
    assert built.api is not None
    table = directory / "table.jsonl"
    table.write_text("".join(f"{line}\n" for line in table_lines(built.api)), encoding="utf-8")
    return table
