"""docs/gateway-settings.md lists every variable, with its default."""

from __future__ import annotations

import re

from dhatu_gateway.settings import DEMO_SECRET
from dhatu_gateway.settings.model import variables
from dhatu_gateway.table import generated_table
from samples import ROOT

PAGE = "docs/gateway-settings.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \|([^|]*)\|", re.MULTILINE)


def test_every_variable_is_listed_with_its_default() -> None:
    services = generated_table().platform.services
    others = {service.name.upper() for service in services} - {"CORPUS"}
    known = {
        variable: default
        for variable, default in variables(services).items()
        if variable.partition("_")[0] not in others
    }
    known["JWT_SECRET_KEY"] = known["JWT_SECRET_KEY"].removeprefix(DEMO_SECRET)  # allowed in demonstrations
    known["CORPUS_MIRROR_URL"] = ""
    listed = dict(ROW.findall((ROOT / PAGE).read_text(encoding="utf-8")))
    assert listed.keys() == known.keys(), f"add to, or take out of, {PAGE}"
    wrong = {
        variable: default
        for variable, default in known.items()
        if listed[variable].strip("` ") != default and variable != "CORPUS_SERVICE_URL"
    }
    assert wrong == {}, f"{PAGE} shows other defaults"
