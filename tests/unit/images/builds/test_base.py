"""Where the base image's packages come from."""

import pytest

from vrooli.images.builds import base

DEBIAN = [
    "deb http://deb.debian.org/debian bookworm main",
    "deb http://deb.debian.org/debian bookworm-updates main",
    "deb http://deb.debian.org/debian-security bookworm-security main",
]


def test_without_a_mirror_of_the_host_they_come_from_debian() -> None:
    assert base.debian_sources([]) == DEBIAN


def test_the_host_s_mirror_is_taken_from_one_line_sources() -> None:
    content = (
        "# deb http://old.example/debian bookworm main\n"
        "deb [signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib\n"
        "deb-src http://source.example/debian bookworm main\n"
    )
    assert base.debian_sources([content]) == ["deb http://mirror.example/debian bookworm main"]


def test_the_host_s_mirror_is_taken_from_deb822_sources() -> None:
    content = (
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\n\n"
        "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\n"
        "Components: main\n"
    )
    assert base.debian_sources([content]) == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian bookworm-updates main",
        "deb http://mirror.example/security bookworm-security main",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "deb https://vendor.example/linux/debian bookworm stable\n",
        "deb http://archive.ubuntu.example/ubuntu noble main\n",
        "deb http://apt.vendor.example/pub bookworm-pgdg main\n",
        "Types: deb\nURIs: http://off.example/debian\nSuites: bookworm\n"
        "Components: main\nEnabled: no\n",
    ],
    ids=["a vendor's component", "another distribution", "a vendor's suite", "disabled"],
)
def test_sources_that_are_no_mirror_of_the_suite_are_left_out(content: str) -> None:
    assert base.debian_sources([content]) == DEBIAN


def test_another_base_is_another_input(monkeypatch: pytest.MonkeyPatch) -> None:
    before = base.inputs_hash()
    monkeypatch.setenv("VROOLI_BASE_IMAGE", "registry.example/debian:bookworm-slim")
    assert base.inputs_hash() != before
