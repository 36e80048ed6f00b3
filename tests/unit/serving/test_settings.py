"""Where settings come from, and which are refused."""

from pathlib import Path

import pytest

from recsys.errors import ConfigError
from serving.settings import load_settings


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = tmp_path / "serving.toml"
    file.write_text('bundles = "from-file"\nport = 1001\nthreads = 2\nprocesses = 3\n')
    environ = {"RECSYS_SERVING_PORT": "1002", "RECSYS_SERVING_THREADS": "5", "HOME": "/root"}
    settings = load_settings({"port": 1003, "host": None}, environ, file)
    assert settings.bundles == Path("from-file")
    assert (settings.port, settings.threads, settings.processes) == (1003, 5, 3)
    assert settings.host == "127.0.0.1"
    assert list(settings.ports()) == [1003, 1004, 1005]


def test_environment_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "serving.toml"
    file.write_text('bundles = "b"\nreflection = true\n')
    environ = {"RECSYS_SERVING_CONFIG": str(file), "RECSYS_SHARED": "/data"}
    assert load_settings({}, environ, None).reflection


@pytest.mark.parametrize(
    ("flags", "environ", "text", "expected"),
    [
        ({}, {}, "", "bundles: say where"),
        ({"bundles": "b"}, {"RECSYS_SERVING_PROT": "1"}, "", "RECSYS_SERVING_PROT"),
        ({"bundles": "b"}, {"RECSYS_TYPO": "1"}, "", "RECSYS_TYPO"),
        ({"bundles": "b"}, {"RECSYS_SERVING_PORT": "http"}, "", "RECSYS_SERVING_PORT: "),
        ({"bundles": "b"}, {}, "prot = 1", "prot: "),
        ({"bundles": "b"}, {}, "threads = 0", "threads: "),
        ({"bundles": "b", "port": 65535, "processes": 2}, {}, "", "up to 65536"),
        ({"bundles": "b"}, {}, "port = ", "not valid TOML"),
    ],
)
def test_wrong_settings_are_named(
    tmp_path: Path,
    flags: dict[str, object],
    environ: dict[str, str],
    text: str,
    expected: str,
) -> None:
    file = tmp_path / "serving.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=expected):
        load_settings(flags, environ, file)
