"""The JSON schema of each command's lines with ``--output json``, generated from the models.

``docs/schemas`` contains one file for each command. A test compares the files with the models and
can update them.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, create_model

from vrooli.cli.terminal import jsonlines
from vrooli.workflows.results.artifacts import BuildResult, VerifyResult
from vrooli.workflows.results.backups import (
    BackupResult,
    BackupsResult,
    PointRestoreResult,
    PostgresRestoreEndResult,
    PostgresRestoreResult,
    RedisRestoreResult,
    RestoreResult,
    VaultRestoreResult,
)
from vrooli.workflows.results.base import Result, StepsResult
from vrooli.workflows.results.caches import CacheResult
from vrooli.workflows.results.clusters import (
    AutostartResult,
    ClusterListResult,
    ClusterResult,
    KubeconfigResult,
    SnapshotListResult,
    SnapshotResult,
)
from vrooli.workflows.results.databases import (
    ResetResult,
    RotateResult,
    SeedResult,
    SwitchoverResult,
)
from vrooli.workflows.results.drills import DrillResult
from vrooli.workflows.results.findings import CheckResult, DiagnoseResult
from vrooli.workflows.results.graphs import GraphResult
from vrooli.workflows.results.operators import UpgradeOperatorsResult
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
from vrooli.workflows.results.status import StatusResult, WatchResult
from vrooli.workflows.results.suites import SuitesResult
from vrooli.workflows.results.values import ConvertResult

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EVENTS = (
    jsonlines.StartedLine,
    jsonlines.ProgressLine,
    jsonlines.EndedLine,
    jsonlines.ObjectLine,
    jsonlines.LoggedLine,
)
# The result models of each command that has `--output`, by the words of the command.
RESULTS: Mapping[str, tuple[type[Result], ...]] = {
    "setup": (StepsResult,),
    "develop": (DevelopResult,),
    "dev": (DevResult,),
    "build": (BuildResult,),
    "artifact verify": (VerifyResult,),
    "values convert": (ConvertResult,),
    "check": (CheckResult,),
    "deploy": (DeployResult,),
    "diff": (DiffResult,),
    "history": (HistoryResult,),
    "rollback": (RollbackResult,),
    "backup": (BackupResult,),
    "backups": (BackupsResult,),
    "switchover": (SwitchoverResult,),
    "drill": (DrillResult,),
    "restore": (
        RestoreResult,
        PostgresRestoreResult,
        PostgresRestoreEndResult,
        RedisRestoreResult,
        VaultRestoreResult,
        PointRestoreResult,
    ),
    "rotate": (RotateResult,),
    "scale": (ScaleResult,),
    "grow": (GrowResult,),
    "upgrade operators": (UpgradeOperatorsResult,),
    "uninstall": (StepsResult,),
    "status": (StatusResult, WatchResult),
    "diagnose": (DiagnoseResult,),
    "graph": (GraphResult, Result),
    "logs": (Result,),
    "open": (OpenResult, Result),
    "shell": (ProgramResult,),
    "psql": (ProgramResult,),
    "redis-cli": (ProgramResult,),
    "test": (SuitesResult,),
    "pause": (ClusterResult,),
    "resume": (ClusterResult,),
    "cache show": (CacheResult,),
    "cache clean": (CacheResult,),
    "db reset": (ResetResult,),
    "db seed": (SeedResult,),
    "cluster start": (ClusterResult,),
    "cluster stop": (ClusterResult,),
    "cluster status": (ClusterResult,),
    "cluster delete": (ClusterResult,),
    "cluster list": (ClusterListResult,),
    "cluster snapshot": (SnapshotResult,),
    "cluster snapshots": (SnapshotListResult,),
    "cluster restore": (ClusterResult,),
    "cluster fork": (ClusterResult,),
    "cluster delete-snapshot": (SnapshotListResult,),
    "cluster logs": (Result,),
    "cluster kubeconfig": (KubeconfigResult,),
    "cluster autostart": (AutostartResult,),
}


def build_schema(command: str) -> dict[str, Any]:
    """Build the JSON schema of one line of a command.

    Additional properties are allowed, because later versions add fields.

    Args:
        command: The words of the command, such as ``cluster start``.
    """
    result = create_model(
        "ResultLine",
        __base__=jsonlines.ResultLine,
        __doc__=jsonlines.ResultLine.__doc__,
        result=(reduce(or_, RESULTS[command]), Field(description="the result of the command")),
    )
    lines: Any = reduce(or_, (*EVENTS, result, jsonlines.ErrorLine))
    line: Any = typing.Annotated[lines, Field(discriminator="type")]
    schema = TypeAdapter(line).json_schema(mode="serialization")
    head = {"$schema": DIALECT, "title": f"A line of `vrooli {command} --output json`"}
    return {**head, **_allow_additional_properties(schema)}


def file_name(command: str) -> str:
    """Return the name of a command's schema file in ``docs/schemas``."""
    return f"{command.replace(' ', '-')}.json"


def result_models() -> tuple[type[BaseModel], ...]:
    """Return the models of all results and of the objects in them, each once."""
    results = dict.fromkeys(model for models in RESULTS.values() for model in models)
    nested = dict.fromkeys(item for model in results for item in _nested_models(model))
    return (*results, *(model for model in nested if model not in results))


def _nested_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            yield from _nested_models(field.annotation)
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _nested_models(argument)


def _allow_additional_properties(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _allow_additional_properties(item)
            for key, item in value.items()
            if (key, item) != ("additionalProperties", False)
        }
    if isinstance(value, list):
        return [_allow_additional_properties(item) for item in value]
    return value
