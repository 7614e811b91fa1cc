"""The fourth diagram: Deployment and Build Flow, from the project's files and what it renders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vrooli import project
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.graph.builder import DiagramBuilder
from vrooli.graph.manifests import components
from vrooli.graph.manifests.facts import Facts
from vrooli.graph.model import Diagram, Group, Reason, Title
from vrooli.graph.relations import Owns
from vrooli.kube import objects
from vrooli.kube.objects import Body
from vrooli.operators.vso.names import GROUP

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
# Node id and title for each kind that the chart creates.
NODE_BY_KIND: dict[str, tuple[str, Title]] = {
    "Service": ("Services", ("Services", "Internal networking")),
    "Ingress": ("Ingress", ("Ingress", "External access")),
    "HTTPRoute": ("HTTPRoutes", ("HTTPRoutes", "External access")),
    "ConfigMap": ("ConfigMaps", ("ConfigMaps", "Configuration")),
    "PostgresCluster": ("PGOCluster", ("PostgresCluster CR", "CrunchyData PGO")),
    "RedisFailover": ("RedisFailover", ("RedisFailover CR", "Spotahome Redis")),
}


def build(facts: Facts) -> Diagram:
    """From changed code to running pods."""
    builder = DiagramBuilder("delivery", "Deployment and Build Flow", "TD", GROUPS)
    _add_workflows(builder)
    _add_chart_files(builder)
    _add_resources(builder, facts)
    _add_tests(builder, facts)
    return builder.build()


def _add_workflows(builder: DiagramBuilder) -> None:
    develop_launcher, build_launcher, deploy_launcher, test_launcher = (
        _launcher_reason(name) for name in ("develop", "build", "deploy", "test")
    )
    if develop_launcher and test_launcher:
        builder.add_node("DevCode", ("Code Changes",), DEVELOPMENT, "service")
        builder.add_node("LocalTest", ("Local Testing",), DEVELOPMENT, "service")
        title = (f"{SCRIPTS}/develop.sh", "--target k8s-cluster")
        builder.add_node("DevDeploy", title, DEVELOPMENT, "service")
        builder.add_arrow("DevCode", "LocalTest", (test_launcher,))
        builder.add_arrow("LocalTest", "DevDeploy", (develop_launcher,))
    if build_launcher and deploy_launcher:
        builder.add_node("ProdCode", ("Production Code",), PRODUCTION, "external")
        title = (f"{SCRIPTS}/build.sh", "Creates artifacts")
        builder.add_node("BuildScript", title, PRODUCTION, "external")
        title = (f"{SCRIPTS}/deploy.sh", "--source k8s --environment production")
        builder.add_node("DeployScript", title, PRODUCTION, "external")
        builder.add_arrow("ProdCode", "BuildScript", (build_launcher,))
        builder.add_arrow("BuildScript", "DeployScript", (deploy_launcher,))


def _add_chart_files(builder: DiagramBuilder) -> None:
    for id_, path, description in (
        ("ChartYaml", "Chart.yaml", "Metadata & Dependencies"),
        ("ValuesYaml", "values.yaml", "Default configuration"),
        ("ValuesDev", "values-dev.yaml", "Development overrides"),
        ("ValuesStaging", "values-staging.yaml", "Staging overrides"),
        ("ValuesProd", "values-prod.yaml", "Production overrides"),
        ("Templates", "templates", "K8s resource templates"),
    ):
        reasons = _chart_file_reasons(path)
        if not reasons:
            continue
        title = f"{path}/" if id_ == "Templates" else path
        builder.add_node(id_, (title, description), CHART, "files")
        if id_ != "Templates":
            for source in _workflows_using(id_):
                builder.add_arrow(source, id_, reasons)
            builder.add_arrow(id_, "Templates", reasons)


def _workflows_using(id_: str) -> tuple[str, ...]:
    """The workflows that use a file: each environment has its own values file."""
    own = {
        "ValuesDev": ("DevDeploy",),
        "ValuesStaging": ("DeployScript",),
        "ValuesProd": ("DeployScript",),
    }
    return own.get(id_, ("DevDeploy", "DeployScript"))


def _add_resources(builder: DiagramBuilder, facts: Facts) -> None:
    deployments = facts.of_kind("Deployment")
    if deployments:
        names = ", ".join(_lower_camel_case(item.name) for item in facts.components)
        builder.add_node("Deployments", ("Deployments", names), RESOURCES, "service")
        builder.add_arrow("Templates", "Deployments", _template_reasons(deployments))
    for kind, (id_, title) in NODE_BY_KIND.items():
        if manifests := facts.of_kind(kind):
            builder.add_node(id_, title, RESOURCES, "service")
            builder.add_arrow("Templates", id_, _template_reasons(manifests))
    vault = [item for item in facts.manifests if item.api_version.startswith(GROUP)]
    if vault:
        kinds = ", ".join(sorted({item.kind for item in vault}))
        title = ("VSO Custom Resources", kinds)
        builder.add_node("VSOResources", title, RESOURCES, "service")
        builder.add_arrow("Templates", "VSOResources", _template_reasons(vault))
        builder.add_node(
            "K8sSecrets", ("Kubernetes Secrets", "From VSO sync"), RESOURCES, "secrets"
        )
    for item in facts.vault_secrets:
        builder.add_arrow("VSOResources", "K8sSecrets", item.reasons, *item.relations)
    _add_other_kinds(builder, facts)


def _add_other_kinds(builder: DiagramBuilder, facts: Facts) -> None:
    """One box for all kinds without a box of their own."""
    own_kinds = {"Deployment", *NODE_BY_KIND}
    others = [
        item
        for item in facts.manifests
        if not item.is_hook
        and item.kind not in own_kinds
        and not item.api_version.startswith(GROUP)
    ]
    if others:
        kinds = sorted({item.kind for item in others})
        builder.add_node("Others", ("Others", *_wrap(kinds)), RESOURCES, "service")
        builder.add_arrow("Templates", "Others", _template_reasons(others))


def _add_tests(builder: DiagramBuilder, facts: Facts) -> None:
    builder.add_node("Tests", ("tests/", "Chart validation tests"), CHART, "files")
    hooks = [item for item in facts.manifests if "test" in item.annotations.get("helm.sh/hook", "")]
    if hooks:
        builder.add_node("HelmTest", ("helm test", "Chart tests"), TESTING, "data")
        builder.add_arrow("Tests", "HelmTest", _template_reasons(hooks))
    if golden := _chart_file_reasons("tests/test-golden-files.sh"):
        title = ("test-golden-files.sh", "Manifest validation")
        builder.add_node("GoldenFiles", title, TESTING, "data")
        builder.add_arrow("Tests", "GoldenFiles", golden)
    for component in facts.components:
        kind, name = component.endpoint.workload or ("", "")
        body = next((i.body for i in facts.manifests if (i.kind, i.name) == (kind, name)), {})
        for reason in _probe_reasons(f"{kind}/{name}", body):
            title = ("Health Probes", "Liveness & Readiness")
            builder.add_node("HealthChecks", title, TESTING, "data")
            relation = Owns(kind, name, component.endpoint)
            builder.add_arrow("Deployments", "HealthChecks", (reason,), relation)


def _probe_reasons(key: str, body: Body) -> Iterator[Reason]:
    for container in objects.items(body, "spec", "template", "spec", "containers"):
        probes = [probe for probe in PROBES if objects.mapping(container, probe)]
        if probes:
            yield Reason(key, "spec.template.spec.containers[*]", ", ".join(probes))


def _template_reasons(manifests: list[Manifest]) -> tuple[Reason, ...]:
    """The templates of objects, or "the release" for objects without a known template."""
    by_source: dict[str, list[str]] = {}
    for item in manifests:
        by_source.setdefault(item.source or "the release", []).append(item.key)
    return tuple(
        Reason(source, value=components.format_value(", ".join(keys)))
        for source, keys in by_source.items()
    )


def _launcher_reason(name: str) -> Reason | None:
    """A launcher script of the project, with the command that it runs."""
    path = project.root() / SCRIPTS / f"{name}.sh"
    return Reason(f"{SCRIPTS}/{name}.sh", value=f"vrooli {name}") if path.is_file() else None


def _chart_file_reasons(path: str) -> tuple[Reason, ...]:
    """A file of the chart if it exists, with its environment if it is a values file."""
    file: Path = project.chart_dir() / path
    if not file.exists():
        return ()
    environment = next((e.name for e in ENVIRONMENTS.values() if e.values_file == file), "")
    return (Reason(f"k8s/chart/{path}", value=f"environment {environment}" if environment else ""),)


def _lower_camel_case(component: str) -> str:
    """The key in values.yaml: nsfw-detector becomes nsfwDetector."""
    camel = components.camel_case(component)
    return camel[:1].lower() + camel[1:]


def _wrap(words: list[str]) -> Title:
    """Words, two on each line."""
    return tuple(", ".join(words[begin : begin + 2]) for begin in range(0, len(words), 2))
