"""Build: the artifact's place and content, the same bytes from the same source, bad input."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.fakes.registry import serve
from support.programs.ports import free_port
from vrooli import images, project
from vrooli.artifact import model, pack, sbom, tags
from vrooli.artifact.verify import require_intact
from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Progress, silent
from vrooli.images import BuiltImage, Package
from vrooli.workflows.artifacts import build as workflow
from vrooli.workflows.artifacts import sboms
from vrooli.workflows.artifacts.build import BuildOptions, build
from vrooli.workflows.results.artifacts import BuildResult

DATE = "2026-01-02T03:04:05+00:00"
NOBODY = {
    **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "a"),
    **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "a@example.com"),
    **dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), DATE),
    "GIT_CONFIG_GLOBAL": os.devnull,
}
CHART = Path("k8s/chart")


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **NOBODY},
    )
    return done.stdout.strip()


def _checkout(root: Path) -> Path:
    """A repository with this project's chart and one commit."""
    shutil.copytree(project.chart_dir(), root / CHART, ignore=shutil.ignore_patterns("tests"))
    _git(root, "init", "--quiet")
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "--message", "All of it")
    return root


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that is the project for the time of the test."""
    found = _checkout(tmp_path / "root")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("VROOLI_ROOT", str(found))
    return found


def _build(version: str | None = "1.2.3", **changes: Any) -> BuildResult:
    return asyncio.run(build(BuildOptions(version, **changes), silent))


def _content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in pack.list_files(folder)}


def test_the_artifact_is_where_the_specification_has_it(root: Path) -> None:
    folder = Path(_build().path)
    assert folder == root / "build_output" / "1.2.3" / "artifacts"
    assert pack.list_files(folder) == {
        "artifact.json",
        "k8s-chart-packages/vrooli-0.1.0.tgz",
        *(f"helm-value-files/values-{name}.yaml" for name in ENVIRONMENTS),
    }
    assert require_intact(folder).version == "1.2.3"
    assert {path.name for path in folder.parent.iterdir()} == {".lock", "artifacts"}


def test_the_packed_chart_and_values_render_what_the_source_does_with_the_version(
    root: Path,
) -> None:
    result = _build()
    prod = ENVIRONMENTS["prod"]
    packed = values.read(Path(result.path) / model.VALUES / "values-prod.yaml")
    services = {name: {"tag": "1.2.3"} for name in ("ui", "server", "jobs")}
    tagged = {"services": services, "rotation": {"tag": "1.2.3"}}
    wanted = values.merge(values.load(prod), tagged)
    release, namespace = prod.release, prod.namespace
    assert engine.render(
        packed, release=release, namespace=namespace, chart=Path(result.package)
    ) == engine.render(wanted, release=release, namespace=namespace)
    images = {image.service: image.references for image in model.read(Path(result.path)).images}
    assert "localhost/vrooli/server:1.2.3" in images["server"]


def test_the_record_names_the_commit(root: Path) -> None:
    result = _build()
    assert (result.commit, result.modified) == (_git(root, "rev-parse", "HEAD"), False)
    assert model.read(Path(result.path)).source.time.isoformat() == DATE


def test_two_checkouts_of_a_source_make_the_same_bytes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Path(_build(out=tmp_path / "a").path)
    _git(tmp_path, "clone", "--quiet", str(root), "other")
    for path in (tmp_path / "other" / CHART).rglob("*"):
        os.utime(path, (10**9, 10**9))
    monkeypatch.setenv("VROOLI_ROOT", str(tmp_path / "other"))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    second = Path(_build(out=tmp_path / "b").path)
    assert _content(first) == _content(second)


def test_the_packed_files_have_the_commits_time_or_the_one_that_is_given(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def times(result: BuildResult) -> set[float]:
        with tarfile.open(result.package) as archive:
            return {entry.mtime for entry in archive} | {Path(result.package).stat().st_mtime}

    assert times(_build()) == {1767323045}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert times(_build()) == {1000000000}


def test_the_same_build_again_changes_nothing_and_another_source_replaces_it(root: Path) -> None:
    assert _build().changed
    assert not _build().changed
    with (root / CHART / "values-prod.yaml").open("a") as file:
        file.write("# a thought\n")
    result = _build()
    assert (result.changed, result.modified) == (True, True)
    assert b"# a thought" in _content(Path(result.path))["helm-value-files/values-prod.yaml"]


def test_a_spoilt_artifact_is_made_anew(root: Path) -> None:
    folder = Path(_build().path)
    whole = _content(folder)
    (folder / "helm-value-files" / "values-prod.yaml").unlink()
    (folder / "more").touch()
    assert _build().changed
    assert _content(folder) == whole


def test_without_a_version_it_is_the_projects_and_no_file_changes(root: Path) -> None:
    before = _content(root / CHART)
    result = _build(None)
    assert result.version == project.version()
    assert not model.read(Path(result.path)).tagged
    for name in ENVIRONMENTS:
        packed = Path(result.path) / model.VALUES / f"values-{name}.yaml"
        assert packed.read_bytes() == before[f"values-{name}.yaml"]
    assert _content(root / CHART) == before


def test_a_version_changes_the_source_only_when_that_is_asked_for(root: Path) -> None:
    before = _content(root / CHART)
    _build()
    assert _content(root / CHART) == before
    mode = (root / CHART / "values-prod.yaml").stat().st_mode
    result = _build(write_source=True)
    for name in ENVIRONMENTS:
        packed = Path(result.path) / model.VALUES / f"values-{name}.yaml"
        assert packed.read_bytes() == (root / CHART / f"values-{name}.yaml").read_bytes()
    assert (root / CHART / "values-prod.yaml").stat().st_mode == mode
    changed = {name for name, text in _content(root / CHART).items() if before[name] != text}
    assert changed == {f"values-{name}.yaml" for name in ENVIRONMENTS}


def test_only_the_named_environments_are_packed(root: Path) -> None:
    result = _build(environments=(ENVIRONMENTS["prod"],))
    assert result.environments == ("prod",)
    assert pack.list_files(Path(result.path) / model.VALUES) == {"values-prod.yaml"}


def test_the_chart_is_pushed_as_it_is_in_the_artifact(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HELM_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))
    with serve() as server:
        place = f"oci://127.0.0.1:{server.server_port}/charts"
        results = [_build(push=place), _build(push=place)]
    assert Path(results[0].package).read_bytes() in server.blobs.values()
    assert str(results[0].pushed).startswith(f"{place}/vrooli@sha256:")
    assert results[0].pushed == results[1].pushed


def test_a_push_that_fails_leaves_the_artifact(root: Path) -> None:
    with pytest.raises(VrooliError, match="could not be pushed"):
        _build(push=f"oci://127.0.0.1:{free_port()}/charts")
    assert require_intact(root / "build_output" / "1.2.3" / "artifacts").version == "1.2.3"


def _refused(root: Path, said: str, kind: type[VrooliError] = UsageError, **changes: Any) -> None:
    with pytest.raises(kind, match=said):
        _build(**changes)
    assert not (root / "build_output" / "1.2.3").exists()


def test_an_environment_without_values_is_refused(root: Path) -> None:
    (root / CHART / "values-prod.yaml").unlink()
    _refused(root, "The environment 'prod' has no values")


def test_values_that_the_chart_refuses_stop_the_build_and_the_key_is_named(root: Path) -> None:
    (root / CHART / "values-staging.yaml").write_text("servises: {}\n")
    _refused(root, "servises")


def test_values_that_are_no_yaml_stop_the_build_and_the_line_is_named(root: Path) -> None:
    (root / CHART / "values-dev.yaml").write_text("a: 1\nservices: [\n")
    _refused(root, r"chart/values-dev\.yaml is not valid YAML: line")


def test_images_of_values_that_run_no_service_of_ours_are_refused(root: Path) -> None:
    services = "".join(f"  {name}: {{enabled: false}}\n" for name in ("ui", "server", "jobs"))
    rotation = "rotation: {enabled: false}\n"
    (root / CHART / "values-dev.yaml").write_text("services:\n" + services + rotation)
    wanted: dict[str, Any] = {"images": True, "environments": (ENVIRONMENTS["dev"],)}
    _refused(root, "none of ui, server, jobs and rotator", **wanted)


def test_images_are_not_pushed_to_the_charts_placeholder(root: Path) -> None:
    _refused(root, "placeholder for your registry", push_images=True)


def test_images_are_not_pushed_when_the_values_name_only_this_machine(root: Path) -> None:
    wanted: dict[str, Any] = {"push_images": True, "environments": (ENVIRONMENTS["dev"],)}
    _refused(root, "do not name a registry", **wanted)


def test_the_record_has_the_digest_of_each_pushed_image(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builder is left out: tests/cluster pushes real images to a registry."""
    for name in ("staging", "prod"):
        with (root / CHART / f"values-{name}.yaml").open("a") as file:
            file.write("\nimage: {registry: registry.example.com/x}\n")
    pushed = _without_builder(monkeypatch)
    result = _build(push_images=True)
    names = {f"registry.example.com/x/{name}:1.2.3" for name in tags.SERVICES}
    assert pushed == names
    assert result.pushed_images == {name: f"sha256:{name}" for name in names}
    record = require_intact(Path(result.path))
    for image in record.images:
        name = f"registry.example.com/x/{image.service}:1.2.3"
        assert image.pushed == {name: f"sha256:{name}"}
        assert image.archive is not None


