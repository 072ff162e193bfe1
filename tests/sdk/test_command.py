"""The command: what is typed, what is sent, what is shown, and how it ends."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import dhatu_client
import pytest
from dhatu_client import _cli
from dhatu_client._cli.app import program_command, run
from dhatu_client._cli.parameters import command_name
from dhatu_client._commands import ArgumentEntry, CommandEntry, ProgramEntry
from dhatu_client.generated import operations
from dhatu_client.generated.commands import PROGRAM
from dhatu_client.testing import FakeAPI, FakeCall, fake_api

HIT = {"id": "d1", "title": "Sandhi", "language": "sa", "score": 1.5, "snippet": "a <mark>sandhi</mark>"}
PAGE = {"total": 1, "documents": [HIT], "next_cursor": None}
COMPRESSED = {"algorithm": "zstd", "data": "KLU=", "original_bytes": 4, "compressed_bytes": 2, "ratio": 2.0}
Dhatu = Callable[..., tuple[int, str, str]]
COUNTS = {"documents_total": 2, "documents_added": 1, "documents_unchanged": 0}


@pytest.fixture
def api() -> Iterator[FakeAPI]:
    with fake_api() as api:
        yield api


@pytest.fixture
def dhatu(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dhatu:
    """Runs a command line, perhaps on a terminal; returns exit code, standard output and standard error."""

    def command(*arguments: str, terminal: bool = False) -> tuple[int, str, str]:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        code = run(PROGRAM, arguments)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return command


def leaves(group: click.Group) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = leaves(command) if isinstance(command, click.Group) else [()]
        found += [(name, *rest) for rest in below]
    return found


def test_there_is_a_command_for_every_operation() -> None:
    described = [
        value for name, value in vars(operations).items() if name.isupper() and name != "TYPE_CHECKING"
    ]
    assert len(leaves(program_command(PROGRAM))) == len(described)


@pytest.mark.parametrize("path", leaves(program_command(PROGRAM)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...], dhatu: Dhatu) -> None:
    code, out, err = dhatu(*path, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: dhatu {' '.join(path)} [OPTIONS]")


def test_help_says_what_is_needed_and_what_may_be_repeated(dhatu: Dhatu) -> None:
    _, out, _ = dhatu("api-keys", "create", "--help")
    text = " ".join(out.split())
    assert "--scopes TEXT What the key allows." in text
    assert "[required, may be repeated]" in text
    _, out, _ = dhatu("corpus", "--help")
    assert "  search           Search the corpus.\n" in out


def test_what_is_typed_is_what_is_sent(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.search.returns(PAGE)
    code, out, _ = dhatu("corpus", "search", "sandhi rules", "--limit", "5", "--language", "sa", "--json")
    assert code == 0
    assert json.loads(out) == HIT
    assert api.corpus.search.call.arguments == {"q": "sandhi rules", "limit": 5, "language": "sa"}


def test_people_get_a_table(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.search.returns(PAGE)
    code, out, _ = dhatu("corpus", "search", "sandhi")
    assert code == 0
    assert out.splitlines() == [
        "id  title   language  score  snippet",
        "d1  Sandhi  sa        1.5    a <mark>sandhi</mark>",
    ]


def pages(call: FakeCall) -> dict[str, object]:
    """Three pages of two hits each."""
    number = int(str(call.arguments.get("cursor", 0)))
    hits = [{**HIT, "id": f"d{2 * number + hit}"} for hit in (0, 1)]
    return {"total": 6, "documents": hits, "next_cursor": str(number + 1) if number < 2 else None}


def test_all_pages_are_gone_through(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.search.answers(pages)
    code, out, _ = dhatu("corpus", "search", "x", "--json")
    assert code == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["d0", "d1", "d2", "d3", "d4", "d5"]
    assert [call.arguments.get("cursor") for call in api.corpus.search.calls] == [None, "1", "2"]


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "people"])
def test_no_page_is_asked_for_beyond_what_is_wanted(form: list[str], api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.search.answers(pages)
    code, out, _ = dhatu("corpus", "search", "x", "--limit-items", "3", *form)
    assert code == 0
    assert [text in out for text in ("d0", "d1", "d2", "d3")] == [True, True, True, False]
    assert len(api.corpus.search.calls) == 2


def test_a_list_that_goes_round_in_circles_ends_with_1(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.search.returns({**PAGE, "next_cursor": "again"})
    code, _, err = dhatu("corpus", "search", "x")
    assert code == 1
    assert "dhatu: corpus.search: the server points to a page that was read already" in err
    assert len(api.corpus.search.calls) == 2


def test_an_empty_list_says_so(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.search.returns({**PAGE, "documents": []})
    assert dhatu("corpus", "search", "x") == (0, "none\n", "")
    assert dhatu("corpus", "search", "x", "--json") == (0, "", "")


def test_members_that_this_version_does_not_know_are_shown_exactly(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.stats.returns({"documents": 1, "new": {"a": [1, 2.50]}, "characters": 2, "languages": []})
    _, out, _ = dhatu("--json", "corpus", "stats")
    assert json.loads(out)["new"] == {"a": [1, 2.5]}
    assert list(json.loads(out)) == ["documents", "new", "characters", "languages"]


def test_a_file_is_sent_as_it_is(api: FakeAPI, dhatu: Dhatu, tmp_path: Path) -> None:
    notes, packed = tmp_path / "notes.txt", tmp_path / "notes.zst"
    notes.write_bytes(b"r\xc4\x81ma")
    api.compress.returns(b"\x28\xb5\x2f\xfd")
    code, out, err = dhatu("compress", str(notes), "--algorithm", "zstd", "--output", str(packed))
    assert (code, out) == (0, "")
    assert err == f"{packed}: 4 bytes of application/octet-stream\n"
    assert packed.read_bytes() == b"\x28\xb5\x2f\xfd"
    assert api.compress.call.arguments == {"content": b"r\xc4\x81ma", "algorithm": "zstd"}


def test_bytes_go_through_a_pipe(api: FakeAPI, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"rama")))
    api.compress.returns(b"\x28\xb5\x00")
    assert run(PROGRAM, ["compress", "-"]) == 0
    assert capfdbinary.readouterr().out == b"\x28\xb5\x00"
    assert api.compress.call.arguments == {"content": b"rama"}


def test_on_a_terminal_a_text_is_sent_as_json_and_the_answer_can_be_read(
    api: FakeAPI, dhatu: Dhatu, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("rāma", encoding="utf-8")
    api.compress.returns(COMPRESSED)
    code, out, _ = dhatu("compress", str(tmp_path / "notes.txt"), terminal=True)
    assert code == 0
    assert "compressed_bytes: 2" in out.splitlines()
    assert api.compress.call.arguments == {"text": "rāma"}


def test_bytes_become_base64_where_json_is_wanted(api: FakeAPI, dhatu: Dhatu, tmp_path: Path) -> None:
    (tmp_path / "notes.zst").write_bytes(b"\x28\xb5")
    api.decompress.returns({"text": "rama", "algorithm": "zstd", "original_bytes": 4, "compressed_bytes": 2})
    code, out, _ = dhatu("decompress", str(tmp_path / "notes.zst"), "--json")
    assert code == 0
    assert json.loads(out)["text"] == "rama"
    assert api.decompress.call.arguments == {"data": base64.b64encode(b"\x28\xb5").decode()}


def test_bytes_are_never_written_to_a_terminal(api: FakeAPI, dhatu: Dhatu, tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"\xff")  # no text, so that it can only go as it is
    api.compress.returns(b"\x28\xb5")
    code, out, err = dhatu("compress", str(tmp_path / "notes"), terminal=True)
    assert (code, out) == (2, "")
    assert "is not text: give --output FILE" in err
    code, _, err = dhatu("analysis", "visualize-patterns", "rama rama", terminal=True)
    assert code == 2
    assert "is not text: give --output FILE" in err
    assert api.on("analysis.visualize_patterns").calls == []


def test_values_of_a_body_come_from_files(
    api: FakeAPI, dhatu: Dhatu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("verse.txt").write_text("rāma", encoding="utf-8")
    Path("documents.json").write_text('[{"title": "a", "text": "b"}]')
    Path("more.json").write_text('{"level": 9}')
    api.analysis.detect_patterns.answers(lambda call: dict[str, object]())
    dhatu_arguments = {"@verse.txt": "rāma", "@@verse": "@verse", "verse": "verse"}
    for typed, sent in dhatu_arguments.items():
        api.analysis.detect_patterns.calls.clear()
        with pytest.raises(dhatu_client.testing.CannedAnswerError):
            dhatu("analysis", "detect-patterns", typed, "--body", "more.json")
        assert api.analysis.detect_patterns.call.arguments == {"text": sent, "level": 9}
    job = {"id": "j", "state": "queued", "created_at": "2026-01-01T00:00:00Z", **COUNTS}
    api.corpus.collect.returns(job)
    assert dhatu("corpus", "collect", "--documents", "@documents.json")[0] == 0
    assert dhatu("corpus", "collect", "--file", "verse.txt", "--language", "sa")[0] == 0
    assert [call.arguments for call in api.corpus.collect.calls] == [
        {"documents": [{"title": "a", "text": "b"}]},
        {"file": "rāma".encode(), "language": "sa"},
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["corpus", "search"], "Missing argument 'Q'"),
        (["corpus", "get-document"], "Missing argument 'ID'"),
        (["compress"], "a body is needed: give --text or FILE"),
        (["corpus", "search", "x", "--limit", "many"], "'many' is not a valid integer"),
        (["compress", "--text", "x", "--algorithm", "zip"], "'zip' is not one of 'auto', 'zstd'"),
        (["compress", "nowhere.txt"], "'nowhere.txt' does not exist"),
        (["compress", "--text", "@nowhere.txt"], "cannot read 'nowhere.txt': No such file"),
        (["corpus", "collect", "--documents", "["], "this is not JSON"),
        (["corpus", "search", "x", "--header", "nonsense"], "a header is written as 'Name: value'"),
        (["corpus", "serach", "x"], "No such command 'serach'"),
        (["--base-url", "ftp://x", "corpus", "stats"], "base_url"),
        (["--retries", "-1", "corpus", "stats"], "-1 is not in the range x>=0"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_understood_ends_with_2(
    arguments: list[str], complaint: str, api: FakeAPI, dhatu: Dhatu
) -> None:
    code, out, err = dhatu(*arguments)
    assert (code, out) == (2, "")
    assert complaint in err
    assert api.calls == []


def test_a_refusal_ends_with_1_on_one_line_with_the_request_id(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.read.refuses(404, "No document\nhas this id.", headers={"X-Request-Id": "req-7"})
    code, out, err = dhatu("corpus", "read", "x")
    assert (code, out) == (1, "")
    assert err == "dhatu: corpus.read: 404 Not Found: No document has this id [request id req-7]\n"


def test_no_connection_ends_with_3(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.stats.fails("connect")
    code, out, err = dhatu("corpus", "stats", "--retries", "0")
    assert (code, out) == (3, "")
    assert err.startswith("dhatu: corpus.stats: could not connect")
    assert err.count("\n") == 1
    assert len(api.corpus.stats.calls) == 1


def test_an_interruption_ends_with_130(api: FakeAPI, dhatu: Dhatu) -> None:
    def interrupted(call: object) -> object:
        raise KeyboardInterrupt

    api.corpus.stats.answers(interrupted)
    assert dhatu("corpus", "stats")[0] == 130


def test_options_reach_the_client(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.search.returns(PAGE)
    options = [
        "--base-url",
        "http://127.0.0.1:1/v",
        "--api-key",
        "k",
        "-H",
        "X-Mine: yes",
        "--timeout",
        "2.5",
    ]
    assert dhatu(*options, "corpus", "search", "x")[0] == 0
    assert dhatu("corpus", "search", "x", *options)[0] == 0
    for call in api.corpus.search.calls:
        assert str(call.request.url).startswith("http://127.0.0.1:1/v/")
        assert (call.headers["x-api-key"], call.headers["x-mine"]) == ("k", "yes")
        assert float(call.headers["x-dhatu-timeout-ms"]) <= 2500
    assert "authorization" not in api.corpus.search.calls[0].headers


def test_events_are_printed_one_by_one(api: FakeAPI, dhatu: Dhatu) -> None:
    events = [{"sequence": number, "job_id": "j", "state": "running", **COUNTS} for number in (1, 2, 3)]
    api.corpus.job_events.returns(stream=events)
    code, out, _ = dhatu("corpus", "job-events", "j", "--json", "--limit-items", "2")
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == events[:2]
    code, out, _ = dhatu("corpus", "job-events", "j")
    assert [line for line in out.splitlines() if line.startswith("sequence")] == [
        "sequence: 1",
        "sequence: 2",
        "sequence: 3",
    ]


def test_an_empty_answer_prints_nothing(api: FakeAPI, dhatu: Dhatu) -> None:
    api.corpus.delete_document.returns()
    assert dhatu("corpus", "delete-document", "x") == (0, "", "")


def test_an_answer_can_go_to_a_file(api: FakeAPI, dhatu: Dhatu, tmp_path: Path) -> None:
    stats = {"documents": 1, "characters": 2, "languages": []}
    api.corpus.stats.returns(stats)
    assert dhatu("corpus", "stats", "-o", str(tmp_path / "stats.json")) == (0, "", "")
    assert json.loads((tmp_path / "stats.json").read_text(encoding="utf-8")) == stats


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_taught_to_complete(shell: str, dhatu: Dhatu) -> None:
    code, out, _ = dhatu("--show-completion", shell)
    assert code == 0
    assert f"_DHATU_COMPLETE={shell}_complete" in out


def test_the_version_is_that_of_the_distribution(dhatu: Dhatu) -> None:
    assert dhatu("--version") == (0, "dhatu-client 1.0.0\n", "")


def test_names_that_clash_with_options_of_every_command_say_where_they_go(
    monkeypatch: pytest.MonkeyPatch, dhatu: Dhatu
) -> None:
    entry = CommandEntry(
        name="stats",
        operation="CORPUS_STATS",
        summary="Count",
        arguments=(
            ArgumentEntry(name="output"),
            ArgumentEntry(name="json", place="body"),
            ArgumentEntry("n_"),
        ),
    )
    program = ProgramEntry(name="d", client="DhatuAPI", summary="d", commands=(entry,), groups=())
    command = program_command(program).get_command(click.Context(click.Command("d")), "stats")
    assert command is not None
    options = [name for parameter in command.params for name in parameter.opts]
    assert {"--query-output", "--body-json", "--output", "--json", "--n"} <= {*options}
    assert command_name("class_") == "class"


def test_a_missing_library_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("dhatu_client._cli.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as ended:
        _cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "dhatu needs click: pip install 'dhatu-client[cli]'\n"
