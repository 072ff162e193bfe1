"""How a client copes with servers that are slow, busy or gone: all its policies in one place."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ._policies.breaker import BreakerPolicy
from ._policies.budget import BudgetPolicy
from ._policies.hedge import HedgePolicy
from ._policies.retry import RetryPolicy

if TYPE_CHECKING:
    from ._balance.policy import BalancePolicy

NEVER_OPEN: Final = BreakerPolicy(failures=sys.maxsize, failure_rate=1.0)
UNLIMITED: Final = BudgetPolicy(reserve=math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """`DhatuAPI(resilience=Resilience(hedge=HedgePolicy()))`."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    budget: BudgetPolicy | None = field(default_factory=BudgetPolicy)
    """None: retries cost nothing."""
    breaker: BreakerPolicy | None = field(default_factory=BreakerPolicy)
    """None: every call is tried."""
    balance: BalancePolicy | None = None
    """How calls are spread over several base URLs; None: by power of two choices."""
    hedge: HedgePolicy | None = None
    """None: no attempt has a second one beside it. Hedging adds load, so that it has to be asked for."""
    pacing: bool = True
    """Whether calls wait where the server's RateLimit headers leave no room, instead of being refused."""