def test_an_image_that_an_additional_file_names_is_not_built_or_pushed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under that name, the image of this project would replace the one of the site."""
    with (root / CHART / "values-prod.yaml").open("a") as file:
        file.write("\nimage: {registry: registry.example.com/x}\n")
    site = root / "site.yaml"
    site.write_text("services: {server: {repository: registry.example.com/site/server}}\n")
    pushed = _without_builder(monkeypatch)
    result = _build(push_images=True, environments=(ENVIRONMENTS["prod"],), values=(site,))
    assert pushed == {f"registry.example.com/x/{name}:1.2.3" for name in ("ui", "jobs", "rotator")}
    server = next(i for i in require_intact(Path(result.path)).images if i.service == "server")
    assert server.references == ("registry.example.com/site/server:1.2.3",)
    assert (server.digest, server.archive, server.pushed) == (None, None, {})
    assert "server" in next(step.detail for step in result.steps if step.step == "images")


def test_the_bill_of_materials_is_part_of_the_artifact_and_reproducible(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_builder(monkeypatch)
    first = Path(_build(images=True, out=root / "one").path)
    second = Path(_build(images=True, out=root / "two").path)
    content = (first / sbom.FILE).read_text()
    assert content == (second / sbom.FILE).read_text()
    assert sbom.FILE in require_intact(first).files
    document = json.loads(content)
    urls = {component.get("purl") for component in document["components"]}
    assert {"pkg:deb/debian/libc6@2.36?distro=debian-12", "pkg:npm/%40a/b@1"} <= urls
    contained = {component["name"] for component in document["components"]}
    assert set(tags.SERVICES) <= contained


def test_the_other_images_of_the_machine_are_listed_beside_the_artifact(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_builder(monkeypatch)
    folder = Path(_build(images=True).path)
    assert sbom.PLATFORM_FILE not in require_intact(folder).files
    document = json.loads((folder.parent / sbom.PLATFORM_FILE).read_text())
    components = {component["name"]: component for component in document["components"]}
    assert components.keys() == {"traefik", "example.com/a/b"}  # not ui, which is in the artifact
    assert components["traefik"]["version"] == f"sha256:{'f' * 64}"
    assert components["example.com/a/b"]["purl"] == "pkg:golang/example.com/a/b@v1.2.3"
    assert not _build(images=True).changed


def _without_builder(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Let images be there without a builder; gives the names that are pushed."""
    pushed: set[str] = set()

    async def builder(progress: Progress) -> None:
        del progress

    async def ensure(names: dict[str, Any], *rest: Any) -> dict[str, BuiltImage]:
        del rest
        return {name: BuiltImage(name, name, "hash", "id", built=False) for name in names}

    async def bundle(built: object, names: dict[str, Any], target: Path, *rest: Any) -> Any:
        del built, rest
        target.parent.mkdir(parents=True)
        target.touch()
        return {name: f"sha256:of-{name}" for name in names}

    async def push(built: object, names: dict[str, list[str]], *rest: Any) -> dict[str, str]:
        del built, rest
        pushed.update(name for found in names.values() for name in found)
        return {name: f"sha256:{name}" for name in pushed}

    async def read_packages(built: dict[str, Any], *rest: Any) -> dict[str, Any]:
        del rest
        return dict.fromkeys(built, (Package("deb", "libc6", "2.36"), Package("npm", "@a/b", "1")))

    async def read_with_modules(others: dict[str, Any], *rest: Any, **more: Any) -> dict[str, Any]:
        del rest, more
        return dict.fromkeys(others, (Package("golang", "example.com/a/b", "v1.2.3"),))

    async def detect() -> Any:
        names = {"localhost/vrooli/traefik:3.6.19-1": "f" * 64, "localhost/vrooli/ui:dev-1": "id"}

        async def stored() -> dict[str, str]:
            return names

        return SimpleNamespace(images=stored)

    monkeypatch.setattr(workflow, "ensure_builder", builder)
    monkeypatch.setattr(sboms, "detect", detect)
    for act in (ensure, bundle, push, read_packages, read_with_modules):
        monkeypatch.setattr(images, act.__name__, act)
    return pushed


