"""A guided tour of the dhātu API with the Python SDK.

Wants a running platform: DHATU_BASE_URL says where, DHATU_API_KEY is a key that holds every scope.
`make demo` starts one and runs this.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import dhatu_client
from dhatu_client import DhatuAPI, Resilience, inputs

ESSAY = Path(__file__).with_name("essay.txt").read_text(encoding="utf-8")

VERBS = "rāmo vanaṃ gacchati. sītā vanaṃ gacchati. lakṣmaṇo vanaṃ gatvā phalāni karoti. gajo jalaṃ pibati."

DOCUMENTS: list[inputs.DocumentInput] = [
    {
        "title": "A note on preverbs",
        "text": "A preverb stands before the root and turns its meaning: gacchati, āgacchati.",
        "language": "en",
    },
    {
        "title": "A note on the weaver's metaphor",
        "text": "Sūtra means thread. A grammar in threads is woven tightly: no syllable to spare.",
        "language": "en",
    },
    {
        "title": "vanaṃ gacchati",
        "text": "rāmo vanaṃ gacchati. sītā rāmeṇa saha vanaṃ gacchati. lakṣmaṇo 'pi tau anugacchati.",
        "language": "sa-Latn",
    },
]

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def styled(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def chapter(title: str, call: str) -> None:
    print(f"\n{styled(title, '1')}\n  {styled(call, '36')}")


def say(line: str) -> None:
    print(f"  {line}")


def refused(error: dhatu_client.APIStatusError) -> None:
    """Shows an error as a caller meets it."""
    say(f"{styled(type(error).__name__, '33')}: {error}")


async def compress(client: DhatuAPI) -> None:
    chapter("Compress a text", "result = await client.compress(essay)")
    result = await client.compress(ESSAY)
    say(
        f"{result.original_bytes} bytes became {result.compressed_bytes} with {result.algorithm}, "
        f"{result.ratio:.2f} to 1."
    )
    chapter("... and back", "again = await client.decompress(result.data)")
    again = await client.decompress(result.data)
    if again.text != ESSAY:
        raise SystemExit("The text that came back is not the text that was sent.")
    say("The text that came back is the text that was sent, to the letter.")


async def analyze(client: DhatuAPI) -> None:
    chapter("How far could it go?", "report = await client.analyze(essay)")
    report = await client.analyze(ESSAY)
    say(f"{report.entropy_bits_per_byte:.2f} bits of entropy per byte. What each algorithm makes of it:")
    for estimate in report.estimates:
        bar = "█" * round(40 * estimate.compressed_bytes / report.bytes)
        say(f"  {estimate.algorithm:7}{estimate.compressed_bytes:6} bytes  {bar}")


async def collect(client: DhatuAPI) -> None:
    chapter("Collect a small corpus", "job = await client.corpus.collect(documents)")
    job = await client.corpus.collect(DOCUMENTS)
    say(f"{job.documents_total} documents were received; job {job.id} adds them in the background.")
    chapter("... and wait for it", "job = await job.wait(on_progress=...)")
    done = await job.wait(
        timeout_s=30, on_progress=lambda job: say(f"  {job.state:10} {job.documents_added} added")
    )
    say(f"{done.documents_added} documents are new, {done.documents_unchanged} were there already.")


async def search(client: DhatuAPI) -> None:
    chapter("Search it, page by page", 'async for hit in client.corpus.search("gacchati", limit=3)')
    page = await client.corpus.search("gacchati", limit=3)
    say(f"{page.total} documents match, the best first (diacritics and case do not matter):")
    async for hit in page:  # and those of all pages after it
        snippet = re.sub(r"<mark>(.*?)</mark>", lambda match: styled(match[1], "1;33"), hit.snippet)
        say(f"  {hit.score:5.2f}  {hit.title} [{hit.language}]")
        say(f"         {html.unescape(snippet)}")


async def detect(client: DhatuAPI) -> None:
    chapter("Detect patterns", "report = await client.analysis.detect_patterns(verbs)")
    report = await client.analysis.detect_patterns(VERBS, limit=3)
    for pattern in report.patterns:
        match pattern:
            case dhatu_client.models.RepeatPattern():
                say(f"  passage  {pattern.text!r}, {pattern.count} times")
            case dhatu_client.models.NgramPattern():
                say(f"  phrase   {' '.join(pattern.tokens)!r}, {pattern.count} times, {pattern.pmi:.1f} bits")
            case dhatu_client.models.DhatuPattern():
                forms = ", ".join(form.form for form in pattern.forms)
                say(f"  root     {pattern.dhatu} (class {pattern.gana}, {pattern.gloss}): {forms}")
            case _:
                say(f"  {pattern}")


async def draw(client: DhatuAPI) -> None:
    chapter("Draw them", 'picture = await client.analysis.visualize_patterns(verbs, format="svg")')
    target = Path("build") / "patterns.svg"
    target.parent.mkdir(exist_ok=True)
    async with await client.analysis.visualize_patterns(VERBS, format="svg") as picture:
        await picture.save(target)
    say(f"{target.stat().st_size} bytes of {picture.media_type} are in {target}.")


async def generate(client: DhatuAPI) -> None:
    chapter("Generate insights, each as it is found", "client.analysis.generate_insights(essay, stream=True)")
    async with await client.analysis.generate_insights(ESSAY, stream=True) as events:
        async for event in events:
            if isinstance(event, dhatu_client.models.InsightFound):
                say(f"  {event.insight.title}: {event.insight.detail}")


async def be_refused(client: DhatuAPI, base_url: str) -> None:
    chapter("Be refused: no key", "DhatuAPI(base_url=...).corpus.stats()")
    async with DhatuAPI(base_url=base_url, api_key="") as stranger:
        await expect(dhatu_client.AuthenticationError, stranger.corpus.stats)

    chapter("Be refused: a key without the scope", 'client.api_keys.create("reader", scopes=["corpus:read"])')
    reader_key = await client.api_keys.create("reader", scopes=["corpus:read"])
    async with DhatuAPI(base_url=base_url, api_key=reader_key.key) as reader:
        await expect(dhatu_client.PermissionDeniedError, lambda: reader.compress("text"))

        chapter("Be refused: a bad body", 'client.compress("text", extra_body={"colour": "red"})')
        await expect(
            dhatu_client.BadRequestError, lambda: client.compress("text", extra_body={"colour": "red"})
        )

        chapter("Be refused: over the limit", "await client.corpus.stats()   # 5 at once, then one every 2 s")
    # A client waits by itself where the server says that it would refuse; this one is told not to.
    async with DhatuAPI(
        base_url=base_url, api_key=reader_key.key, resilience=Resilience(pacing=False)
    ) as reader:
        await meet_the_limit(reader)
    await client.api_keys.revoke(reader_key.id)


async def meet_the_limit(client: DhatuAPI) -> None:
    """Calls until refused, then once more with the SDK's retries, which wait as long as Retry-After says."""
    try:
        for _ in range(100):
            await client.corpus.stats(max_retries=0)
    except dhatu_client.RateLimitedError as error:
        refused(error)
        say(f"Retry-After: {error.retry_after_s:g} s. The same call with retries waits that long:")
    else:
        raise SystemExit("The limit was never reached.")
    started_s = time.monotonic()
    stats = await client.corpus.stats(max_retries=2)
    say(f"{stats.documents} documents in the corpus, answered after {time.monotonic() - started_s:.1f} s.")


