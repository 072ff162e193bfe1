"""One renewal for all who need it: threads, tasks, interruptions and cancellations."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import anyio
import pytest
from dhatu_client import Token
from dhatu_client._auth.tokens import Chances, RenewedToken
from dhatu_client._wire import AsyncTransport, Outcome, Send, Transport, TransportFailed
from sdk.support import VirtualTime

PATIENCE_S = 10.0


class Unreachable:
    """A transport for sources that need none."""

    def send(self, step: Send) -> Outcome:
        raise AssertionError("nothing is sent to fetch this")


class AsyncUnreachable:
    """The same, awaited."""

    async def send(self, step: Send) -> Outcome:
        raise AssertionError("nothing is sent to fetch this")


@dataclass
class Numbered:
    """Obtains token-1, token-2, ..., each after what a test wants to happen meanwhile."""

    lifetime_s: float | None = None
    meanwhile: Callable[[], object] = lambda: None
    ameanwhile: Callable[[], Awaitable[object]] = anyio.lowlevel.checkpoint
    obtained: int = 0

    def obtain(self, transport: Transport) -> Token:
        self.obtained += 1
        number = self.obtained
        self.meanwhile()
        return Token(f"token-{number}", self.lifetime_s)

    async def aobtain(self, transport: AsyncTransport) -> Token:
        self.obtained += 1
        number = self.obtained
        await self.ameanwhile()
        return Token(f"token-{number}", self.lifetime_s)


@dataclass
class Counted(RenewedToken):
    """Tells when so many callers have come."""

    obtain: Numbered
    expected: int
    random: float = 0.5
    time: VirtualTime = field(default_factory=VirtualTime)

    def __post_init__(self) -> None:
        super().__init__(self.obtain, Chances(self.time.now_s, lambda: self.random))
        self.all_here = threading.Event()
        self.all_here_async = anyio.Event()
        self._came = 0
        self._counting = threading.Lock()

    def fetch(self, transport: Transport | None = None, time_left_s: float = PATIENCE_S) -> str:
        self._count()
        return super().fetch(transport or Unreachable(), time_left_s)

    async def afetch(self, transport: AsyncTransport | None = None) -> str:
        self._count()
        return await super().afetch(transport or AsyncUnreachable())

    def _count(self) -> None:
        with self._counting:
            self._came += 1
            if self._came == self.expected:
                self.all_here.set()
                self.all_here_async.set()


class TestThreads:
    def test_fifty_share_one_renewal(self) -> None:
        source = Counted(Numbered(), expected=50)
        source.obtain.meanwhile = lambda: source.all_here.wait(PATIENCE_S)
        with ThreadPoolExecutor(50) as pool:
            tokens = [future.result() for future in [pool.submit(source.fetch) for _ in range(50)]]
        assert source.all_here.is_set()
        assert tokens == ["token-1"] * 50
        assert source.obtain.obtained == 1

    def test_fifty_share_one_failure(self) -> None:
        def fail() -> None:
            source.all_here.wait(PATIENCE_S)
            raise RuntimeError("down")

        source = Counted(Numbered(meanwhile=fail), expected=50)
        with ThreadPoolExecutor(50) as pool:
            futures = [pool.submit(source.fetch) for _ in range(50)]
        assert {str(future.exception()) for future in futures} == {"down"}
        assert source.obtain.obtained == 1

    def test_while_one_renews_early_the_others_go_on(self) -> None:
        source = Counted(Numbered(lifetime_s=1000.0), expected=1)
        assert source.fetch() == "token-1"
        source.time.now += 950
        assert source.ready(source.time.now) is None
        meanwhile: list[str | None] = []

        def others() -> None:
            meanwhile.append(source.ready(source.time.now))
            with ThreadPoolExecutor(1) as pool:  # one that had asked before the renewal began
                meanwhile.append(pool.submit(source.fetch).result(PATIENCE_S))

        source.obtain.meanwhile = others
        assert source.fetch() == "token-2"
        assert meanwhile == ["token-1", "token-1"]

    def test_one_who_waits_gives_up_when_his_time_is_over(self) -> None:
        source = Counted(Numbered(), expected=1)
        late: list[BaseException | None] = []

        def overtake() -> None:
            with ThreadPoolExecutor(1) as pool:
                late.append(pool.submit(source.fetch, time_left_s=0.0).exception(PATIENCE_S))

        source.obtain.meanwhile = overtake
        assert source.fetch() == "token-1"
        (error,) = late
        assert isinstance(error, TransportFailed)
        assert error.failure.kind == "timeout"

    def test_one_who_is_interrupted_leaves_it_to_the_next(self) -> None:
        source = Counted(Numbered(), expected=2)
        interrupted: Future[str] = Future()

        def interrupt() -> None:
            source.all_here.wait(PATIENCE_S)
            source.obtain.meanwhile = lambda: None
            raise KeyboardInterrupt

        source.obtain.meanwhile = interrupt

        def lead() -> None:
            try:
                source.fetch()
            except BaseException as error:
                interrupted.set_exception(error)

        thread = threading.Thread(target=lead)
        thread.start()
        assert source.fetch() == "token-2"
        thread.join(PATIENCE_S)
        assert isinstance(interrupted.exception(0), KeyboardInterrupt)


class TestTasks:
    async def test_fifty_share_one_renewal(self) -> None:
        source = Counted(Numbered(), expected=50)
        source.obtain.ameanwhile = source.all_here_async.wait
        with anyio.fail_after(PATIENCE_S):
            tokens = await asyncio.gather(*(source.afetch() for _ in range(50)))
        assert tokens == ["token-1"] * 50
        assert source.obtain.obtained == 1

    @pytest.mark.parametrize("leaver", [0, 1], ids=["who began it", "who waits for it"])
    async def test_one_who_leaves_does_not_take_it_from_the_others(self, leaver: int) -> None:
        source = Counted(Numbered(), expected=3)
        go_on = anyio.Event()
        source.obtain.ameanwhile = go_on.wait
        tasks = [asyncio.ensure_future(source.afetch()) for _ in range(3)]
        with anyio.fail_after(PATIENCE_S):
            await source.all_here_async.wait()
            tasks[leaver].cancel()
            await asyncio.wait([tasks[leaver]])
            go_on.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results.pop(leaver), asyncio.CancelledError)
        assert results == ["token-1"] * 2
        assert source.obtain.obtained == 1

    async def test_one_that_everybody_left_is_not_lost(self) -> None:
        source = Counted(Numbered(), expected=1)
        go_on = anyio.Event()
        source.obtain.ameanwhile = go_on.wait
        with anyio.move_on_after(0):
            await source.afetch()
        go_on.set()
        with anyio.fail_after(PATIENCE_S):
            while source.ready(source.time.now) is None:
                await anyio.lowlevel.checkpoint()
        assert source.ready(source.time.now) == "token-1"
        assert source.obtain.obtained == 1

    def test_one_that_ends_with_its_loop_is_begun_again_by_the_next(self) -> None:
        source = Counted(Numbered(), expected=1)

        async def leave() -> None:
            asyncio.ensure_future(source.afetch())  # noqa: RUF006  # left behind on purpose
            await source.all_here_async.wait()

        source.obtain.ameanwhile = lambda: asyncio.sleep(PATIENCE_S)
        asyncio.run(leave())
        source.obtain.ameanwhile = anyio.lowlevel.checkpoint
        assert asyncio.run(source.afetch()) == "token-2"


class TestTime:
    @pytest.mark.parametrize(
        ("lifetime_s", "random", "renewed_after_s"),
        [
            (3600.0, 0.0, 3540.0),  # min(60, 3600 / 10) before the end
            (3600.0, 0.5, 3510.0),
            (100.0, 0.0, 90.0),  # min(60, 100 / 10)
            (100.0, 1.0, 80.0),
        ],
    )
    def test_the_margin(self, lifetime_s: float, random: float, renewed_after_s: float) -> None:
        source = Counted(Numbered(lifetime_s=lifetime_s), expected=1, random=random)
        source.fetch()
        assert source.ready(source.time.now + renewed_after_s - 0.1) == "token-1"
        assert source.ready(source.time.now + renewed_after_s) is None

    def test_the_lifetime_begins_when_it_was_asked_for(self) -> None:
        source = Counted(Numbered(lifetime_s=100.0), expected=1, random=0.0)
        source.obtain.meanwhile = lambda: source.time.sleep(30.0)
        source.fetch()
        assert source.ready(source.time.now + 59) == "token-1"
        assert source.ready(source.time.now + 60) is None

    def test_one_without_any_lifetime_is_used_by_those_who_waited_for_it(self) -> None:
        source = Counted(Numbered(lifetime_s=0.0), expected=1)
        assert source.fetch() == "token-1"
        assert source.ready(source.time.now) is None


class TestRefusal:
    def test_of_the_token_that_is_held(self) -> None:
        source = Counted(Numbered(), expected=1)
        source.refused(source.fetch())
        assert source.ready(source.time.now) is None
        assert source.fetch() == "token-2"

    def test_of_one_that_somebody_has_renewed_since(self) -> None:
        source = Counted(Numbered(), expected=1)
        old = source.fetch()
        source.refused(old)
        source.fetch()
        source.refused(old)
        assert source.ready(source.time.now) == "token-2"

    def test_a_refused_one_is_not_used_however_the_renewal_ends(self) -> None:
        def fail() -> None:
            raise RuntimeError("down")

        source = Counted(Numbered(lifetime_s=1000.0), expected=1)
        source.refused(source.fetch())
        source.obtain.meanwhile = fail
        with pytest.raises(RuntimeError, match="down"):
            source.fetch()
