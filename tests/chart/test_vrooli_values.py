"""The values file of Vrooli's images sets what they require, and settings of the user win.

The requirements are those of the public repository Vrooli/Vrooli at commit ed9369dbc.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from support.chart.network_policies import Peer, allows
from support.chart.rendering import render
from vrooli import project
from vrooli.chart import engine, golden
from vrooli.chart import values as chart_values
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError

HOSTILE = "p@ss/w:rd? #%+&ü"
# Variables by container, with the file and line that requires each.
REQUIRED = {
    ("server", "PROJECT_DIR"): "packages/server/src/index.ts 40",
    ("server", "VITE_SERVER_LOCATION"): "packages/server/src/index.ts 41",
    ("server", "WORKER_ID"): "packages/server/src/index.ts 44",
    ("server", "npm_package_name"): "packages/server/src/index.ts 374",
    ("server", "PORT_API"): "packages/server/src/server.ts 5",
    ("jobs", "npm_package_name"): "packages/jobs/src/index.ts 400",
    ("jobs", "PORT_JOBS"): "packages/jobs/src/index.ts 393",
    ("jobs", "PROJECT_DIR"): "packages/server/src/events/logger.ts 4",
}
# The files that the jobs write below the project's folder, with the line that does.
WRITTEN = {
    "/srv/app/data/logs/combined.log": "packages/server/src/events/logger.ts 4",
    "/srv/app/packages/ui/dist/sitemap.xml": "packages/jobs/src/schedules/genSitemap.ts 444",
    "/srv/app/packages/ui/dist/sitemaps/User-0.xml.gz": "genSitemap.ts 386",
}
VALUES = project.chart_dir() / "values-vrooli.yaml"
POD_INDEX = {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}
NUMBERED = {"variables": {"WORKER_ID": POD_INDEX}}
FROM_SECRET = {"secretKeyRef": {"name": "numbers", "key": "worker"}}
PATHS = {
    "/api": "packages/server/src/server.ts 22",
    "/socket.io": "packages/server/src/index.ts 192",
    "/mcp": "packages/server/src/index.ts 183",
    "/webhooks": "packages/server/src/index.ts 146",
    "/ai": "packages/server/src/index.ts 186",
}


def vrooli(**values: Any) -> dict[str, Manifest]:
    """The chart with the file of Vrooli's images, and further values."""
    return render({**golden.settings(golden.VROOLI), **values})


def pod_of(workload: Manifest) -> Any:
    """The pod of a workload or a Job."""
    return workload.body["spec"]["template"]["spec"]


def environment(objects: dict[str, Manifest], key: str) -> dict[str, Any]:
    """The variables of the first container: ConfigMaps below the container's own."""
    container = pod_of(objects[key])["containers"][0]
    result: dict[str, Any] = {}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            result |= objects[f"ConfigMap/{source['configMapRef']['name']}"].body["data"]
    return result | {item["name"]: item for item in container["env"]}


@pytest.mark.parametrize(("container", "variable"), REQUIRED)
def test_each_variable_that_vrooli_requires_is_set(container: str, variable: str) -> None:
    key = f"StatefulSet/demo-{container}"
    assert environment(vrooli(), key).get(variable), REQUIRED[container, variable]


def test_the_server_gets_the_number_of_its_pod() -> None:
    key = "StatefulSet/demo-server"
    assert environment(vrooli(), key)["WORKER_ID"]["valueFrom"] == POD_INDEX


def test_ranges_that_only_touch_are_accepted() -> None:
    numbered = {"workload": {"kind": "StatefulSet", "ordinals": {"start": 3}}, "pod": NUMBERED}
    objects = vrooli(
        replicaCount={"server": 3},
        services=chart_values.merge(golden.settings(golden.VROOLI)["services"], {"jobs": numbered}),
    )
    assert objects["StatefulSet/demo-jobs"].body["spec"]["ordinals"] == {"start": 3}


def test_one_pod_performs_the_scheduled_jobs_in_every_environment() -> None:
    for name in ENVIRONMENTS:
        objects = render(chart_values.load(ENVIRONMENTS[name], (VALUES,)))
        assert objects["StatefulSet/demo-jobs"].body["spec"]["replicas"] == 1, name


