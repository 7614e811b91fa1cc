"""The fourth diagram: Deployment and Build Flow, from the project's files and what it renders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vrooli import project
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.graph import reading
from vrooli.graph.manifests import components
from vrooli.graph.manifests.facts import Facts
from vrooli.graph.model import Consists, Diagram, Group, Reason, Sketch, Title

DEVELOPMENT, PRODUCTION = "Development Workflow", "Production Workflow"
CHART, RESOURCES = "Helm Chart Structure", "Kubernetes Resources Created"
TESTING = "Testing & Validation"
GROUPS = (
    Group(DEVELOPMENT),
    Group(PRODUCTION),
    Group(CHART),
    Group(RESOURCES),
    Group(TESTING),
)
SCRIPTS = "scripts/main"
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
# What the chart makes, by kind: the diagram's name and title.
KINDS: dict[str, tuple[str, Title]] = {
    "Service": ("Services", ("Services", "Internal networking")),
    "Ingress": ("Ingress", ("Ingress", "External access")),
    "ConfigMap": ("ConfigMaps", ("ConfigMaps", "Configuration")),
    "PostgresCluster": ("PGOCluster", ("PostgresCluster CR", "CrunchyData PGO")),
    "RedisFailover": ("RedisFailover", ("RedisFailover CR", "Spotahome Redis")),
}
VAULT_GROUP = "secrets.hashicorp.com"


def diagram(facts: Facts) -> Diagram:
    """From changed code to running pods."""
    sketch = Sketch("delivery", "Deployment and Build Flow", "TD", GROUPS)
    _workflows(sketch)
    _chart(sketch)
    _resources(sketch, facts)
    _tests(sketch, facts)
    return sketch.done()


def _workflows(sketch: Sketch) -> None:
    develop, build, deploy, test = (
        _launcher(name) for name in ("develop", "build", "deploy", "test")
    )
    if develop and test:
        sketch.node("DevCode", ("Code Changes",), DEVELOPMENT, "service")
        sketch.node("LocalTest", ("Local Testing",), DEVELOPMENT, "service")
        title = (f"{SCRIPTS}/develop.sh", "--target k8s-cluster")
        sketch.node("DevDeploy", title, DEVELOPMENT, "service")
        sketch.arrow("DevCode", "LocalTest", (test,))
        sketch.arrow("LocalTest", "DevDeploy", (develop,))
    if build and deploy:
        sketch.node("ProdCode", ("Production Code",), PRODUCTION, "external")
        title = (f"{SCRIPTS}/build.sh", "Creates artifacts")
        sketch.node("BuildScript", title, PRODUCTION, "external")
        title = (f"{SCRIPTS}/deploy.sh", "--source k8s --environment production")
        sketch.node("DeployScript", title, PRODUCTION, "external")
        sketch.arrow("ProdCode", "BuildScript", (build,))
        sketch.arrow("BuildScript", "DeployScript", (deploy,))


def _chart(sketch: Sketch) -> None:
    for id_, path, said in (
        ("ChartYaml", "Chart.yaml", "Metadata & Dependencies"),
        ("ValuesYaml", "values.yaml", "Default configuration"),
        ("ValuesDev", "values-dev.yaml", "Development overrides"),
        ("ValuesStaging", "values-staging.yaml", "Staging overrides"),
        ("ValuesProd", "values-prod.yaml", "Production overrides"),
        ("Templates", "templates", "K8s resource templates"),
    ):
        reasons = _file(path)
        if not reasons:
            continue
        title = f"{path}/" if id_ == "Templates" else path
        sketch.node(id_, (title, said), CHART, "files")
        if id_ != "Templates":
            for source in _deployers(id_):
                sketch.arrow(source, id_, reasons)
            sketch.arrow(id_, "Templates", reasons)


def _deployers(id_: str) -> tuple[str, ...]:
    """Which workflow takes a file: the environments say which values are whose."""
    own = {
        "ValuesDev": ("DevDeploy",),
        "ValuesStaging": ("DeployScript",),
        "ValuesProd": ("DeployScript",),
    }
    return own.get(id_, ("DevDeploy", "DeployScript"))


def _resources(sketch: Sketch, facts: Facts) -> None:
    deployments = facts.of_kind("Deployment")
    if deployments:
        names = ", ".join(_short(item.name) for item in facts.components)
        sketch.node("Deployments", ("Deployments", names), RESOURCES, "service")
        sketch.arrow("Templates", "Deployments", _made(deployments))
    for kind, (id_, title) in KINDS.items():
        if found := facts.of_kind(kind):
            sketch.node(id_, title, RESOURCES, "service")
            sketch.arrow("Templates", id_, _made(found))
    vault = [item for item in facts.manifests if item.api_version.startswith(VAULT_GROUP)]
    if vault:
        kinds = ", ".join(sorted({item.kind for item in vault}))
        title = ("VSO Custom Resources", kinds)
        sketch.node("VSOResources", title, RESOURCES, "service")
        sketch.arrow("Templates", "VSOResources", _made(vault))
        sketch.node("K8sSecrets", ("Kubernetes Secrets", "From VSO sync"), RESOURCES, "secrets")
    for item in facts.vault_secrets:
        sketch.arrow("VSOResources", "K8sSecrets", item.reasons, *item.ways)
    _others(sketch, facts)


def _others(sketch: Sketch, facts: Facts) -> None:
    """The kinds that the diagram has no box for, in one."""
    shown = {"Deployment", *KINDS}
    others = [
        item
        for item in facts.manifests
        if not item.is_hook
        and item.kind not in shown
        and not item.api_version.startswith(VAULT_GROUP)
    ]
    if others:
        kinds = sorted({item.kind for item in others})
        sketch.node("Others", ("Others", *_lines(kinds)), RESOURCES, "service")
        sketch.arrow("Templates", "Others", _made(others))


def _tests(sketch: Sketch, facts: Facts) -> None:
    sketch.node("Tests", ("tests/", "Chart validation tests"), CHART, "files")
    hooks = [item for item in facts.manifests if "test" in item.annotations.get("helm.sh/hook", "")]
    if hooks:
        sketch.node("HelmTest", ("helm test", "Chart tests"), TESTING, "data")
        sketch.arrow("Tests", "HelmTest", _made(hooks))
    if golden := _file("tests/test-golden-files.sh"):
        title = ("test-golden-files.sh", "Manifest validation")
        sketch.node("GoldenFiles", title, TESTING, "data")
        sketch.arrow("Tests", "GoldenFiles", golden)
    for component in facts.components:
        kind, name = component.party.workload or ("", "")
        body = next((i.body for i in facts.manifests if (i.kind, i.name) == (kind, name)), {})
        for reason in _probes(f"{kind}/{name}", body):
            title = ("Health Probes", "Liveness & Readiness")
            sketch.node("HealthChecks", title, TESTING, "data")
            way = Consists(kind, name, component.party)
            sketch.arrow("Deployments", "HealthChecks", (reason,), way)


def _probes(key: str, body: reading.Body) -> Iterator[Reason]:
    for container in reading.items(body, "spec", "template", "spec", "containers"):
        found = [probe for probe in PROBES if reading.mapping(container, probe)]
        if found:
            yield Reason(key, "spec.template.spec.containers[*]", ", ".join(found))


def _made(found: list[Manifest]) -> tuple[Reason, ...]:
    """The templates that objects came from, or their kinds where that isn't known."""
    by_source: dict[str, list[str]] = {}
    for item in found:
        by_source.setdefault(item.source or "the release", []).append(item.key)
    return tuple(
        Reason(source, value=components.shown(", ".join(keys)))
        for source, keys in by_source.items()
    )


def _launcher(name: str) -> Reason | None:
    """A launcher of the project, with the command that it starts."""
    path = project.root() / SCRIPTS / f"{name}.sh"
    return Reason(f"{SCRIPTS}/{name}.sh", value=f"vrooli {name}") if path.is_file() else None


def _file(path: str) -> tuple[Reason, ...]:
    """A file of the chart, if it is there; its environment where it is one's values."""
    whole: Path = project.chart_dir() / path
    if not whole.exists():
        return ()
    whose = next((e.name for e in ENVIRONMENTS.values() if e.values_file == whole), "")
    return (Reason(f"k8s/chart/{path}", value=f"environment {whose}" if whose else ""),)


def _short(component: str) -> str:
    """nsfw-detector as the values call it: nsfwDetector."""
    camel = components.camel(component)
    return camel[:1].lower() + camel[1:]


def _lines(words: list[str]) -> Title:
    """Words in lines of about three."""
    return tuple(", ".join(words[begin : begin + 2]) for begin in range(0, len(words), 2))
