"""What develop is asked for is checked before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.workflows.options import DevelopOptions


def test_a_mapping_or_nothing_at_all_is_a_values_file(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    for text in ("services: {}\n", "# nothing yet\n"):
        file.write_text(text)
        assert DevelopOptions(ENVIRONMENTS["dev"], values=(file,)).values == (file,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"services: [", "is not valid YAML"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"- a\n- b\n", "contains a list, not a mapping"),
        (None, "cannot be read: No such file"),
    ],
)
def test_any_other_is_wrong_use_and_the_file_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "values.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=said) as refused:
        DevelopOptions(ENVIRONMENTS["dev"], values=(file,))
    assert str(file) in refused.value.message
