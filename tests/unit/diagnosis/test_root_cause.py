"""Causes come before their consequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from support.diagnosis.evidence import evidence, pod, pod_of, with_objects
from support.secrets.canaries import canaries, leaked
from vrooli.diagnosis import root_cause
from vrooli.diagnosis.evidence.log_search import quoted
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref
from vrooli.redaction import Redactor

SERVER = Ref("Deployment", "vrooli-dev-server", "dev")
REDIS = Ref("RedisFailover", "vrooli-rf", "dev")
NODE = Ref("Node", "one")
SEEN = evidence(pod_of("vrooli-dev-server", spec={"nodeName": "one"}))


def rule(
    name: str,
    *about: Ref,
    touches: tuple[Ref, ...] = (),
    explains: tuple[str, ...] | None = None,
) -> Rule:
    """A rule that always finds something."""

    def find(seen: Evidence) -> Iterator[Symptom]:
        for ref in about:
            yield Symptom(ref, f"{name} found", "mend it", affects=touches, can_explain=explains)

    return Rule(name, name, find)


def told(seen: Evidence, *rules: Rule) -> list[tuple[str, list[str]]]:
    """The causes by name, each with the names of what follows from it."""
    causes = root_cause.diagnose(seen, rules, Redactor()).causes
    return [
        (cause.finding.rule_id, [item.rule_id for item in cause.consequences]) for cause in causes
    ]


def test_what_dependencies_something_broken_follows_from_it() -> None:
    assert told(SEEN, rule("crash", SERVER), rule("pressure", NODE)) == [("pressure", ["crash"])]


def test_of_two_symptoms_of_one_object_the_more_specific_is_the_cause() -> None:
    assert told(SEEN, rule("specific", SERVER), rule("general", SERVER)) == [
        ("specific", ["general"])
    ]


def test_what_has_nothing_to_do_with_each_other_is_told_apart() -> None:
    other = Ref("Deployment", "vrooli-dev-ui", "dev")
    assert told(SEEN, rule("one", SERVER), rule("two", other)) == [("one", []), ("two", [])]


def test_the_cause_with_the_most_consequences_is_told_first() -> None:
    lonely = Ref("Deployment", "vrooli-dev-ui", "dev")
    found = told(SEEN, rule("lonely", lonely), rule("crash", SERVER), rule("pressure", NODE))
    assert found == [("pressure", ["crash"]), ("lonely", [])]


def test_what_a_symptom_names_as_stopped_follows_from_it() -> None:
    policy = Ref("NetworkPolicy", "deny", "dev")
    found = told(SEEN, rule("not-ready", SERVER), rule("policy", policy, touches=(SERVER,)))
    assert found == [("policy", ["not-ready"])]


def test_of_two_objects_that_stand_on_each_other_the_more_specific_symptom_is_the_cause() -> None:
    labels = {"app": "redis"}
    redis = pod("rfr-vrooli-rf-0", owner=("StatefulSet", "rfr-vrooli-rf"), labels=labels)
    owners = [{"kind": "RedisFailover", "name": "vrooli-rf"}]
    metadata = {"name": "rfr-vrooli-rf", "namespace": "dev", "ownerReferences": owners}
    body = {"kind": "StatefulSet", "metadata": metadata, "spec": {}}
    seen = with_objects(SEEN, redis, body)
    ref = Ref("StatefulSet", "rfr-vrooli-rf", "dev")
    assert told(seen, rule("image", ref), rule("failover", REDIS)) == [("image", ["failover"])]
    assert told(seen, rule("counts", REDIS), rule("not-ready", ref)) == [("counts", ["not-ready"])]


def test_what_follows_from_a_consequence_is_told_under_the_root() -> None:
    a, b, c = (Ref("X", name, "dev") for name in "abc")
    rules = rule("one", a, touches=(b,)), rule("two", b, touches=(c,)), rule("three", c)
    assert told(SEEN, *rules) == [("one", ["two", "three"])]


def test_nothing_that_was_found_is_lost_where_causes_go_round() -> None:
    a, b, c = (Ref("X", name, "dev") for name in "abc")
    rules = rule("one", a, touches=(b,)), rule("two", b, touches=(a,)), rule("alone", c)
    assert told(SEEN, *rules) == [("one", ["two"]), ("alone", [])]


def test_what_explains_nothing_hides_no_fault_and_comes_after_it() -> None:
    warning = rule("budget", NODE, explains=())
    assert told(SEEN, warning, rule("crash", SERVER)) == [("crash", []), ("budget", [])]
    same = rule("ends-soon", SERVER, explains=())
    assert told(SEEN, same, rule("crash", SERVER)) == [("crash", []), ("ends-soon", [])]


def test_what_explains_some_faults_explains_them_and_what_follows_from_them() -> None:
    missing = rule("pull-secret", NODE, explains=("image",))
    image, stuck = rule("image", SERVER), rule("stuck", SERVER)
    assert told(SEEN, missing, image, stuck) == [("pull-secret", ["image", "stuck"])]
    assert told(SEEN, missing, rule("crash", SERVER)) == [("crash", []), ("pull-secret", [])]


def test_a_rule_that_meets_an_unexpected_shape_is_named_and_stops_no_other() -> None:
    def find(seen: Evidence) -> Iterable[Symptom]:
        raise KeyError("spec")

    found = root_cause.diagnose(SEEN, [Rule("odd", "odd", find), rule("crash", SERVER)], Redactor())
    assert [cause.finding.rule_id for cause in found.causes] == ["crash"]
    assert [item.resource for item in found.unavailable] == ["rule odd"]


def test_secrets_are_masked_in_what_a_rule_quotes() -> None:
    def find(seen: Evidence) -> Iterator[Symptom]:
        yield Symptom(SERVER, "says hunter2hunter2", "", evidence=("login with hunter2hunter2",))

    (cause,) = root_cause.diagnose(
        SEEN, [Rule("a", "a", find)], Redactor(["hunter2hunter2"])
    ).causes
    assert "hunter2" not in str(cause)


def test_a_command_that_would_hold_a_secret_is_not_printed_at_all() -> None:
    def find(seen: Evidence) -> Iterator[Symptom]:
        yield Symptom(SERVER, "a", "mend it", command="kubectl patch x -p hunter2hunter2")

    (cause,) = root_cause.diagnose(
        SEEN, [Rule("a", "a", find)], Redactor(["hunter2hunter2"])
    ).causes
    assert (cause.finding.remediation, cause.finding.command) == ("mend it", "")


def test_a_long_line_is_cut_where_no_piece_of_a_secret_stays() -> None:
    planted = [item for item in canaries(1) if item.known and "\n" not in item.text]
    redactor = Redactor([item.secret + "/+" * ("url" in item.shape) for item in planted])
    source = LogSource("dev", "pod", "server")

    def find(seen: Evidence) -> Iterator[Symptom]:
        for item in planted:
            lengths = range(root_cause.WIDTH - len(item.text), root_cause.WIDTH)
            lines = [(source, f"{'x' * length} {item.text}") for length in lengths]
            found = f"{'x' * (root_cause.MESSAGE - len(item.text) // 2)} {item.text}"
            evidence = quoted(lines, len(lines))
            yield Symptom(Ref("Pod", item.shape), found, "mend it", evidence=evidence)

    causes = root_cause.diagnose(SEEN, [Rule("odd", "odd", find)], redactor).causes
    assert len(causes) == len(planted)
    for cause in causes:
        said = [cause.finding.message, *cause.finding.evidence]
        assert leaked(planted, "\n".join(said)) == []
        assert all(len(line) <= root_cause.WIDTH for line in cause.finding.evidence)


def test_of_a_secret_that_a_log_cuts_over_two_lines_no_piece_is_quoted() -> None:
    (secret,) = (item for item in canaries(1) if "two lines" in item.shape)
    source = LogSource("dev", "pod", "server")
    seen = replace(SEEN, logs={source: ["begins", *secret.text.split("\n"), "ends"]})

    def find(seen: Evidence) -> Iterator[Symptom]:
        lines = [(source, line) for line in seen.logs[source]]
        yield Symptom(SERVER, quoted(lines)[0], "mend it", evidence=quoted(lines, 2))

    (cause,) = root_cause.diagnose(
        seen, [Rule("odd", "odd", find)], Redactor([secret.secret])
    ).causes
    assert cause.finding.message == "pod/server: (masked)"
    assert cause.finding.evidence == ("pod/server: (masked)", "pod/server: ends")