def test_a_record_of_before_there_were_pushes_keeps_its_checksum(root: Path) -> None:
    text = (Path(_build().path) / model.RECORD).read_text()
    assert '"pushed"' not in text


def test_a_chart_that_lint_warns_of_is_not_packed(root: Path) -> None:
    path = root / CHART / "Chart.yaml"
    path.write_text(path.read_text().replace("apiVersion: v2", "apiVersion: v9"))
    _refused(root, "apiVersion", VrooliError)


def test_a_folder_of_someone_elses_is_not_replaced(root: Path) -> None:
    theirs = root / "build_output" / "1.2.3" / "artifacts" / "thesis.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    with pytest.raises(UsageError, match="contains files, but no artifact"):
        _build()
    assert theirs.read_text() == "mine"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_folder_that_can_not_be_written_is_wrong_use(
    root: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write everywhere
    with pytest.raises(UsageError, match=f"can't be written: {os.strerror(number)}"):
        _build()


def test_a_full_disk_is_no_wrong_use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OSError, match="No space left"):
        _build()


def test_two_builds_at_once_leave_one_whole_artifact(root: Path) -> None:
    async def both() -> tuple[BuildResult, BuildResult]:
        options = BuildOptions("1.2.3")
        return await asyncio.gather(build(options, silent), build(options, silent))

    results = asyncio.run(both())
    assert sorted(result.changed for result in results) == [False, True]
    assert require_intact(Path(results[0].path)).version == "1.2.3"
