"""The names that values give to databases and Secrets."""

from __future__ import annotations

from vrooli.chart import engine
from vrooli.secrets import catalog
from vrooli.secrets.names import Names


def test_the_names_without_values_are_those_of_the_chart() -> None:
    assert Names.of({}) == Names() == Names.of(engine.defaults())


def test_every_name_follows_the_values() -> None:
    secrets = {spec.value: {"k8sSecretName": f"{spec.value}-name"} for spec in catalog.ALL}
    assert secrets.keys() == engine.defaults()["vso"]["secrets"].keys()
    values = {"pgoPostgresql": {"clusterName": "posts"}, "vso": {"secrets": secrets}}
    assert Names.of(values) == Names("posts", {s: f"{s.value}-name" for s in catalog.ALL})
