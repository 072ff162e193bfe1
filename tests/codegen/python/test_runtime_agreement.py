"""What the generator knows of the runtime by heart."""

from __future__ import annotations

import inspect
from typing import get_args

from dhatu_client import _bound, _call, _commands, _errors
from dhatu_client._call import CallOptions
from dhatu_client._client import AsyncAPIClient, SyncAPIClient
from dhatu_codegen.targets.python import commands, going_on
from dhatu_codegen.targets.python.forms import FormKind
from dhatu_codegen.targets.python.going_on import JOB_MEMBERS, PAGE_MEMBERS
from dhatu_codegen.targets.python.identifiers import CALL_OPTIONS, CLIENT_MEMBERS, FORMS
from dhatu_codegen.targets.told import ERRORS


def test_arguments_never_clash_with_call_options() -> None:
    assert set(CallOptions.__annotations__) == CALL_OPTIONS


def test_operations_never_hide_members_of_the_client() -> None:
    clients = (AsyncAPIClient, SyncAPIClient)
    members = {
        name for client in clients for name, _ in inspect.getmembers(client) if not name.startswith("_")
    }
    assert members | FORMS == CLIENT_MEMBERS


def test_the_table_of_commands_leaves_out_what_its_types_fill_in() -> None:
    assert get_args(_commands.ArgumentKind) == get_args(FormKind)
    assert vars(commands)["_ARGUMENT"] == _commands.ArgumentEntry._field_defaults
    assert vars(commands)["_COMMAND"] == _commands.CommandEntry._field_defaults


def test_descriptors_leave_out_what_their_types_fill_in() -> None:
    assert vars(going_on)["_PAGE"] == _call.PageSpec._field_defaults
    assert vars(going_on)["_JOB"] == _call.JobSpec._field_defaults


def test_members_of_pages_and_jobs_are_known() -> None:
    for known, kinds in ((PAGE_MEMBERS, ("AsyncPage", "SyncPage")), (JOB_MEMBERS, ("AsyncJob", "SyncJob"))):
        for kind in kinds:
            functions = {
                name for name, value in vars(getattr(_bound, kind)).items() if inspect.isfunction(value)
            }
            assert {name for name in functions if not name.startswith("_")} - {"model_post_init"} == known


def test_docstrings_name_the_errors_that_are_raised() -> None:
    for status, name in ERRORS.items():
        assert _errors.error_class(int(status)) is getattr(_errors, name)
