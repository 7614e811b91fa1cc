"""The specification's commands as it prints them, and what each must show on a live release.

The texts are kept here, so that they run where the specification's own text isn't kept; a test
compares the two where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a command is run."""

    ONCE = "to its end"
    UNTIL_SEEN = "until it has shown what it must"
    FORWARD = "until what it forwards has answered"
    TERMINAL = "on a terminal"


@dataclass(frozen=True)
class Printed:
    """One command of the specification.

    Attributes:
        text: As printed, its placeholders included.
        shows: Patterns that its output must have.
        way: How it is run.
        wrote: The file that it writes; its content counts as output.
        statuses: The exit statuses that it may end with.
        fill: Placeholders that mean something of this command's own.
        ask: The path that a forwarded port is asked for.
        before: The ``export`` line above it.
        typed: What is typed on the terminal.
        prompt: What must be printed before that, where a program discards what it gets earlier.
    """

    text: str
    shows: tuple[str, ...] = ()
    way: Way = Way.ONCE
    wrote: str = ""
    statuses: tuple[int, ...] = (0,)
    fill: tuple[tuple[str, str], ...] = ()
    ask: str = "/"
    before: str = ""
    typed: str = "echo in $(hostname)\nexit\n"
    prompt: str = ""


# The release of the live environment, and the small ones beside it.
HERE = "kubectl {} -n <your-namespace>"
VAULT = (("<name>", "vrooli-dev-vault"),)
LINE = r"\S"

