"""The rule volume-not-mounted."""

from __future__ import annotations

from support.diagnosis.evidence import evidence, found, happening
from support.objects.workloads import OWNER, POD, the_one, unscheduled, waiting
from vrooli.diagnosis.rules.workloads import volume_mount


def test_a_volumes_secret_that_is_missing_is_no_trouble_of_the_volume() -> None:
    said = 'MountVolume.SetUp failed for volume "x" : secret "creds" not found'
    events = [happening(POD, "FailedMount", said)]
    seen = evidence(waiting("ContainerCreating"), events=events)
    assert the_one(seen).rule_id == "config-missing"
    assert not found(volume_mount.RULE, seen)


def test_a_volume_that_can_not_be_mounted_is_told_in_the_kubelets_words() -> None:
    said = "driver name csi.example.com not found in the list of registered CSI drivers"
    events = [happening(POD, "FailedMount", said)]
    finding = the_one(evidence(waiting("ContainerCreating"), events=events))
    assert (finding.rule_id, finding.resource) == ("volume-not-mounted", OWNER)
    assert said in finding.message


def test_a_claim_that_does_not_exist_is_named() -> None:
    seen = unscheduled('persistentvolumeclaim "data" not found')
    assert the_one(evidence(seen)).resource == "PersistentVolumeClaim/data"
