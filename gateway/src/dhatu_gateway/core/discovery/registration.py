"""The gateway's own entry in Consul: it is made, kept, and taken back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from dhatu_gateway.core.discovery.http import JsonAnswer, JsonClient
from dhatu_gateway.core.discovery.source import DiscoveryError, Rhythm

ANSWER_S: Final = 5.0
FAREWELL_S: Final = 2.0
"""What the end of the gateway waits for an agent that does not answer."""
BEATS_PER_TTL: Final = 3
READINESS: Final = "/api/v1/health/ready"

Check: TypeAlias = Literal["ttl", "http"]
"""`ttl`: the gateway says that it is well; `http`: the agent asks it."""
State: TypeAlias = Literal["off", "waiting", "registered"]

_logger = logging.getLogger("dhatu.discovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnService:
    """What others shall find of this gateway."""

    name: str
    identifier: str = ""
    """Unique among all services of an agent; empty for name, host and port together."""
    address: str = ""
    """Empty for the address of the agent's node."""
    port: int = 0
    """0 for the one that is listened on."""
    tags: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    check: Check = "ttl"
    tls: bool = False
    """Whether the agent has to ask over TLS."""
    interval_s: int = 10
    """Between two checks, and between two looks whether the agent still knows of us."""
    deregister_after_s: int = 300
    """How long it may be critical before Consul drops it: what a killed gateway leaves behind."""

    def definition(self) -> dict[str, Any]:
        """The body of `PUT /v1/agent/service/register`."""
        check: dict[str, Any] = {
            "CheckID": self.check_id,
            "Name": f"{self.name} serves",
            "DeregisterCriticalServiceAfter": f"{self.deregister_after_s}s",
        }
        if self.check == "ttl":
            # It is made by whoever serves, and told at once where nobody does.
            check |= {"TTL": f"{BEATS_PER_TTL * self.interval_s}s", "Status": "passing"}
        else:
            host = f"[{self.address}]" if ":" in self.address else self.address
            url = f"{'https' if self.tls else 'http'}://{host}:{self.port}{READINESS}"
            check |= {"HTTP": url, "Interval": f"{self.interval_s}s", "Timeout": "5s"}
        return {
            "ID": self.identifier,
            "Name": self.name,
            "Address": self.address,
            "Port": self.port,
            "Tags": list(self.tags),
            "Meta": dict(self.meta),
            "Check": check,
        }

    @property
    def check_id(self) -> str:
        return f"service:{self.identifier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationView:
    """How the registration is doing."""

    state: State = "off"
    service: str = ""
    identifier: str = ""
    good_at_s: float | None = None
    """When the agent last confirmed it, on the wall clock."""
    failures: int = 0
    """How many times in a row it has not since."""
    error: str = ""
    """What is wrong now; empty where nothing is."""


class Registration:
    """One entry with the agent, made anew where the agent has forgotten it."""

    def __init__(
        self, own: OwnService, client: JsonClient, is_well: Callable[[], bool], rhythm: Rhythm | None = None
    ) -> None:
        """`is_well` tells whether anybody serves; asked with every beat of a check with a TTL."""
        self._own = own
        self._client = client
        self._is_well = is_well
        self._rhythm = rhythm or Rhythm()
        self._asked = False
        """Whether an entry of ours may be there, even if no answer has come."""
        self._is_known = False
        self._good_at_s: float | None = None
        self._failures = 0
        self._error = ""

    @property
    def view(self) -> RegistrationView:
        return RegistrationView(
            state="registered" if self._is_known else "waiting",
            service=self._own.name,
            identifier=self._own.identifier,
            good_at_s=self._good_at_s,
            failures=self._failures,
            error=self._error,
        )

    async def keep(self) -> None:
        """Register, and see to it that it stays so, until cancelled; an agent that is out is asked again."""
        rhythm, longest_s = self._rhythm, float(self._own.interval_s)
        while True:
            try:
                await self.beat()
            except DiscoveryError as error:
                self._fail(str(error))
                await rhythm.sleep(min(rhythm.backoff_s(self._failures), longest_s))
                continue
            except Exception as error:  # a fault of our own must not end it for good
                _logger.exception("the registration in Consul failed")
                self._fail(f"{type(error).__name__}: {error}")
                await rhythm.sleep(longest_s)
                continue
            if self._error:
                _logger.info("%s is registered in Consul again", self._own.identifier)
            self._failures, self._error, self._good_at_s = 0, "", rhythm.wall_clock()
            await rhythm.sleep(longest_s * (0.9 + 0.1 * rhythm.random()))  # many gateways may begin at once

    async def withdraw(self) -> None:
        """Take the entry back; whoever cannot be reached drops it by itself, later."""
        if not self._asked:
            return
        path = f"/v1/agent/service/deregister/{quote(self._own.identifier, safe='')}"
        try:
            answer = await self._client.ask(path, {}, timeout_s=FAREWELL_S, method="PUT")
            if answer.status not in (200, 404):
                raise DiscoveryError(self._refusal(answer))
        except DiscoveryError as error:
            _logger.warning("%s stays registered in Consul for now: %s", self._own.identifier, error)
        else:
            _logger.info("%s is not registered in Consul any more", self._own.identifier)
        self._asked = self._is_known = False

    async def beat(self) -> None:
        """Make the entry, or see to it that it stays; raises `DiscoveryError`."""
        if not self._is_known or await self._is_forgotten():
            await self._register()
        if self._own.check == "ttl":
            await self._report()

    async def _is_forgotten(self) -> bool:
        """Whether the agent has lost it, as one that was set up anew has."""
        path = f"/v1/agent/service/{quote(self._own.identifier, safe='')}"
        answer = await self._client.ask(path, {}, timeout_s=ANSWER_S)
        if answer.status not in (200, 404):
            raise DiscoveryError(self._refusal(answer))
        return answer.status == 404

    async def _register(self) -> None:
        # A check of before, of another kind perhaps, would stay beside the new one.
        self._asked, self._is_known = True, False
        answer = await self._client.ask(
            "/v1/agent/service/register",
            {"replace-existing-checks": "true"},
            timeout_s=ANSWER_S,
            method="PUT",
            body=self._own.definition(),
        )
        if answer.status != 200:
            raise DiscoveryError(self._refusal(answer))
        self._is_known = True
        _logger.info("%s is registered in Consul as %s", self._own.identifier, self._own.name)

    async def _report(self) -> None:
        is_well = self._is_well()
        said = {
            "Status": "passing" if is_well else "critical",
            "Output": "" if is_well else "no worker serves",
        }
        path = f"/v1/agent/check/update/{quote(self._own.check_id, safe='')}"
        answer = await self._client.ask(path, {}, timeout_s=ANSWER_S, method="PUT", body=said)
        if answer.status != 200:
            self._is_known = False  # the check alone may be gone: made anew with the service
            raise DiscoveryError(self._refusal(answer))

    def _refusal(self, answer: JsonAnswer) -> str:
        text = f"{self._client.name} answered {answer.status}: {answer.document or 'nothing'}"
        if answer.status == 403:
            text += f" (its token needs service:write for {self._own.name})"
        return text

    def _fail(self, reason: str) -> None:
        self._failures += 1
        if reason != self._error:
            _logger.warning("%s: the registration in Consul: %s", self._own.identifier, reason)
        self._error = reason