HELM = (
    Printed("helm lint k8s/chart/", (r"1 chart\(s\) linted, 0 chart\(s\) failed",)),
    Printed(
        "helm template vrooli-dev k8s/chart/ -f k8s/chart/values.yaml -f k8s/chart/values-dev.yaml "
        "--namespace dev > rendered-dev-manifests.yaml",
        (r"^kind: PostgresCluster$", r"^kind: RedisFailover$", r'name: "?vrooli-dev-server"?$'),
        wrote="rendered-dev-manifests.yaml",
    ),
    Printed(
        "helm upgrade --install <release-name> <path-to-chart-source-or-package> "
        "-f <base-values.yaml> -f <environment-specific-values.yaml> "
        "--namespace <target-namespace> --create-namespace",
        (r"STATUS: deployed",),
    ),
    Printed(
        "helm upgrade --install vrooli-prod "
        "./build_output/0.1.0/artifacts/k8s-chart-packages/vrooli-0.1.0.tgz "
        "-f ./build_output/0.1.0/artifacts/helm-value-files/values-prod.yaml "
        "--set services.server.tag=0.1.0 "
        "--namespace production --create-namespace --dry-run --debug",
        (r"DESCRIPTION: Dry run complete", r"image: \S*server:0\.1\.0", r"^kind: PostgresCluster$"),
    ),
    Printed("helm test vrooli-dev --namespace staging", (r"Phase:\s+Succeeded",)),
    Printed("helm status vrooli-dev --namespace staging", (r"^STATUS: deployed$",)),
    Printed("helm list -n staging", (r"^vrooli-dev\s+staging\s.*deployed",)),
    Printed(
        "helm list --all-namespaces",
        (r"^vrooli-dev\s+dev\s", r"^vrooli-dev\s+staging\s", r"^vrooli-prod\s+production\s"),
    ),
)
INSPECTION = (
    Printed(HERE.format("get all"), (r"^deployment\.apps/vrooli-dev-server\s+1/1",)),
    Printed(HERE.format("get pods"), (r"^vrooli-dev-server-\S+\s+1/1\s+Running",)),
    Printed(HERE.format("get pods") + " -o wide", (r"^NAME .* IP +NODE ", r"^vrooli-dev-server-")),
    Printed(HERE.format("logs <pod-name>"), (LINE,)),
    Printed(HERE.format("logs <pod-name>") + " -f", (LINE,), Way.UNTIL_SEEN),
    Printed(HERE.format("logs <pod-name> -c <container-name>"), (LINE,)),
    Printed(
        HERE.format("logs -l app.kubernetes.io/name=vrooli -l app.kubernetes.io/component=server")
        + " -f --tail=100",
        (r'^\{"time":',),
        Way.UNTIL_SEEN,
    ),
    Printed(HERE.format("describe pod <pod-name>"), (r"^Status:\s+Running", r"^Events:")),
    Printed(HERE.format("describe service <service-name>"), (r"^Endpoints:\s+\d+\.",)),
    Printed(
        HERE.format("exec -it <pod-name>") + " -- /bin/sh",
        (r"in vrooli-dev-server-",),
        Way.TERMINAL,
    ),
    Printed(
        "kubectl port-forward pod/<pod-name> <local-port>:<pod-port> -n <your-namespace>",
        (r'"service":\s*"server"',),
        Way.FORWARD,
        ask="/healthcheck",
    ),
    Printed(
        "kubectl port-forward service/<service-name> <local-port>:<service-port> "
        "-n <your-namespace>",
        (r"<title>",),
        Way.FORWARD,
    ),
    Printed(
        "kubectl port-forward service/vrooli-dev-ui 3000:3000 -n staging",
        (r"<title>",),
        Way.FORWARD,
    ),
    Printed(HERE.format("get configmaps"), (r"^vrooli-dev-config\s",)),
    Printed(HERE.format("get secrets"), (r"^vrooli-postgres-creds\s",)),
    Printed(HERE.format("get secret <secret-name>") + " -o yaml", (r"^kind: Secret$",)),
)
OPERATORS = (
    Printed("kubectl get pods -n postgres-operator", (r"^pgo-\S+\s+1/1\s+Running",)),
    Printed("kubectl get pods -n redis-operator", (r"redis-operator-\S+\s+1/1\s+Running",)),
    Printed(
        "kubectl get pods -n vault-secrets-operator-system",
        (r"^vault-secrets-operator-\S+\s+(\d)/\1\s+Running",),
    ),
    Printed(
        "kubectl logs -n postgres-operator "
        "-l postgres-operator.crunchydata.com/control-plane=postgres-operator",
        (LINE,),
    ),
    Printed("kubectl logs -n redis-operator -l app.kubernetes.io/name=redis-operator", (LINE,)),
    Printed(
        "kubectl logs -n vault-secrets-operator-system "
        "-l app.kubernetes.io/name=vault-secrets-operator",
        (LINE,),
    ),
    Printed("kubectl get crd postgresclusters.postgres-operator.crunchydata.com", (r"^postgres",)),
    Printed("kubectl get crd redisfailovers.databases.spotahome.com", (r"^redisfailovers",)),
    Printed("kubectl get crd vaultauths.secrets.hashicorp.com", (r"^vaultauths",)),
    Printed("kubectl get crd vaultconnections.secrets.hashicorp.com", (r"^vaultconnections",)),
    Printed("kubectl get postgrescluster -A", (r"^dev\s+vrooli-pg\s",)),
    Printed(
        "kubectl describe postgrescluster vrooli-pg -n <namespace>",
        (r"^Kind:\s+PostgresCluster", r"Ready Replicas:\s+1", r"^Events:"),
    ),
    Printed(
        "kubectl logs -n <namespace> -l postgres-operator.crunchydata.com/cluster=vrooli-pg",
        (LINE,),
    ),
    Printed("kubectl get redisfailover -A", (r"^dev\s+vrooli-rf\s",)),
    Printed(
        "kubectl describe redisfailover vrooli-rf -n <namespace>",
        (r"^Kind:\s+RedisFailover", r"^Events:"),
    ),
    Printed(
        "kubectl get pods -n <namespace> -l app.kubernetes.io/part-of=redis-failover",
        (r"^rfr-vrooli-rf-0\s", r"^rfs-vrooli-rf-\S+\s"),
    ),
    Printed("kubectl logs -n <namespace> -l app.kubernetes.io/component=redis", (LINE,)),
    Printed("kubectl logs -n <namespace> -l app.kubernetes.io/component=sentinel", (LINE,)),
    Printed("kubectl get vaultauth -A", (r"^dev\s+vrooli-dev-vault\s",)),
    Printed(
        "kubectl describe vaultauth <name> -n <namespace>", (r"^Kind:\s+VaultAuth",), fill=VAULT
    ),
    Printed("kubectl get vaultconnection -A", (r"^dev\s+vrooli-dev-vault\s",)),
    Printed(
        "kubectl describe vaultconnection <name> -n <namespace>",
        (r"^Kind:\s+VaultConnection", r"vault\.vault\.svc"),
        fill=VAULT,
    ),
    Printed("kubectl get secrets -A | grep vrooli", (r"^dev\s+vrooli-redis-creds\s",)),
    Printed(
        "kubectl get secret vrooli-config-shared-all -n <namespace> -o yaml", (r"^kind: Secret$",)
    ),
)
SCRIPTS = (
    Printed(
        "bash scripts/helpers/setup/target/k8s_cluster.sh",
        (LINE,),
        before="export SECRETS_SOURCE=vault",
    ),
    Printed(
        "bash scripts/main/develop.sh --target k8s-cluster",
        (r"http://",),
        before="export SECRETS_SOURCE=vault",
    ),
    Printed('bash scripts/main/deploy.sh -s k8s -e "$ENVIRONMENT" -v "$VERSION"', (LINE,)),
)
# What the check says of development's values, and of production's, which no cluster of the tests'
# has all for.
DEPENDENCIES = "bash scripts/helpers/deploy/k8s-dependencies-check.sh"
PREREQUISITES = "scripts/helpers/deploy/k8s-prerequisites.sh"
CHECKS = (
    Printed(f"{DEPENDENCIES} --environment dev", (LINE,)),
    Printed(f"{DEPENDENCIES} --environment prod", (LINE,), statuses=(0, 1)),
    Printed(f"{DEPENDENCIES} --check-only --environment dev", (LINE,)),
    Printed(f"bash {PREREQUISITES} --check-only yes", (LINE,)),
    Printed(f"./{PREREQUISITES} --check-only yes", (LINE,)),
    Printed(f"bash {PREREQUISITES}", (LINE,)),
    Printed(f"bash {PREREQUISITES} --yes yes", (LINE,)),
    Printed(f"./{PREREQUISITES} --yes yes", (LINE,)),
)
# Last: these take the small releases away.
ENDS = (
    Printed("helm uninstall vrooli-dev --namespace staging", (r'"vrooli-dev" uninstalled',)),
    Printed("helm uninstall vrooli-prod --namespace production", (r'"vrooli-prod" uninstalled',)),
)
ALL = (*HELM, *INSPECTION, *OPERATORS, *CHECKS, *SCRIPTS, *ENDS)
