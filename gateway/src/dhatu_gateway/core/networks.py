"""The stage that takes calls from some networks only."""

from __future__ import annotations

from dhatu_gateway.core.clients import ClientNetworks, Clients, parse_networks
from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Route


def build_networks(route: Route) -> Stage | None:
    """Refuse clients from elsewhere with 403; None where the route takes calls from anywhere.

    Raises `ValueError` at boot for what is no network.
    """
    if route.networks is None:
        return None
    allowed, denied = (
        parse_networks(", ".join(route.networks.allow)),
        parse_networks(", ".join(route.networks.deny)),
    )
    decide = Clients(ClientNetworks(allowed=allowed, denied=denied)).find

    def admit(exchange: Exchange) -> None:
        # What is asked about is the client, whom the edge has found already, and not its proxy.
        if not decide(exchange.client_address, {}).allowed:
            raise ProblemError("forbidden", "This operation takes no calls from this address.")

    return admit
