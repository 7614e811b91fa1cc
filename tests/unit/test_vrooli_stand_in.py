"""The stand-in of Vrooli's server demands what the server demands."""

from __future__ import annotations

import pytest

from support.vrooli_stand_ins import server


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """All variables that the server requires."""
    monkeypatch.setenv("npm_package_name", "@vrooli/server")
    for name in server.REQUIRED:
        monkeypatch.setenv(name, "a value")


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize("missing", server.REQUIRED)
@pytest.mark.parametrize("value", ["", None])
def test_without_a_variable_it_ends_with_an_error_that_names_it(
    missing: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing) if value is None else monkeypatch.setenv(missing, value)
    with pytest.raises(SystemExit, match=f"{missing} not in environment variables") as ended:
        server.main()
    # A text is printed, and the status is 1.
    assert isinstance(ended.value.code, str)


@pytest.mark.usefixtures("complete")
def test_under_another_name_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_package_name", "@vrooli/jobs")
    with pytest.raises(SystemExit) as ended:
        server.main()
    assert ended.value.code == 0
