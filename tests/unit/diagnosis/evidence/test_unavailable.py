"""What can't be seen is said once for each reason, and stops nothing."""

from __future__ import annotations

from vrooli.diagnosis.evidence.unavailable import grouped
from vrooli.kube.unavailable import Unavailable


def forbidden(kind: str, where: str) -> Unavailable:
    why = f'{kind} is forbidden: User "bob" cannot list it in the namespace "{where}"'
    return Unavailable(f"{kind} in {where}", why)


def test_one_reason_in_many_namespaces_is_one_line() -> None:
    (found,) = grouped([forbidden("Secret", where) for where in ("dev", "vault", "kube-system")])
    assert found.resource == "Secret in dev, vault, kube-system"
    assert found.reason == 'Secret is forbidden: User "bob" cannot list it there'


def test_other_kinds_and_other_reasons_stay_apart() -> None:
    found = grouped(
        [
            forbidden("Secret", "dev"),
            forbidden("Pod", "dev"),
            Unavailable("Secret in vault", "slow"),
        ]
    )
    assert [item.resource for item in found] == ["Secret in dev", "Pod in dev", "Secret in vault"]