def test_the_jobs_can_write_each_path_that_they_write() -> None:
    pod = pod_of(vrooli()["StatefulSet/demo-jobs"])
    folders = [item["mountPath"] for item in pod["containers"][0]["volumeMounts"]]
    unwritable = {
        path: line
        for path, line in WRITTEN.items()
        if not any(path.startswith(f"{folder}/") for folder in folders)
    }
    assert unwritable == {}


def test_a_redis_that_is_down_does_not_restart_the_jobs() -> None:
    container = pod_of(vrooli()["StatefulSet/demo-jobs"])["containers"][0]
    assert container["livenessProbe"]["tcpSocket"] == {"port": "http"}


def test_the_claim_of_the_documentation_is_written_by_the_jobs_and_served_by_the_ui() -> None:
    text = (project.root() / "docs" / "vrooli.md").read_text()
    (block,) = re.findall(r"claim `vrooli-site`(?:.+\n)+\n((?:    .+\n)+)", text)
    values = chart_values.merge(golden.settings(golden.VROOLI), yaml.safe_load(dedent(block)))
    objects = render(values)
    places = {
        "StatefulSet/demo-jobs": "/srv/app/packages/ui/dist",
        "Deployment/demo-ui": "/srv/site",
    }
    for key, place in places.items():
        pod = pod_of(objects[key])
        (volume,) = (item for item in pod["volumes"] if "persistentVolumeClaim" in item)
        assert volume["persistentVolumeClaim"] == {"claimName": "vrooli-site"}
        mounts = {item["name"]: item["mountPath"] for item in pod["containers"][0]["volumeMounts"]}
        assert mounts[volume["name"]] == place
    command = pod_of(objects["Deployment/demo-ui"])["containers"][0]["command"]
    assert command[-1].endswith("exec serve -s /srv/site -l 3000")


def test_a_setting_of_the_user_replaces_the_charts_address() -> None:
    public = {"config": {"extra": {"SERVER_URL": "https://vrooli.example.com"}}}
    objects = render(public)
    assert environment(objects, "Deployment/demo-server")["SERVER_URL"] == (
        "https://vrooli.example.com"
    )
    assert "SERVER_URL" not in objects["ConfigMap/demo-connections"].body["data"]


def test_expansions_follow_the_variables_that_they_use() -> None:
    pod = {"variables": {"Z": {"secretKeyRef": {"name": "s", "key": "k"}}}}
    server = {"extraEnv": {"A": "a-$(Z)", "B": "plain"}, "pod": pod}
    env = pod_of(render({"services": {"server": server}})["Deployment/demo-server"])
    names = [item["name"] for item in env["containers"][0]["env"]]
    assert names[-3:] == ["Z", "B", "A"]


def test_every_path_of_the_server_is_routed_to_it() -> None:
    ingress = {**golden.settings(golden.VROOLI)["ingress"], "enabled": True}
    rule = vrooli(ingress=ingress)["Ingress/demo"].body["spec"]["rules"][0]
    routes = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert {path for path in PATHS if routes.get(path) != "demo-server"} == set()
    assert routes["/"] == "demo-ui"


def test_the_detector_has_the_name_that_the_server_requests() -> None:
    objects = vrooli()
    alias, own = objects["Service/nsfw-detector"], objects["Service/demo-nsfw-detector"]
    assert alias.body["spec"] == own.body["spec"]
    policies = [item.body for item in objects.values() if item.kind == "NetworkPolicy"]
    server, detector = (
        Peer("somewhere", objects[key].body["spec"]["template"]["metadata"]["labels"])
        for key in ("StatefulSet/demo-server", "Deployment/demo-nsfw-detector")
    )
    assert allows(policies, "somewhere", server, detector, 8000)


def test_a_service_selects_the_master_of_redis() -> None:
    spec = vrooli()["Service/rfm-vrooli-rf"].body["spec"]
    assert spec["selector"]["redisfailovers-role"] == "master"


