"""The table of the CIS benchmark is what the components are started with."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from support.cluster.cis import Check, Rendered, render
from support.cluster.cis_checks import CHECKS, table
from vrooli import project

PAGE = project.root() / "docs" / "cis-benchmark.md"
TABLE = re.compile(r"(<!-- checks -->\n\n).*?(\n<!-- end -->)", re.DOTALL)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render(tmp_path_factory.mktemp("cis"))


def test_the_page_says_what_the_code_does(rendered: Rendered) -> None:
    expected, replaced = TABLE.subn(
        lambda match: match[1] + table(rendered) + match[2], PAGE.read_text()
    )
    assert replaced == 1
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        PAGE.write_text(expected)
    assert PAGE.read_text() == expected


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_passes_or_has_a_reason(check: Check, rendered: Rendered) -> None:
    """A check with a reason fails: otherwise the reason is outdated."""
    passes = bool(check.evaluate and check.evaluate(rendered))
    assert passes is not bool(check.reason)


def test_every_check_has_a_number_of_its_own() -> None:
    ids = [check.id for check in CHECKS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("component", "flag", "value", "failing"),
    [
        ("kube-apiserver", "anonymous-auth", "true", "1.2.1"),
        ("kube-apiserver", "authorization-mode", "AlwaysAllow", "1.2.6"),
        ("kube-apiserver", "audit-log-maxage", "7", "1.2.17"),
        ("kube-apiserver", "disable-admission-plugins", "ServiceAccount", "1.2.12"),
        ("kube-apiserver", "token-auth-file", "/tokens", "1.2.2"),
        ("kube-controller-manager", "bind-address", "::", "1.3.7"),
        ("kube-scheduler", "profiling", "true", "1.4.1"),
        ("etcd", "peer-client-cert-auth", "false", "2.5"),
        ("etcd", "auto-tls", "true", "2.3"),
    ],
)
def test_a_check_fails_for_another_setting(
    rendered: Rendered, component: str, flag: str, value: str, failing: str
) -> None:
    flags = {**rendered.flags, component: {**rendered.flags[component], flag: value}}
    changed = Rendered(
        flags,
        rendered.kubelet,
        rendered.kube_proxy,
        rendered.encryption,
        rendered.audit,
        rendered.root,
    )
    (check,) = (check for check in CHECKS if check.id == failing)
    assert check.evaluate
    assert check.evaluate(rendered)
    assert not check.evaluate(changed)


def test_a_file_that_others_can_read_fails(tmp_path: Path) -> None:
    rendered = render(tmp_path)
    (rendered.root / "config" / "kubelet.yaml").chmod(0o644)
    (check,) = (check for check in CHECKS if check.id == "4.1.9")
    assert check.evaluate
    assert not check.evaluate(rendered)