async def expect(kind: type[dhatu_client.APIStatusError], call: Callable[[], Awaitable[object]]) -> None:
    """Shows the refusal; ends the tour where there is none."""
    try:
        await call()
    except kind as error:
        refused(error)
    else:
        raise SystemExit(f"{kind.__name__} was expected.")


async def look_back(client: DhatuAPI) -> None:
    chapter("What the platform has seen", "overview = await client.dashboard.overview()")
    overview = await client.dashboard.overview()
    for service in overview.services:
        latency = "" if service.latency_ms is None else f"{service.latency_ms:.1f} ms"
        say(f"  {service.name:12} {service.state:9} {latency}")
    if overview.requests is not None:
        say(f"{overview.requests.calls} calls so far, {overview.requests.errors} of them refused.")


async def main() -> None:
    started_s = time.monotonic()
    base_url = os.environ["DHATU_BASE_URL"]
    print(styled(f"A tour of the dhātu API at {base_url}", "1;4"))
    async with DhatuAPI() as client:  # reads DHATU_BASE_URL and DHATU_API_KEY
        for stop in (compress, analyze, collect, search, detect, draw, generate):
            await stop(client)
        await be_refused(client, base_url)
        await look_back(client)
    print(f"\n{styled('That was the tour', '1')}, in {time.monotonic() - started_s:.1f} s.")


if __name__ == "__main__":
    asyncio.run(main())
