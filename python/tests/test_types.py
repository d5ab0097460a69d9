"""The stubs say what the modules are."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Made by scikit-learn and PyO3.
MADE = [r"tanner.*\.set_(fit|score)_request", r"tanner\._native\.__all__"]


def test_stubs(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "made").write_text("\n".join(MADE))
    command = [sys.executable, "-m", "mypy.stubtest", "tanner", "--allowlist", str(tmp_path / "made")]
    command += ["--mypy-config-file", str(ROOT / "pyproject.toml"), "--ignore-disjoint-bases"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_is_typed():
    import tanner

    folder = pathlib.Path(tanner.__file__).parent
    assert (folder / "py.typed").exists() and (folder / "__init__.pyi").exists()
