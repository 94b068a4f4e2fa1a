"""Write debian/vendored.txt anew: the newest of all that pyproject.toml allows.

psutil is left out: it is compiled, and python3-psutil of both Debians will do.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
PINS = ROOT / "debian/vendored.txt"
OLDEST = "3.11"
"""The Python of the oldest Debian that the package is for."""


def main() -> None:
    """Ask pip what it would install, and keep the comment that the file begins with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [one for one in project["dependencies"] if not one.startswith("psutil")]
    pip = [sys.executable, "-I", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    pure = ["--only-binary", ":all:", "--platform", "any", "--python-version", OLDEST]
    asked = ["--dry-run", "--ignore-installed", "--target", "nowhere", "--report", "-"]
    said = subprocess.run([*pip, *pure, *asked, *wanted], stdout=subprocess.PIPE, check=True).stdout
    comment = [line for line in PINS.read_text().splitlines() if line.startswith("#")]
    pins = sorted(_pin(one) for one in json.loads(said)["install"])
    PINS.write_text("\n".join([*comment, *pins, ""]))


def _pin(one: dict) -> str:
    about, file = one["metadata"], one["download_info"]["archive_info"]
    name = about["name"].lower().replace("_", "-")
    return f"{name}=={about['version']} --hash=sha256:{file['hashes']['sha256']}"


if __name__ == "__main__":
    main()
