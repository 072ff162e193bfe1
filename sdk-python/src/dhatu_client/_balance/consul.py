"""The healthy instances of a service that Consul knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

from .._auth.credentials import checked_secret
from .._errors import ConfigurationError, DiscoveryError
from .._urls import checked_url
from .._wire import Answer, AsyncTransport, Endpoint, Failure, Outcome, Request, Send, Transport, without_user
from .provider import checked_refresh


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConsulEndpoints:
    """The instances that pass their health checks, asked for every `refresh_s` seconds.

    `ConsulEndpoints(service="corpus")` asks the local agent, over its HTTP API
    (`/v1/health/service/corpus?passing=true`), and weighs the instances by `Weights.Passing`.
    """

    service: str
    address: str = "http://127.0.0.1:8500"
    """Of Consul."""
    tag: str = ""
    """Only instances with it; empty: all."""
    datacenter: str = ""
    """Empty: the agent's own."""
    token: str = ""
    """An ACL token; never shown."""
    scheme: str = "http"
    """How the instances are spoken to, `http` or `https`."""
    path: str = ""
    """Where the API begins at an instance: `/api`."""
    host: str = ""
    """The name that TLS verifies and the Host header carries; empty: the address of the instance."""
    refresh_s: float = 10.0
    timeout_s: float = 2.0
    """For Consul to answer; a call that has to wait for it has as much less."""

    def __post_init__(self) -> None:
        """Raises `ConfigurationError`."""
        if not self.service:
            raise ConfigurationError("service= must name the service in Consul")
        if self.scheme not in ("http", "https"):
            raise ConfigurationError(f"scheme= must be http or https, not {self.scheme!r}")
        if self.path and not self.path.startswith("/"):
            raise ConfigurationError(f"path= must begin with a slash, not be {self.path!r}")
        checked_url(self.address, "address= of ConsulEndpoints()")
        checked_secret(self.token, "token= of ConsulEndpoints()")
        checked_refresh(self.refresh_s)
        if not self.timeout_s > 0:
            raise ConfigurationError(f"timeout_s must be a number of seconds above 0, not {self.timeout_s!r}")

    def __repr__(self) -> str:
        token = ", token='***'" if self.token else ""
        return f"ConsulEndpoints(service={self.service!r}, address={without_user(self.address)!r}{token})"

    def endpoints(self, transport: Transport) -> Sequence[Endpoint]:
        """Raises `DiscoveryError`."""
        return self._listed(transport.send(self._question()))

    async def aendpoints(self, transport: AsyncTransport) -> Sequence[Endpoint]:
        """Raises `DiscoveryError`."""
        return self._listed(await transport.send(self._question()))

    def _question(self) -> Send:
        query = {"passing": "true", "tag": self.tag, "dc": self.datacenter}
        target = f"/v1/health/service/{quote(self.service, safe='')}?" + urlencode(
            {name: value for name, value in query.items() if value}
        )
        headers: tuple[tuple[str, str], ...] = (("accept", "application/json"),)
        if self.token:
            headers += (("x-consul-token", self.token),)
        return Send(
            # Confined, since a redirect would carry the token on.
            request=Request(method="GET", target=target, headers=headers, body=None, confined=True),
            endpoint=Endpoint(checked_url(self.address, "address=")),
            headers=(),
            connect_s=self.timeout_s,
            time_left_s=self.timeout_s,
            idle_s=self.timeout_s,
            keep_open=_never,
        )

    def _listed(self, outcome: Outcome) -> tuple[Endpoint, ...]:
        if isinstance(outcome, Failure):
            raise self._failed(f"no answer ({outcome.kind})") from outcome.cause
        if outcome.status != 200:
            advice = "; check token=" if outcome.status in (401, 403) else ""
            raise self._failed(f"it answered {outcome.status}{advice}")
        found = self._read(outcome)
        if not found:
            raise self._failed("no instance passes its health checks")
        return found

    def _read(self, answer: Answer) -> tuple[Endpoint, ...]:
        try:
            entries = json.loads(answer.content)
            if not isinstance(entries, list):
                raise TypeError("not a list")
            return tuple(self._instance(entry) for entry in cast("list[dict[str, Any]]", entries))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._failed("its answer is not a list of instances; check address=") from error

    def _instance(self, entry: Any) -> Endpoint:
        service = entry["Service"]
        address = str(service["Address"] or entry["Node"]["Address"])  # empty: where its node is
        place = f"[{address}]" if ":" in address else address
        weights: Any = service.get("Weights")
        weight = float(weights["Passing"]) if weights else 1.0
        url = checked_url(f"{self.scheme}://{place}:{int(service['Port'])}{self.path}", "Consul's answer")
        return Endpoint(url, weight if weight > 0 else 1.0, self.host)

    def _failed(self, why: str) -> DiscoveryError:
        return DiscoveryError(
            f"Consul at {without_user(self.address)} could not say where {self.service} is: {why}"
        )


def _never(status: int, media_type: str) -> bool:
    return False
