"""Values files that a build adds: which it refuses, their names, and whose images they set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vrooli import project
from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.workflows.artifacts import build_values
from vrooli.workflows.artifacts.build import BuildOptions

VROOLI = project.chart_dir() / "values-vrooli.yaml"
SECRET = "Zt7-wq2.Lm9xKp4v"


def _written(folder: Path, text: str, name: str = "site.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_are_named_by_their_order_and_keep_their_text(tmp_path: Path) -> None:
    first = _written(tmp_path / "one", "# of one\nreplicaCount: {ui: 2}\n")
    second = _written(tmp_path / "two", "# of two\r\nreplicaCount: {ui: 3}\r\n")
    target = tmp_path / "target"
    target.mkdir()
    copies = build_values.pack((first, second), target)
    assert [path.name for path in copies] == ["additional-1.yaml", "additional-2.yaml"]
    assert [path.read_bytes() for path in copies] == [first.read_bytes(), second.read_bytes()]


def test_a_link_is_packed_as_a_file(tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(_written(tmp_path / "elsewhere", "replicaCount: {ui: 2}\n"))
    target = tmp_path / "target"
    target.mkdir()
    (copy,) = build_values.pack((link,), target)
    assert not copy.is_symlink()
    assert copy.read_text() == "replicaCount: {ui: 2}\n"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (
            f"services: {{server: {{extraEnv: {{API_KEY: {SECRET}}}}}}}",
            "services.server.extraEnv.API_KEY",
        ),
        (f"config: {{extra: {{DB_URL: 'postgresql://u:{SECRET}@db/x'}}}}", "config.extra.DB_URL"),
        (f"a: [{{name: TOKEN, value: {SECRET}}}]", "a.0.value"),
        (f"a: {{args: [--password, {SECRET}]}}", "a.args"),
        (f"a: {{password: '{{{{ x }}}}{SECRET}'}}", "a.password"),
        (f"a: {{b: 'password: {{{{ x }}}}{SECRET}'}}", "a.b"),
        (f'a: {{b: \'{{"password": "{SECRET}{{{{ x }}}}"}}\'}}', "a.b"),
        (f"a: {{b: 'postgresql://{{{{ x }}}}:{SECRET}@db'}}", "a.b"),
        (f"a: {{b: 'postgresql://u:{{{{ x }}}}{SECRET}@db'}}", "a.b"),
    ],
)
def test_secrets_are_refused_by_key_and_not_shown(tmp_path: Path, text: str, key: str) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(UsageError, match="look like secrets") as refused:
        build_values.pack((_written(tmp_path, text),), target)
    assert f"site.yaml look like secrets: {key}." in refused.value.message
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        VROOLI.read_text(),
        *(one.values_file.read_text() for one in ENVIRONMENTS.values()),
        (project.chart_dir() / "values.yaml").read_text(),
        "services: {server: {pod: {variables: {DB_PASSWORD: "
        "{secretKeyRef: {name: my-database, key: password}}}}}}",
        "vso: {secrets: {postgres: {templates: {DB_URL: 'postgresql://{{ .Secrets.user }}:"
        "{{ .Secrets.password }}@db/x', PASSWORD: '{{ .Secrets.password }}'}}}}",
    ],
    ids=["vrooli", *ENVIRONMENTS, "chart", "reference", "template"],
)
def test_the_charts_files_references_and_templates_are_not_secrets(
    tmp_path: Path, text: str
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    assert build_values.pack((_written(tmp_path, text),), target)


def test_a_missing_file_or_one_that_is_not_a_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml cannot be read"):
        BuildOptions(values=(tmp_path / "none.yaml",))
    with pytest.raises(UsageError, match="not a mapping"):
        BuildOptions(values=(_written(tmp_path, "- a\n"),))
    with pytest.raises(UsageError, match="duplicate key"):
        BuildOptions(values=(_written(tmp_path, "a: 1\na: 2\n"),))


def test_a_pipe_is_refused_without_reading_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="not a regular file"):
        BuildOptions(values=(pipe,))


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("", set()),
        ("image: {registry: registry.example.com/x}", set()),
        ("services: {ui: {probes: {livenessPath: /}}, server: null}", set()),
        ("services: {ui: {tag: '5'}, server: {repository: a/b}}", {"ui", "server"}),
        ("services: {adminer: {tag: '5'}}\nrotation: {repository: a/b}", {"rotator"}),
    ],
)
def test_services_whose_image_a_file_names(tmp_path: Path, text: str, services: set[str]) -> None:
    assert build_values.with_own_image(values.read(_written(tmp_path, text))) == services
