"""Puts the manual into the wheel, where man(1) finds it beside the program."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """The name by which hatchling finds it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the pages; an editable install is of a checkout, whose help is its manual."""
        if version == "editable":
            return
        self._made = tempfile.TemporaryDirectory()
        folder = Path(self._made.name)
        command = [sys.executable, "-m", "manual", folder]
        subprocess.run(command, cwd=self.root, check=True)
        for page in folder.iterdir():
            place = f"share/man/man{page.suffix[1:]}/{page.name}"
            build_data["shared_data"][str(page)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take them away again."""
        if version != "editable":
            self._made.cleanup()
