"""Which operation takes the place of a deprecated one."""

from __future__ import annotations

from codegen.project import Project


def test_a_deprecated_operation_knows_what_has_taken_its_place(project: Project) -> None:
    paths = {"old": "v1/things", "newer": "v2/things", "newest": "v10/things", "dead": "v11/things"}
    paths["lonely"] = "v1/nothing"
    for name, path in paths.items():
        project.simple(name, f"/api/{path}")
    for name in ("old", "dead", "lonely"):
        service = project.root / "spec" / "services" / f"{name}.yaml"
        deprecated = service.read_text().replace("summary:", "deprecated: true\n      summary:")
        service.write_text(deprecated)
    platform = project.root / "spec" / "platform.yaml"
    versions = ", ".join(f"v{number}: {{state: current}}" for number in (1, 2, 10, 11))
    platform.write_text(platform.read_text().replace("v1: {state: current}", versions))
    successors = {name: project.operation(f"{name}.{name}").successor for name in paths}
    newest = "newest.newest"
    assert successors == {"old": newest, "newer": "", "newest": "", "dead": newest, "lonely": ""}
