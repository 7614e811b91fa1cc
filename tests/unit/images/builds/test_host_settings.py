"""What builds are told of how this host reaches the registries."""

from pathlib import Path

import pytest

from vrooli.images.builds import host_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and an environment without settings of pip and npm."""
    for name in (*host_settings.PIP_SETTINGS, "NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(host_settings, "PIP_FILES", (Path("~/.config/pip/pip.conf"),))
    return tmp_path


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_pip_without_settings_gets_none() -> None:
    assert host_settings.pip_conf(None) == "[global]\n"


def test_pip_gets_the_certificates_where_steps_mount_them() -> None:
    assert "cert = /run/secrets/ca.crt\n" in host_settings.pip_conf(Path("/somewhere/ca.pem"))


def test_pip_takes_the_user_s_file_and_the_environment_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(
        home / ".config/pip/pip.conf",
        "[global]\nindex-url = https://file.example/\ntimeout = 7\nfind-links = /opt/wheels\n",
    )
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    settings = host_settings.pip_conf(None)
    assert settings == "[global]\nindex-url = https://environment.example/simple\ntimeout = 7\n"


def test_a_list_of_indexes_stays_one_setting(home: Path) -> None:
    _write(
        home / ".config/pip/pip.conf",
        "[global]\nextra-index-url =\n    https://a.example/\n    https://b.example/\n",
    )
    assert "extra-index-url = \n    https://a.example/\n    https://b.example/\n" in (
        host_settings.pip_conf(None)
    )


def test_a_file_that_pip_could_not_read_either_is_left_out(home: Path) -> None:
    _write(home / ".config/pip/pip.conf", "no section\n")
    assert host_settings.pip_conf(None) == "[global]\n"


def test_npm_keeps_the_user_s_lines_except_paths_of_this_host(home: Path) -> None:
    _write(
        home / ".npmrc", "@co:registry=https://npm.example/\ncafile = /host/ca.pem\nfund=false\n"
    )
    assert host_settings.npmrc(Path("/host/ca.pem")).splitlines() == [
        "@co:registry=https://npm.example/",
        "fund=false",
        "cafile=/run/secrets/ca.crt",
    ]


@pytest.mark.parametrize("name", ["NPM_CONFIG_REGISTRY", "npm_config_registry"])
def test_npm_takes_the_environment_s_registry(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "https://npm.example/")
    assert host_settings.npmrc(None) == "registry=https://npm.example/\n"


def test_the_files_are_for_this_user_only(tmp_path: Path) -> None:
    secrets = host_settings.write_secrets(tmp_path / "secrets")
    modes = {name: secrets[name].stat().st_mode & 0o777 for name in ("pip.conf", "npmrc")}
    assert modes == {"pip.conf": 0o600, "npmrc": 0o600}


def test_the_certificates_are_those_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "company.pem"
    bundle.touch()
    monkeypatch.setenv("PIP_CERT", str(bundle))
    assert host_settings.certificates() == bundle