def test_the_migration_runs_before_an_upgrade_with_the_environment_of_the_server() -> None:
    objects = vrooli()
    job = objects["Job/demo-migration"]
    assert job.annotations["helm.sh/hook"] == "pre-upgrade"
    # The limit of the pod is reached first: a Job deletes its running pods at its own.
    assert pod_of(job)["activeDeadlineSeconds"] == 600
    assert job.body["spec"]["activeDeadlineSeconds"] > 600
    migration, server = (
        pod_of(objects[key])["containers"][0]
        for key in ("Job/demo-migration", "StatefulSet/demo-server")
    )
    assert (migration["env"], migration["envFrom"]) == (server["env"], server["envFrom"])
    assert migration["image"] == server["image"]
    assert migration["command"][-1].endswith("prisma migrate deploy")
    targets = {key for key in objects if key.startswith("NetworkPolicy/")}
    assert "NetworkPolicy/demo-migration" in targets
    assert "Job/demo-migration" not in render()


def test_a_new_database_has_the_extensions_and_lets_migrations_use_the_schema_public() -> None:
    sql = vrooli()["ConfigMap/vrooli-pg-init-sql"].body["data"]["init.sql"]
    assert 'CREATE EXTENSION IF NOT EXISTS "vector" SCHEMA public;' in sql
    assert sql.index('\\connect "vrooli"') < sql.index("ON SCHEMA public TO") < sql.index("vector")


