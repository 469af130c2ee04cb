"""The real HAProxy, asked what it thinks of a configuration."""

import shutil
import subprocess
from pathlib import Path

import pytest

needed = pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not installed")


def complaints(config: str, folder: Path) -> str:
    """What HAProxy has against this configuration, warnings included."""
    path = folder / "haproxy.cfg"
    path.write_text(config)
    done = subprocess.run(["haproxy", "-c", "-f", path.name], cwd=folder, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if "[NOTICE]" not in line and line.strip()]
    return "\n".join(lines) or ("" if done.returncode == 0 else f"exit {done.returncode}")
