"""Each flag and environment variable, against the argument of the core that it sets."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from support.release.backup_view import BACKUP
from vrooli.cli import schemas
from vrooli.cli.app import app
from vrooli.drills.model import RequestedLimits
from vrooli.environments import ENVIRONMENTS, Environment, SecretsSource
from vrooli.errors import UsageError
from vrooli.rotation.model import Rotated
from vrooli.workflows.artifacts.build import BuildOptions
from vrooli.workflows.backups.run import BackupOptions
from vrooli.workflows.checks.check import CheckOptions
from vrooli.workflows.db import DbOptions
from vrooli.workflows.deploys.rollback import RollbackOptions
from vrooli.workflows.development.setup import SetupOptions
from vrooli.workflows.drills.drill import DrillOptions
from vrooli.workflows.graphs.graph import Format, GraphOptions
from vrooli.workflows.health.diagnose import DiagnoseOptions
from vrooli.workflows.logs.logs import LogOptions
from vrooli.workflows.operators.upgrade import UpgradeOptions
from vrooli.workflows.options import DeployOptions, DevelopOptions
from vrooli.workflows.restores.copy import RestoreOptions
from vrooli.workflows.restores.point import PointRestoreOptions
from vrooli.workflows.restores.postgres import PostgresRestoreOptions
from vrooli.workflows.restores.redis import RedisRestoreOptions
from vrooli.workflows.restores.vault import VaultRestoreOptions
from vrooli.workflows.results.artifacts import BuildResult, VerifyResult
from vrooli.workflows.results.backups import (
    BackupResult,
    BackupsResult,
    PointRestoreResult,
    PostgresRestoreEndResult,
    RedisRestoreResult,
    RestoreResult,
    SecretRestoreView,
    VaultRestoreResult,
)
from vrooli.workflows.results.base import Result, StepsResult
from vrooli.workflows.results.caches import CacheResult
from vrooli.workflows.results.clusters import (
    AutostartResult,
    ClusterListResult,
    ClusterResult,
    ClusterView,
    KubeconfigResult,
    SnapshotListResult,
    SnapshotResult,
    SnapshotView,
)
from vrooli.workflows.results.databases import (
    ResetResult,
    RotateResult,
    SeedResult,
    SwitchoverResult,
)
from vrooli.workflows.results.drills import DrillResult, DrillView
from vrooli.workflows.results.findings import CheckResult, DiagnoseResult
from vrooli.workflows.results.graphs import GraphResult
from vrooli.workflows.results.operators import OperatorUpgradeView, UpgradeOperatorsResult
from vrooli.workflows.results.releases import (
    DeployResult,
    DevelopResult,
    DevResult,
    DiffResult,
    GrowResult,
    HistoryResult,
    RollbackResult,
    ScaleResult,
)
from vrooli.workflows.results.sessions import OpenResult, ProgramResult
from vrooli.workflows.results.status import StatusResult
from vrooli.workflows.results.suites import SuitesResult
from vrooli.workflows.rotate import RotateOptions
from vrooli.workflows.safeguards.consent import Consent
from vrooli.workflows.scaling.growth_plan import Data
from vrooli.workflows.scaling.values_change import ValuesOptions
from vrooli.workflows.sessions.pages import OpenOptions
from vrooli.workflows.sessions.programs import SessionOptions
from vrooli.workflows.suites.test import SuiteOptions
from vrooli.workflows.switchover import Database, SwitchoverOptions

DEV, PROD = ENVIRONMENTS["dev"], ENVIRONMENTS["prod"]
CLUSTER = ClusterView(name="x", kind="embedded", state="running")
STEPS = {"changed": False, "elapsed_s": 0.0, "steps": ()}
SNAPSHOT = SnapshotView(
    name="x",
    cluster="x",
    created=datetime(2026, 11, 29, 14, 5, 1, tzinfo=UTC),
    size_bytes=1,
    frozen_s=0,
)
SNAPSHOTS = SnapshotListResult(cluster="x", snapshots=(SNAPSHOT,), free_bytes=1)
CACHE = CacheResult(changed=False, path="/x", caches=(), total_bytes=0, free_bytes=1)
PROGRAM = ProgramResult(namespace="x", pod="x", container="x", exit_status=0)
# What each workflow gives back, as little as its model takes.
RESULTS: dict[str, Result] = {
    "development.setup.setup": StepsResult.model_validate(STEPS),
    "development.develop.develop": DevelopResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("environment", "release", "namespace", "cluster"), "x"),
            "kubeconfig": "k",
            "urls": {},
        }
    ),
    "development.services.dev": DevResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("environment", "release", "namespace", "cluster"), "x"),
            "kubeconfig": "k",
            "urls": {},
            "services": ({"name": "server", "url": "x", "debugger": ""},),
        }
    ),
    "db.reset": ResetResult.model_validate({**STEPS, "release": "x", "namespace": "x"}),
    "db.seed": SeedResult.model_validate(
        {
            **STEPS,
            "release": "x",
            "namespace": "x",
            "posts": ({"id": "1", "text": "x", "state": "approved"},),
        }
    ),
    "artifacts.build.build": BuildResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("version", "path", "package"), "x"),
            "environments": ("dev",),
            "commit": None,
            "modified": False,
        }
    ),
    "deploys.deploy.deploy": DeployResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("version", "environment", "release", "namespace", "cluster"), "x"),
            "revision": 1,
            "changes": (),
        }
    ),
    "checks.check.check": CheckResult(
        environment="x", cluster="x", namespace="x", checks=(), elapsed_s=0.0
    ),
    "deploys.history.history": HistoryResult(release="x", namespace="x", revisions=()),
    "deploys.rollback.rollback": RollbackResult.model_validate(
        {**STEPS, "release": "x", "namespace": "x", "to_revision": 1, "revision": 3}
    ),
    "scaling.grow.grow": GrowResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("environment", "release", "namespace", "data"), "x"),
            **dict.fromkeys(("before", "after"), "1Gi"),
            "replaced": True,
            "pause_s": 1.0,
            "revision": 1,
            "changes": (),
            "overrides": (),
        }
    ),
    "scaling.scale.scale": ScaleResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("environment", "release", "namespace", "component"), "x"),
            **dict.fromkeys(("before", "after", "revision"), 1),
            "autoscaled": False,
            "changes": (),
            "overrides": (),
        }
    ),
    "deploys.history.diff": DiffResult(release="x", compared_to="x", changes=()),
    "artifacts.inspection.verify_artifact": VerifyResult(
        path="/a", version="1.2.3", chart="vrooli 1", commit=None, file_count=1, differences=()
    ),
    "health.status.status": StatusResult(environment="dev", cluster=CLUSTER),
    "graphs.graph.graph": GraphResult.model_validate(
        {
            **dict.fromkeys(("environment", "release", "namespace", "source", "rendered"), "x"),
            "live": False,
            "diagrams": (),
        }
    ),
    "health.diagnose.diagnose": DiagnoseResult(
        release="x", namespace="x", causes=(), unavailable=(), rule_count=1, elapsed_s=0.0
    ),
    "graphs.server.serve": Result(),
    **{f"sessions.programs.{name}": PROGRAM for name in ("shell", "psql", "redis_cli")},
    "suites.test.run_suites": SuitesResult(suites=(), cases=()),
    "logs.logs.release_logs": Result(),
    "backups.backup.backup": BackupResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("release", "namespace", "restore_command"), "x"),
            "backup": BACKUP,
            "notes": (),
        }
    ),
    "backups.backup.backups": BackupsResult(
        release="x",
        namespace="x",
        cluster="x",
        is_running=False,
        ranges=(),
        backups=(BACKUP,),
    ),
    "rotate.rotate": RotateResult.model_validate(
        {**STEPS, "release": "x", "namespace": "x", "secrets": ()}
    ),
    "drills.drill.drill": DrillResult(
        release="x",
        namespace="x",
        loaded=True,
        elapsed_s=1.0,
        drills=(
            DrillView(
                fault="vault-deleted", title="x", scope="cluster", outcome="passed", healed_s=1.0
            ),
        ),
    ),
    "operators.upgrade.upgrade_operators": UpgradeOperatorsResult(
        **STEPS,
        cluster="kind:kind",
        operators=(
            OperatorUpgradeView(
                operator="redis",
                title="Redis operator",
                owner="vrooli",
                source="vendor",
                before="1.2.3",
                after="1.2.4",
                outcome="upgraded",
                detail="x",
            ),
        ),
    ),
    "switchover.switchover": SwitchoverResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("release", "namespace", "database", "previous", "current"), "x"),
            "pause_s": 0.0,
        }
    ),
    "restores.end.undo_restore": PostgresRestoreEndResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("release", "namespace", "aside"), "x"),
            "is_undone": True,
            "moment": None,
            "pause_s": 0.5,
        }
    ),
    "restores.redis.restore_redis": RedisRestoreResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("release", "namespace", "point", "previous_point"), "x"),
            "undo_command": "x",
            "keys": 1,
            "pause_s": 0.5,
        }
    ),
    "restores.point.restore_point": PointRestoreResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("release", "namespace", "point"), "x"),
            "postgres": {
                **STEPS,
                **dict.fromkeys(("release", "namespace", "cluster", "point"), "x"),
                **dict.fromkeys(("finish_command", "undo_command"), "x"),
                **dict.fromkeys(("tables", "differences", "returned_roles"), ()),
                "moment": "2026-11-29T14:05:01Z",
                "pause_s": 0.5,
            },
            "redis": None,
            "vault": None,
            "notes": ("x",),
        }
    ),
    "restores.vault.restore_vault": VaultRestoreResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("release", "namespace", "point", "undo_command"), "x"),
            "secrets": (
                SecretRestoreView(
                    path="secret/a",
                    restored_version=1,
                    previous_version=3,
                    version=4,
                    changed_keys=("A",),
                    added_keys=(),
                    removed_keys=(),
                    kept_keys=("B",),
                    pods=(),
                    proof="",
                ),
            ),
            "notes": ("x",),
        }
    ),
    "restores.copy.restore": RestoreResult.model_validate(
        {
            **STEPS,
            **dict.fromkeys(("release", "namespace", "cluster"), "x"),
            "moment": BACKUP.time,
            "point": None,
            "tables": (),
            "differences": (),
        }
    ),
    "deploys.uninstall.uninstall": StepsResult.model_validate(STEPS),
    "clusters.embedded.start": ClusterResult(changed=False, cluster=CLUSTER),
    "clusters.embedded.stop": ClusterResult(changed=False, cluster=CLUSTER),
    "sessions.pages.open_page": OpenResult(url="http://x", opened=False),
    "cache.show": CACHE,
    "cache.clean": CACHE,
    "clusters.snapshots.create": SnapshotResult(elapsed_s=1, snapshot=SNAPSHOT),
    "clusters.snapshots.list_all": SNAPSHOTS,
    "clusters.snapshots.delete": SNAPSHOTS,
    "clusters.snapshots.restore": ClusterResult(changed=True, cluster=CLUSTER),
    "clusters.snapshots.fork": ClusterResult(changed=True, cluster=CLUSTER),
    "clusters.embedded.pause": ClusterResult(changed=False, cluster=CLUSTER),
    "clusters.embedded.resume": ClusterResult(changed=False, cluster=CLUSTER),
    "clusters.embedded.status": ClusterResult(changed=False, cluster=CLUSTER),
    "clusters.embedded.delete": ClusterResult(changed=False, cluster=CLUSTER),
    "clusters.embedded.list_all": ClusterListResult(clusters=()),
    "clusters.embedded.kubeconfig": KubeconfigResult(path="/k"),
    "clusters.embedded.autostart": AutostartResult(
        changed=False, name="vrooli", available=True, enabled=False
    ),
    "clusters.embedded.logs": Result(),
}


class Core:
    """Stands for one workflow: takes only what its signature takes, and notes it."""

    def __init__(self, real: Callable[..., Any], result: Result) -> None:
        self._signature = inspect.signature(real)
        self._result = result
        self.arguments: dict[str, Any] = {}

    async def __call__(self, *args: Any, **kwargs: Any) -> Result:
        bound = self._signature.bind(*args, **kwargs)
        bound.arguments.pop("listener")
        bound.arguments.pop("browse", None)  # a function
        bound.arguments.pop("streams", None)  # the terminal, or the capture of JSON
        self.arguments = dict(bound.arguments)
        return self._result


# Set by whoever runs these tests, or left from their own work.
OURS = (
    *("SECRETS_SOURCE", "VROOLI_CLUSTER", "VROOLI_CLUSTER_NAME", "VROOLI_ENVIRONMENT"),
    *("VROOLI_OUTPUT", "VROOLI_SECRETS_FILE", "VROOLI_SUITE"),
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)


def _run(
    monkeypatch: pytest.MonkeyPatch, workflow: str, words: str, env: dict[str, str]
) -> tuple[dict[str, Any], str]:
    """Run a command; return the arguments of its workflow and its output."""
    module_name, _, name = workflow.rpartition(".")
    module = importlib.import_module(f"vrooli.workflows.{module_name}")
    core = Core(getattr(module, name), RESULTS[workflow])
    monkeypatch.setattr(module, name, core)
    done = CliRunner().invoke(app, words.split(), env=env, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return core.arguments, done.stdout


def _develop(**changes: Any) -> dict[str, Any]:
    options = DevelopOptions(**{"environment": DEV, **changes})
    return {"options": options, "consent": Consent()}


def _suites(**changes: Any) -> dict[str, Any]:
    return {"options": SuiteOptions(**{"suites": ("live",), "environment": DEV, **changes})}


def _setup(**changes: Any) -> dict[str, Any]:
    return {"options": SetupOptions(**changes)}


def _build(**changes: Any) -> dict[str, Any]:
    return {"options": BuildOptions(**changes)}


def _grow(data: Data, size: str, environment: Environment = DEV, **changes: Any) -> dict[str, Any]:
    options = ValuesOptions(environment, **{"timeout_s": 1800.0, **changes})
    return {"options": options, "data": data, "size": size, "consent": Consent()}


def _scale(
    name: str, replicas: int | None, environment: Environment = DEV, **changes: Any
) -> dict[str, Any]:
    return {
        "options": ValuesOptions(environment, **changes),
        "name": name,
        "replicas": replicas,
        "consent": Consent(),
    }


def _deploy(**changes: Any) -> dict[str, Any]:
    options = DeployOptions(**{"environment": DEV, **changes})
    return {"options": options, "consent": Consent()}


def _check(**changes: Any) -> dict[str, Any]:
    return {"options": CheckOptions(**{"environment": DEV, **changes}), "confirm": None}


def _graph(**changes: Any) -> dict[str, Any]:
    return {"options": GraphOptions(**{"environment": DEV, **changes})}


def _release(**changes: Any) -> dict[str, Any]:
    return {"environment": DEV, "cluster": None, **changes}


def _logs(**changes: Any) -> dict[str, Any]:
    return {"options": LogOptions(**{"environment": DEV, **changes})}


def _rollback(**changes: Any) -> dict[str, Any]:
    options = RollbackOptions(**{"environment": DEV, **changes})
    return {"options": options, "consent": Consent()}


def _uninstall(**changes: Any) -> dict[str, Any]:
    return _release(**{"data": False, "consent": Consent(), **changes})


def _rotate(**changes: Any) -> dict[str, Any]:
    return {"options": RotateOptions(**{"environment": DEV, **changes}), "consent": Consent()}


def _switchover(**changes: Any) -> dict[str, Any]:
    options = SwitchoverOptions(**{"environment": DEV, "database": Database.REDIS, **changes})
    return {"options": options, "consent": Consent()}


def _drill(*faults: str, **changes: Any) -> dict[str, Any]:
    options = DrillOptions(**{"environment": DEV, "faults": faults, **changes})
    return {"options": options, "consent": Consent()}


def _session(arguments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"options": SessionOptions(**{"environment": DEV, **changes}), **arguments}


def _diagnose(**changes: Any) -> dict[str, Any]:
    return {"options": DiagnoseOptions(**{"environment": DEV, **changes})}


def _backup(**changes: Any) -> dict[str, Any]:
    return {"options": BackupOptions(**{"environment": DEV, **changes})}


def _restore(**changes: Any) -> dict[str, Any]:
    options = RestoreOptions(**{"environment": DEV, "into": "x", **changes})
    return {"options": options, "consent": Consent()}


YES = Consent(yes=True)
VALUES = Path(__file__).parents[3] / "k8s" / "chart" / "values.yaml"
TABLE: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
    ("development.setup.setup", "setup", {}, _setup()),
    ("development.setup.setup", "setup --target k8s-cluster", {}, _setup(target="k8s-cluster")),
    ("development.setup.setup", "setup -t k8s-cluster", {}, _setup(target="k8s-cluster")),
    ("development.setup.setup", "setup --cluster kind", {}, _setup(cluster="kind")),
    (
        "development.setup.setup",
        "setup --secrets-source file",
        {},
        _setup(secrets_source=SecretsSource.FILE),
    ),
    (
        "development.setup.setup",
        "setup",
        {"SECRETS_SOURCE": "file"},
        _setup(secrets_source=SecretsSource.FILE),
    ),
    ("development.develop.develop", "develop", {}, _develop()),
    (
        "development.services.dev",
        "dev server",
        {},
        {**_develop(), "names": ["server"], "debugger": False},
    ),
    (
        "development.services.dev",
        "dev ui jobs --debugger --yes",
        {},
        {**_develop(), "names": ["ui", "jobs"], "consent": YES, "debugger": True},
    ),
    (
        "development.services.dev",
        "dev ui --cluster kind",
        {},
        {**_develop(cluster="kind"), "names": ["ui"], "debugger": False},
    ),
    ("db.reset", "db reset", {}, {"options": DbOptions(DEV), "consent": Consent()}),
    ("db.reset", "db reset --yes", {}, {"options": DbOptions(DEV), "consent": YES}),
    ("db.reset", "db reset -e prod", {}, {"options": DbOptions(PROD), "consent": Consent()}),
    ("db.seed", "db seed -e dev", {}, {"options": DbOptions(DEV), "consent": Consent()}),
    ("db.seed", "db seed --yes", {}, {"options": DbOptions(DEV), "consent": YES}),
    (
        "db.seed",
        "db seed --cluster kind",
        {},
        {"options": DbOptions(DEV, "kind"), "consent": Consent()},
    ),
    ("development.develop.develop", "develop --target k8s-cluster", {}, _develop()),
    ("development.develop.develop", "develop --yes", {}, {**_develop(), "consent": YES}),
    (
        "development.develop.develop",
        "develop --discard-overrides",
        {},
        _develop(discard_overrides=True),
    ),
    ("development.develop.develop", "develop -t k8s-cluster", {}, _develop()),
    ("development.develop.develop", "develop --environment prod", {}, _develop(environment=PROD)),
    ("development.develop.develop", "develop -e production", {}, _develop(environment=PROD)),
    (
        "development.develop.develop",
        "develop",
        {"VROOLI_ENVIRONMENT": "prod"},
        _develop(environment=PROD),
    ),
    (
        "development.develop.develop",
        "develop --cluster embedded:two",
        {},
        _develop(cluster="embedded:two"),
    ),
    (
        "development.develop.develop",
        "develop",
        {"VROOLI_CLUSTER": "kind"},
        _develop(cluster="kind"),
    ),
    ("development.develop.develop", "develop", {"SECRETS_SOURCE": "vault"}, _develop()),
    (
        "development.develop.develop",
        "develop",
        {"SECRETS_SOURCE": "file"},
        _develop(secrets_source=SecretsSource.FILE),
    ),
    (
        "development.develop.develop",
        "develop --secrets-source vault",
        {"SECRETS_SOURCE": "file"},
        _develop(),
    ),
    (
        "development.develop.develop",
        "develop --secrets-file /s",
        {},
        _develop(secrets_file=Path("/s")),
    ),
    (
        "development.develop.develop",
        "develop",
        {"VROOLI_SECRETS_FILE": "/s"},
        _develop(secrets_file=Path("/s")),
    ),
    ("development.develop.develop", f"develop --values {VALUES}", {}, _develop(values=(VALUES,))),
    (
        "development.develop.develop",
        f"develop -f {VALUES} -f {VALUES}",
        {},
        _develop(values=(VALUES,) * 2),
    ),
    (
        "development.develop.develop",
        "develop --port http=8080 --port api=0",
        {},
        _develop(ports={"http": 8080, "api": 0}),
    ),
    ("artifacts.build.build", "build", {}, _build()),
    ("artifacts.build.build", "build", {"VROOLI_ENVIRONMENT": "dev"}, _build()),
    ("artifacts.build.build", "build --version 1.2.3", {}, _build(version="1.2.3")),
    ("artifacts.build.build", "build -v 1.2.3-rc.1", {}, _build(version="1.2.3-rc.1")),
    ("artifacts.build.build", "build --environment prod", {}, _build(environments=(PROD,))),
    ("artifacts.build.build", "build -e production -e dev", {}, _build(environments=(DEV, PROD))),
    ("artifacts.build.build", "build --out /o", {}, _build(out=Path("/o"))),
    (
        "artifacts.build.build",
        "build -v 1.2.3 --write-source",
        {},
        _build(version="1.2.3", write_source=True),
    ),
    ("artifacts.build.build", f"build --values {VALUES}", {}, _build(values=(VALUES,))),
    ("artifacts.build.build", f"build -f {VALUES} -f {VALUES}", {}, _build(values=(VALUES,) * 2)),
    ("artifacts.build.build", "build --images", {}, _build(images=True)),
    ("artifacts.build.build", "build --push-images", {}, _build(push_images=True)),
    (
        "artifacts.build.build",
        "build --push oci://r.example/c",
        {},
        _build(push="oci://r.example/c"),
    ),
    ("scaling.grow.grow", "grow postgres 5Gi", {}, _grow(Data.POSTGRES, "5Gi")),
    (
        "scaling.grow.grow",
        "grow backups 5Gi -e prod -y --timeout 60",
        {},
        {**_grow(Data.BACKUPS, "5Gi", PROD, timeout_s=60.0), "consent": YES},
    ),
    ("scaling.scale.scale", "scale server 5", {}, _scale("server", 5)),
    ("scaling.scale.scale", "scale server --reset", {}, _scale("server", None)),
    (
        "scaling.scale.scale",
        "scale jobs 0 -e prod -y",
        {},
        {**_scale("jobs", 0, PROD), "consent": YES},
    ),
    (
        "scaling.scale.scale",
        "scale ui 2 --cluster kind --timeout 60",
        {},
        _scale("ui", 2, cluster="kind", timeout_s=60.0),
    ),
    ("deploys.deploy.deploy", "deploy", {}, _deploy()),
    (
        "deploys.deploy.deploy",
        "deploy --source k8s --environment production -v 1.2.3",
        {},
        _deploy(environment=PROD, version="1.2.3"),
    ),
    ("deploys.deploy.deploy", "deploy -s k8s --artifact /a", {}, _deploy(artifact=Path("/a"))),
    ("deploys.deploy.deploy", "deploy --cluster context:a", {}, _deploy(cluster="context:a")),
    ("deploys.deploy.deploy", "deploy --no-rollback", {}, _deploy(rollback=False)),
    ("deploys.deploy.deploy", "deploy --yes", {}, {**_deploy(), "consent": YES}),
    ("deploys.deploy.deploy", "deploy -y", {}, {**_deploy(), "consent": YES}),
    ("deploys.deploy.deploy", "deploy --timeout 60", {}, _deploy(timeout_s=60.0)),
    ("deploys.deploy.deploy", "deploy --keep-added", {}, _deploy(preserve_added=True)),
    ("deploys.deploy.deploy", "deploy --discard-overrides", {}, _deploy(discard_overrides=True)),
    ("checks.check.check", "check", {}, _check()),
    ("checks.check.check", "check --environment prod", {}, _check(environment=PROD)),
    ("checks.check.check", "check", {"VROOLI_ENVIRONMENT": "prod"}, _check(environment=PROD)),
    ("checks.check.check", "check --cluster context:a", {}, _check(cluster="context:a")),
    ("checks.check.check", f"check -f {VALUES}", {}, _check(values=(VALUES,))),
    (
        "checks.check.check",
        "check",
        {"SECRETS_SOURCE": "file"},
        _check(secrets_source=SecretsSource.FILE),
    ),
    (
        "checks.check.check",
        "check --check-only --environment prod",
        {},
        _check(check_only=True, environment=PROD),
    ),
    ("checks.check.check", "check --check-only yes", {}, _check(check_only=True)),
    ("checks.check.check", "check --check-only no --yes no", {}, _check()),
    ("checks.check.check", "check --operators", {}, _check(operators=True)),
    (
        "checks.check.check",
        "check --operators --fix --yes yes",
        {},
        _check(operators=True, fix=True),
    ),
    (
        "checks.check.check",
        "check --operators --fix --check-only yes",
        {},
        _check(operators=True, fix=True, check_only=True),
    ),
    ("checks.check.check", "check --fix -y", {}, _check(fix=True)),
    ("checks.check.check", "check --junit /j.xml", {}, _check(junit=Path("/j.xml"))),
    ("deploys.history.history", "history -e prod", {}, _release(environment=PROD)),
    ("deploys.rollback.rollback", "rollback", {}, _rollback()),
    (
        "deploys.rollback.rollback",
        "rollback 3 --cluster kind",
        {},
        _rollback(number=3, cluster="kind"),
    ),
    ("deploys.rollback.rollback", "rollback -e prod", {}, _rollback(environment=PROD)),
    ("deploys.rollback.rollback", "rollback --timeout 60", {}, _rollback(timeout_s=60.0)),
    ("deploys.rollback.rollback", "rollback --keep-added", {}, _rollback(preserve_added=True)),
    ("deploys.rollback.rollback", "rollback --yes", {}, {**_rollback(), "consent": YES}),
    ("deploys.history.diff", "diff", {}, {"options": DeployOptions(DEV)}),
    ("deploys.history.diff", "diff -v 1.2.3", {}, {"options": DeployOptions(DEV, "1.2.3")}),
    ("artifacts.inspection.verify_artifact", "artifact verify /a", {}, {"path": Path("/a")}),
    ("health.status.status", "status", {}, {**_release(), "timeout_s": 120.0}),
    ("health.status.status", "status --timeout 30", {}, {**_release(), "timeout_s": 30.0}),
    ("graphs.graph.graph", "graph", {}, _graph()),
    ("graphs.graph.graph", "graph -e prod", {}, _graph(environment=PROD)),
    ("graphs.graph.graph", "graph --live --cluster kind", {}, _graph(live=True, cluster="kind")),
    ("graphs.graph.graph", "graph --format svg", {}, _graph(form=Format.SVG)),
    ("graphs.graph.graph", "graph --format html", {}, _graph(form=Format.HTML)),
    (
        "graphs.graph.graph",
        "graph --diagram secrets --diagram delivery",
        {},
        _graph(diagrams=("secrets", "delivery")),
    ),
    ("graphs.graph.graph", f"graph -f {VALUES}", {}, _graph(values=(VALUES,))),
    ("graphs.server.serve", "graph --serve", {}, {**_graph(live=True), "port": 0}),
    ("graphs.server.serve", "graph --serve --port 8090", {}, {**_graph(live=True), "port": 8090}),
    (
        "health.status.status",
        "status -e prod --cluster kind",
        {},
        {**_release(environment=PROD, cluster="kind"), "timeout_s": 120.0},
    ),
    ("suites.test.run_suites", "test", {}, _suites()),
    ("suites.test.run_suites", "test --suite unit -s lint", {}, _suites(suites=("unit", "lint"))),
    ("suites.test.run_suites", "test -s unit -s unit", {}, _suites(suites=("unit",))),
    ("suites.test.run_suites", "test", {"VROOLI_SUITE": "all"}, _suites(suites=("all",))),
    ("suites.test.run_suites", "test -s e2e", {"VROOLI_SUITE": "all"}, _suites(suites=("e2e",))),
    ("suites.test.run_suites", "test --long --update", {}, _suites(long=True, update=True)),
    ("suites.test.run_suites", "test -o json", {}, _suites(quiet=True)),
    (
        "suites.test.run_suites",
        "test -e prod --cluster kind",
        {},
        _suites(environment=PROD, cluster="kind"),
    ),
    ("logs.logs.release_logs", "logs", {}, _logs()),
    ("logs.logs.release_logs", "logs -o json", {}, _logs(readable=False)),
    ("logs.logs.release_logs", "logs server", {}, _logs(components=("server",))),
    (
        "logs.logs.release_logs",
        "logs ui jobs ui --tail 5 --follow -e prod",
        {},
        _logs(components=("ui", "jobs"), tail=5, follow=True, environment=PROD),
    ),
    (
        "logs.logs.release_logs",
        "logs -f -n 0 --since 2h --grep a.c --raw",
        {},
        _logs(follow=True, tail=0, since_s=7200, pattern=re.compile("a.c"), readable=False),
    ),
    ("health.diagnose.diagnose", "diagnose", {}, _diagnose()),
    ("health.diagnose.diagnose", "diagnose --timeout 300", {}, _diagnose(limit_s=300.0)),
    (
        "health.diagnose.diagnose",
        "diagnose -n staging --release vrooli-dev --bundle b.tar.gz --force",
        {},
        _diagnose(namespace="staging", name="vrooli-dev", archive=Path("b.tar.gz"), force=True),
    ),
    ("backups.backup.backup", "backup", {}, _backup()),
    (
        "backups.backup.backup",
        "backup --repository 2 --type full --timeout 60",
        {},
        _backup(repository=2, kind="full", timeout_s=60.0),
    ),
    ("backups.backup.backup", "backup --wait --yes -e prod", {}, _backup(environment=PROD)),
    ("backups.backup.backups", "backups", {}, _release()),
    ("backups.backup.backups", "backups -e prod", {}, _release(environment=PROD)),
    ("rotate.rotate", "rotate all", {}, _rotate()),
    (
        "rotate.rotate",
        "rotate redis --timeout 60 -e prod --cluster kind",
        {},
        _rotate(secrets=(Rotated.REDIS,), timeout_s=60.0, environment=PROD, cluster="kind"),
    ),
    (
        "rotate.rotate",
        "rotate shared --yes",
        {},
        {**_rotate(secrets=(Rotated.SHARED,)), "consent": YES},
    ),
    ("switchover.switchover", "switchover redis", {}, _switchover()),
    (
        "operators.upgrade.upgrade_operators",
        "upgrade operators",
        {},
        {"options": UpgradeOptions(), "consent": Consent()},
    ),
    (
        "operators.upgrade.upgrade_operators",
        "upgrade operators redis vault --force --timeout 60 --cluster kind --yes",
        {},
        {"options": UpgradeOptions(("redis", "vault"), "kind", True, 60.0), "consent": YES},
    ),
    ("drills.drill.drill", "drill vault-deleted restore", {}, _drill("vault-deleted", "restore")),
    ("drills.drill.drill", "drill --clean-up", {}, _drill(clean_up=True)),
    (
        "drills.drill.drill",
        "drill --all --yes-to-shared-cluster",
        {},
        _drill(in_shared_cluster=True),
    ),
    (
        "drills.drill.drill",
        "drill --all --load -e prod --yes-in-production --heal-timeout 60 --postgres-pause 40 "
        "--redis-pause 30 --failed-reads 9 --junit /j.xml --page /p.html --cluster kind --yes",
        {},
        {
            **_drill(
                environment=PROD,
                cluster="kind",
                is_loaded=True,
                in_production=True,
                limits=RequestedLimits(60.0, 40.0, 30.0, 9),
                junit=Path("/j.xml"),
                page=Path("/p.html"),
            ),
            "consent": Consent(yes=True),
        },
    ),
    (
        "switchover.switchover",
        "switchover postgres --to pg-0 -e prod --cluster kind --yes",
        {},
        {
            **_switchover(database=Database.POSTGRES, to="pg-0", environment=PROD, cluster="kind"),
            "consent": YES,
        },
    ),
    (
        "restores.end.undo_restore",
        "restore --undo --timeout 9 --yes",
        {},
        {"options": PostgresRestoreOptions(DEV, timeout_s=9.0), "consent": YES},
    ),
    (
        "restores.point.restore_point",
        "restore --all --point a --timeout 9 --yes",
        {},
        {"options": PointRestoreOptions(DEV, "a", timeout_s=9.0), "consent": YES},
    ),
    (
        "restores.redis.restore_redis",
        "restore --only redis --point a --yes",
        {},
        {"options": RedisRestoreOptions(DEV, "a"), "consent": YES},
    ),
    (
        "restores.vault.restore_vault",
        "restore --only vault --point a --yes",
        {},
        {"options": VaultRestoreOptions(DEV, "a", timeout_s=3600.0), "consent": YES},
    ),
    (
        "restores.vault.restore_vault",
        "restore --only vault --vault-version secret/a=3 --vault-version secret/b=4 --timeout 9 "
        "-e prod --cluster kind",
        {},
        {
            "options": VaultRestoreOptions(
                PROD, "", {"secret/a": 3, "secret/b": 4}, "kind", timeout_s=9.0
            ),
            "consent": Consent(),
        },
    ),
    ("restores.copy.restore", "restore --into x --to 14:05", {}, _restore(to="14:05")),
    (
        "restores.copy.restore",
        "restore --into x --point a --repository 2 --timeout 9",
        {},
        _restore(point="a", repository=2, timeout_s=9.0),
    ),
    ("sessions.pages.open_page", "open ui", {}, {"options": OpenOptions(DEV, "ui")}),
    (
        "sessions.pages.open_page",
        "open graph --no-browser -e prod --cluster kind",
        {},
        {"options": OpenOptions(PROD, "graph", "kind")},
    ),
    (
        "sessions.programs.shell",
        "shell server -- true -x",
        {},
        _session({"component": "server", "command": ["true", "-x"], "pod": None}),
    ),
    (
        "sessions.programs.shell",
        "shell redis --pod a -e prod --cluster kind",
        {},
        _session(
            {"component": "redis", "command": [], "pod": "a"}, environment=PROD, cluster="kind"
        ),
    ),
    (
        "sessions.programs.psql",
        "psql -c SELECT",
        {},
        _session({"sql": "SELECT", "database": None, "limit_s": 60.0}),
    ),
    (
        "sessions.programs.psql",
        "psql --read-only -d other --timeout 5",
        {},
        _session({"sql": None, "database": "other", "limit_s": 5.0}, read_only=True),
    ),
    ("sessions.programs.redis_cli", "redis-cli GET a", {}, _session({"words": ["GET", "a"]})),
    (
        "sessions.programs.redis_cli",
        "redis-cli --read-only -- --bigkeys",
        {},
        _session({"words": ["--bigkeys"]}, read_only=True),
    ),
    ("deploys.uninstall.uninstall", "uninstall", {}, _uninstall()),
    ("deploys.uninstall.uninstall", "uninstall --data", {}, _uninstall(data=True)),
    (
        "deploys.uninstall.uninstall",
        "uninstall --delete-data --yes",
        {},
        _uninstall(data=True, consent=YES),
    ),
    ("deploys.uninstall.uninstall", "uninstall -e prod", {}, _uninstall(environment=PROD)),
    ("clusters.embedded.start", "cluster start", {}, {"name": "vrooli", "ports": {}}),
    (
        "clusters.embedded.start",
        "cluster start a --port http=0",
        {},
        {"name": "a", "ports": {"http": 0}},
    ),
    ("clusters.embedded.stop", "cluster stop", {}, {"name": "vrooli"}),
    ("clusters.embedded.stop", "cluster stop", {"VROOLI_CLUSTER_NAME": "b"}, {"name": "b"}),
    ("cache.show", "cache show", {}, {}),
    ("cache.show", "cache", {}, {}),
    ("cache.clean", "cache clean", {}, {"all_kinds": False}),
    ("cache.clean", "cache clean --all", {}, {"all_kinds": True}),
    ("clusters.snapshots.create", "cluster snapshot", {}, {"name": "vrooli", "snapshot": None}),
    (
        "clusters.snapshots.create",
        "cluster snapshot before --name a",
        {},
        {"name": "a", "snapshot": "before"},
    ),
    ("clusters.snapshots.list_all", "cluster snapshots", {}, {"name": "vrooli"}),
    (
        "clusters.snapshots.delete",
        "cluster delete-snapshot before --yes",
        {},
        {"name": "vrooli", "snapshot": "before", "consent": YES},
    ),
    (
        "clusters.snapshots.restore",
        "cluster restore before --name a",
        {},
        {"name": "a", "snapshot": "before", "consent": Consent()},
    ),
    (
        "clusters.snapshots.fork",
        "cluster fork b",
        {},
        {"name": "vrooli", "new": "b", "snapshot": None, "ports": {}, "start": False},
    ),
    (
        "clusters.snapshots.fork",
        "cluster fork b --name a --snapshot before --start --port http=0",
        {},
        {"name": "a", "new": "b", "snapshot": "before", "ports": {"http": 0}, "start": True},
    ),
    ("clusters.embedded.pause", "pause", {}, {"name": "vrooli"}),
    ("clusters.embedded.pause", "pause a", {}, {"name": "a"}),
    ("clusters.embedded.resume", "resume", {"VROOLI_CLUSTER_NAME": "b"}, {"name": "b"}),
    ("clusters.embedded.status", "cluster status a", {}, {"name": "a"}),
    ("clusters.embedded.delete", "cluster delete a", {}, {"name": "a", "consent": Consent()}),
    ("clusters.embedded.delete", "cluster delete a -y", {}, {"name": "a", "consent": YES}),
    ("clusters.embedded.list_all", "cluster list", {}, {}),
    ("clusters.embedded.kubeconfig", "cluster kubeconfig a", {}, {"name": "a", "merge": False}),
    (
        "clusters.embedded.kubeconfig",
        "cluster kubeconfig --merge",
        {},
        {"name": "vrooli", "merge": True},
    ),
    ("clusters.embedded.autostart", "cluster autostart", {}, {"name": "vrooli", "enable": None}),
    (
        "clusters.embedded.autostart",
        "cluster autostart a --enable",
        {},
        {"name": "a", "enable": True},
    ),
    (
        "clusters.embedded.autostart",
        "cluster autostart --disable",
        {},
        {"name": "vrooli", "enable": False},
    ),
    (
        "clusters.embedded.logs",
        "cluster logs kubelet",
        {},
        {"name": "vrooli", "component": "kubelet", "tail": 100, "follow": False},
    ),
    (
        "clusters.embedded.logs",
        "cluster logs etcd --name a --tail 3 --follow",
        {},
        {"name": "a", "component": "etcd", "tail": 3, "follow": True},
    ),
]


@pytest.mark.parametrize(
    ("workflow", "words", "env", "arguments"),
    TABLE,
    ids=[f"{' '.join(f'{k}={v}' for k, v in env.items())} {words}" for _, words, env, _ in TABLE],
)
def test_a_flag_or_variable_sets_its_argument(
    monkeypatch: pytest.MonkeyPatch,
    workflow: str,
    words: str,
    env: dict[str, str],
    arguments: dict[str, Any],
) -> None:
    assert _run(monkeypatch, workflow, words, env)[0] == arguments


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        ("develop --target moon", {}, "Choose one of: k8s-cluster."),
        ("setup --target moon", {}, "Choose one of: k8s-cluster."),
        ("develop -e moon", {}, "Choose one of: dev, staging, prod."),
        ("develop", {"VROOLI_ENVIRONMENT": "moon"}, "Choose one of: dev, staging, prod."),
        ("develop --cluster moon", {}, "Choose one of: embedded, minikube, kind, context"),
        ("check -e moon", {}, "Choose one of: dev, staging, prod."),
        ("check --cluster moon", {}, "Choose one of: embedded, minikube, kind, context"),
        ("check --values /no/such/file", {}, "cannot be read"),
        ("check --junit /no/such/folder/j.xml", {}, "directory /no/such/folder not found"),
        ("drill --all --page /no/such/folder/p.html", {}, "directory /no/such/folder not found"),
        ("drill", {}, "Name the faults, or use --all or --clean-up."),
        ("drill --all restore", {}, "Name the faults, or use --all or --clean-up."),
        ("drill --all --clean-up", {}, "Name the faults, or use --all or --clean-up."),
        ("drill no-such-fault", {}, "There is no fault 'no-such-fault'."),
        ("drill --all -e prod --yes", {}, "not injected into production"),
        ("check --check-only perhaps", {}, "unexpected extra argument"),
        ("check --secrets-source moon", {}, "'vault', 'file'"),
        ("status -e moon", {}, "Choose one of: dev, staging, prod."),
        ("status --cluster moon", {}, "Choose one of: embedded, minikube, kind, context"),
        ("develop --secrets-source moon", {}, "'vault', 'file'"),
        ("develop", {"SECRETS_SOURCE": "moon"}, "'vault', 'file'"),
        ("develop --port web=80", {}, "Names: api, http, https"),
        ("develop --port http=70000", {}, "0 to 65535"),
        ("cluster start --port http", {}, "NAME=NUMBER"),
        ("develop --values /no/such/file", {}, "cannot be read"),
        ("build --version v1.2.3", {}, "without a leading v"),
        ("build --version 1.2", {}, "Use MAJOR.MINOR.PATCH"),
        ("build -e moon", {}, "Choose one of: dev, staging, prod."),
        ("build --write-source", {}, "--write-source requires a version."),
        ("build --push https://r.example/c", {}, "Use oci://HOST/FOLDER"),
        ("build --out /dev/null/x", {}, "can't be written: Not a directory"),
        ("artifact verify /no/such/folder", {}, "There is no artifact in /no/such/folder"),
        ("artifact verify", {}, "path"),
        ("test --suite moon", {}, "'unit'"),
        ("cluster logs", {}, "component"),
        ("cluster delete ../x", {}, "can't be a cluster's name"),
        ("launch", {}, "No such command"),
        ("status --wrong", {}, "No such option"),
        ("graph --format pdf", {}, "is not one of"),
        ("graph --diagram moon", {}, "is not one of"),
        ("graph --live --values x.yaml", {}, "--values cannot be used"),
        ("graph -f missing.yaml", {}, "cannot be read"),
        ("graph --serve --port 70000", {}, "--port"),
        ("restore --only vault --vault-version a", {}, "not a path and the number of a version"),
        ("restore --only vault --vault-version a=1 --point a", {}, "to a point, or to versions"),
        ("shell", {}, "component"),
        ("shell server -o json", {}, "--output json requires a command"),
        ("psql -o json", {}, "--output json requires a command"),
        ("shell server -e moon", {}, "Choose one of: dev, staging, prod."),
    ],
)
def test_wrong_use_ends_with_2_and_reports_what_is_certain(
    words: str, env: dict[str, str], said: str
) -> None:
    done = CliRunner().invoke(app, words.split(), env={**env, "COLUMNS": "300"})
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--only vault", "Secrets in Vault are restored in place, to a point."),
        ("--only vault --point a --into x", "Secrets in Vault are restored in place"),
        ("--only vault --point a --to 14:05", "Secrets in Vault are restored in place"),
        ("--only vault --point a --repository 2", "Secrets in Vault are restored in place"),
        ("--only redis --point a --into x", "Redis is restored in place, to a point."),
        ("--only redis --point a --vault-version a=1", "requires --only vault"),
        ("--only vault --undo", "end the last restore of PostgreSQL"),
        ("--only redis --finish", "end the last restore of PostgreSQL"),
        ("--all", "--all restores PostgreSQL, Redis and secrets in place, to a point."),
        ("--all --point a --only redis", "--all restores PostgreSQL, Redis and secrets in place"),
        ("--all --point a --into x", "--all restores PostgreSQL, Redis and secrets in place"),
        ("--all --undo", "end the last restore of PostgreSQL"),
    ],
)
def test_options_of_one_part_are_refused_with_another(words: str, said: str) -> None:
    done = CliRunner().invoke(app, ["restore", *words.split()])
    assert isinstance(done.exception, UsageError)
    assert said in done.exception.message


# One row for each workflow.
FIRST_ROWS = {row[0]: row for row in reversed(TABLE)}.values()


@pytest.mark.parametrize(("workflow", "words", "env", "_"), FIRST_ROWS, ids=lambda value: None)
def test_the_output_of_a_command_is_valid_against_its_schema(
    monkeypatch: pytest.MonkeyPatch, workflow: str, words: str, env: dict[str, str], _: object
) -> None:
    command = max((name for name in schemas.RESULTS if f"{words} ".startswith(f"{name} ")), key=len)
    _, output = _run(monkeypatch, workflow, words, {**env, "VROOLI_OUTPUT": "json"})
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["type"] for line in lines] == ["result"]
    for line in lines:
        Draft202012Validator(schemas.build_schema(command)).validate(line)