@pytest.fixture
def evaluate(tmp_path: Path) -> Any:
    """Evaluates a template as VSO does: Go's templates with the functions of sprig."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: a, version: 0.0.1}")
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
        '  text: {{ tpl .Values.text (dict "Secrets" .Values.data "Template" .Template) | quote }}'
    )
    (tmp_path / "templates" / "a.yaml").write_text(template)

    def result(text: str, data: dict[str, str]) -> str:
        values = {"text": text, "data": data}
        (found,) = engine.render(values, release="a", namespace="a", chart=tmp_path)
        return str(found.body["data"]["text"])

    return result


def templates(objects: dict[str, Manifest], name: str) -> dict[str, Any]:
    """The templates of a synced Secret."""
    spec = objects[f"VaultStaticSecret/demo-{name}"].body["spec"]
    found: dict[str, Any] = spec["destination"]["transformation"].get("templates", {})
    return found


def test_addresses_contain_the_credentials_percent_encoded(evaluate: Any) -> None:
    objects = vrooli()
    data = {"DB_USER": "vrooli", "DB_PASSWORD": HOSTILE, "DB_NAME": "vrooli"}
    database = urlsplit(evaluate(templates(objects, "postgres")["DB_URL"]["text"], data))
    assert (database.scheme, database.hostname, database.port) == (
        "postgresql",
        "vrooli-pg-pgbouncer",
        5432,
    )
    assert unquote(database.password or "") == HOSTILE
    assert (database.path, database.query) == ("/vrooli", "sslmode=require")
    text = templates(objects, "redis")["REDIS_URL"]["text"]
    redis = urlsplit(evaluate(text, {"REDIS_PASSWORD": HOSTILE}))
    assert (redis.scheme, redis.hostname, redis.port) == ("redis", "rfm-vrooli-rf", 6379)
    assert unquote(redis.password or "") == HOSTILE
    assert "password" in templates(objects, "redis"), "the Redis operator reads this key"


def test_other_logins_to_vault_replace_the_login_with_kubernetes() -> None:
    role = {"mount": "approle", "roleId": "id", "secretName": "vault-role"}
    spec = render({"vso": {"auth": {"appRole": role}}})["VaultAuth/demo-vault"].body["spec"]
    assert (spec["method"], spec["mount"]) == ("appRole", "approle")
    assert spec["appRole"] == {"roleId": "id", "secretRef": "vault-role"}
    jwt = {"mount": "oidc", "role": "vrooli", "secretName": ""}
    spec = render({"vso": {"auth": {"jwt": jwt}}})["VaultAuth/demo-vault"].body["spec"]
    assert spec["jwt"] == {"role": "vrooli", "serviceAccount": "vrooli-vso", "audiences": ["vault"]}
    assert "kubernetes" not in spec


def test_a_further_secret_is_synced_and_read() -> None:
    more = {"vaultPath": "secret/data/vrooli/llm", "readers": ["server"]}
    objects = render({"vso": {"extraSecrets": {"llm": more}}})
    spec = objects["VaultStaticSecret/demo-extra-llm"].body["spec"]
    assert (spec["path"], spec["destination"]["name"]) == ("vrooli/llm", "llm")
    assert spec["rolloutRestartTargets"] == [{"kind": "Deployment", "name": "demo-server"}]
    sources = pod_of(objects["Deployment/demo-server"])["containers"][0]["envFrom"]
    assert sources[-1] == {"secretRef": {"name": "llm"}}
    assert {"secretRef": {"name": "llm"}} not in (
        pod_of(objects["Deployment/demo-jobs"])["containers"][0]["envFrom"]
    )


def test_the_rotator_restarts_stateful_sets() -> None:
    objects = vrooli()
    settings = pod_of(objects["Deployment/demo-rotator"])["containers"][0]["env"]
    consumers = next(item["value"] for item in settings if item["name"] == "CONSUMERS")
    assert set(consumers.split(",")) == {"StatefulSet/demo-server", "StatefulSet/demo-jobs"}
    rules = objects["Role/demo-rotator"].body["rules"]
    permitted = {
        resource: rule["resourceNames"]
        for rule in rules
        if rule["apiGroups"] == ["apps"]
        for resource in rule["resources"]
    }
    assert permitted == {"statefulsets": ["demo-server", "demo-jobs"]}


def test_optional_settings_of_a_pod_are_rendered() -> None:
    pod = {
        "command": ["node"],
        "args": ["index.js"],
        "envFrom": [{"secretRef": {"name": "keys", "optional": True}}],
        "volumes": {"/data": {"persistentVolumeClaim": {"claimName": "c", "readOnly": True}}},
        "labels": {"team": "a"},
        "serviceAccountAnnotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"},
        "topologySpread": {"zone": {"maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}},
    }
    # As if the site's file were merged with one that sets numbers.
    strategy = {"type": "Recreate", "maxSurge": 1, "maxUnavailable": 0}
    workload = {"revisionHistoryLimit": 0, "strategy": strategy}
    service = {"type": "NodePort", "annotations": {"a.io/b": "c"}}
    values = {
        "services": {"server": {"pod": pod, "workload": workload, "service": service}},
        "commonLabels": {"cost": "b"},
        "image": {"pullSecrets": ["mine"]},
    }
    objects = render(values)
    spec = objects["Deployment/demo-server"].body["spec"]
    container = pod_of(objects["Deployment/demo-server"])["containers"][0]
    assert (spec["revisionHistoryLimit"], spec["strategy"]) == (0, {"type": "Recreate"})
    assert (container["command"], container["args"]) == (["node"], ["index.js"])
    assert container["envFrom"][-1] == {"secretRef": {"name": "keys", "optional": True}}
    mount = {"name": "extra-0", "mountPath": "/data", "readOnly": True}
    assert container["volumeMounts"][-1] == mount
    labels = spec["template"]["metadata"]["labels"]
    assert (labels["team"], labels["cost"]) == ("a", "b")
    assert "team" not in spec["selector"]["matchLabels"]
    account = objects["ServiceAccount/demo-server"]
    assert account.annotations == pod["serviceAccountAnnotations"]
    pod_spec = pod_of(objects["Deployment/demo-server"])
    assert [item["maxSkew"] for item in pod_spec["topologySpreadConstraints"]] == [2]
    names = [item["name"] for item in pod_spec["imagePullSecrets"]]
    assert names == ["vrooli-dockerhub-pull-secret", "mine"]
    assert objects["Service/demo-server"].body["spec"]["type"] == "NodePort"
    unlabeled = [
        key for key, item in objects.items() if item.body["metadata"]["labels"].get("cost") != "b"
    ]
    assert unlabeled == []


def test_common_labels_are_on_the_pods_of_the_operators_and_of_the_rotator() -> None:
    objects = render({"commonLabels": {"example.com/cost": "b"}, "rotation": {"enabled": True}})
    rotator = objects["Deployment/demo-rotator"].body["spec"]["template"]["metadata"]["labels"]
    assert rotator["example.com/cost"] == "b"
    (postgres,) = (item for item in objects.values() if item.kind == "PostgresCluster")
    assert postgres.body["spec"]["metadata"]["labels"] == {"example.com/cost": "b"}
    (redis,) = (item for item in objects.values() if item.kind == "RedisFailover")
    (passed,) = redis.body["spec"]["labelWhitelist"][1:]
    assert re.search(passed, "example.com/cost")
    assert not re.search(passed, "exampleXcom/cost")


CONFLICTS: list[tuple[dict[str, Any], str]] = [
    (
        {
            "services": {
                "ui": {
                    "extraEnv": {"A": "1"},
                    "pod": {"variables": {"A": {"fieldRef": {"fieldPath": "metadata.name"}}}},
                }
            }
        },
        r"services\.ui\.pod\.variables: A is also in extraEnv",
    ),
    ({"commonLabels": {"app.kubernetes.io/name": "a"}}, r"commonLabels: app\.kubernetes\.io/name"),
    (
        {"services": {"ui": {"service": {"alias": "demo-server"}}}},
        r"services\.ui\.service\.alias: this name is already used by services\.server",
    ),
    (
        {"vso": {"connectionUrls": True}},
        r"vso\.connectionUrls: requires spotahomeRedis\.masterService",
    ),
    (
        {"vso": {"extraSecrets": {"vrooli-redis-creds": {"vaultPath": "a/data/b"}}}},
        r"vso\.extraSecrets\.vrooli-redis-creds: this name is already used by vso\.secrets\.redis",
    ),
    (
        {"replicaCount": {"jobs": 2}, "services": {"jobs": {"extraEnv": {"WORKER_ID": 0}}}},
        r"services\.jobs\.extraEnv\.WORKER_ID: 0 would be the number of 2 pods",
    ),
    (
        {
            "services": {
                "server": {
                    "extraEnv": {"WORKER_ID": 7},
                    "autoscaling": {"enabled": True, "maxReplicas": 3},
                }
            }
        },
        r"services\.server\.extraEnv\.WORKER_ID: 7 would be the number of 3 pods",
    ),
    (
        {
            "services": {
                "server": {"extraEnv": {"WORKER_ID": "7"}},
                "jobs": {"extraEnv": {"WORKER_ID": 7}},
            }
        },
        r"services\.server\.extraEnv\.WORKER_ID: 7 to 7 overlaps with 7 to 7 of services\.jobs",
    ),
    (
        {
            "replicaCount": {"server": 3},
            "services": {
                "server": {"pod": NUMBERED, "workload": {"kind": "StatefulSet"}},
                "jobs": {
                    "pod": NUMBERED,
                    "workload": {"kind": "StatefulSet", "ordinals": {"start": 2}},
                },
            },
        },
        r"server\.pod\.variables\.WORKER_ID: 0 to 2 overlaps with 2 to 2 of services\.jobs",
    ),
    (
        {"services": {"server": {"pod": NUMBERED}}},
        r"server\.pod\.variables\.WORKER_ID: only the pods of a StatefulSet have this label",
    ),
    (
        {
            "replicaCount": {"server": 2},
            "services": {"server": {"pod": {"variables": {"WORKER_ID": FROM_SECRET}}}},
        },
        r"services\.server\.pod\.variables\.WORKER_ID: 2 pods would read the same number",
    ),
    (
        {"config": {"extra": {"WORKER_ID": "1"}}},
        r"config\.extra\.WORKER_ID: would be the number of all pods",
    ),
    (
        {
            "services": {
                "server": {"workload": {"kind": "StatefulSet", "strategy": {"type": "Recreate"}}}
            }
        },
        r"services\.server\.workload\.strategy: a StatefulSet replaces its pods one by one",
    ),
    (
        {"services": {"server": {"workload": {"ordinals": {"start": 2}}}}},
        r"services\.server\.workload\.ordinals: requires workload\.kind StatefulSet",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), CONFLICTS, ids=[message for _, message in CONFLICTS])
def test_two_values_for_one_setting_are_rejected(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render(wrong)
