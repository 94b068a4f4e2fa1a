"""The table of verbs and their modules: each has what the parser and the dispatch ask of it."""

import argparse
import inspect

import pytest

from chroot_tool.app.cli.options import CHROOT_WORDS, RUN_WORDS
from chroot_tool.app.cli.verbs import SUMMARIES, module_of
from chroot_tool.app.json_schema import RUN
from support import CHECKOUT

VERBS = sorted(set(SUMMARIES) - set(RUN_WORDS))


def test_every_verb_has_a_line_in_the_table_and_a_module() -> None:
    # `import_` is `import`, a word of Python's.
    modules = {path.stem.rstrip("_") for path in (CHECKOUT / "app/cli/verbs").glob("[!_]*.py")}
    assert modules == set(VERBS), "a verb is a line of SUMMARIES and a file of the same name"
    assert set(RUN_WORDS) < set(SUMMARIES)
    assert ("run", *CHROOT_WORDS) == RUN


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_options_and_is_executed(verb: str) -> None:
    module = module_of(verb)
    assert list(inspect.signature(module.add_options).parameters) == ["parser"]
    assert list(inspect.signature(module.execute).parameters) == ["arguments"]
    assert not hasattr(module, "SUMMARY"), "its few words stand in the table"
    parser = argparse.ArgumentParser()
    module.add_options(parser)
    documented = [action.help for action in parser._actions if action.option_strings]
    assert all(documented)


def test_only_the_chosen_verb_is_imported() -> None:
    import subprocess
    import sys

    script = (
        "import sys; from chroot_tool.app.main import main; main(['list', '--base', '/none']);"
        "print(*(name for name in sys.modules if name.startswith('chroot_tool.app.')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "chroot_tool.app.cli.verbs.list" in said
    verbs = [name for name in said if name.startswith("chroot_tool.app.cli.verbs.")]
    assert verbs == ["chroot_tool.app.cli.verbs.list"]
    assert not {"chroot_tool.app.progress_lines", "chroot_tool.app.run_history"} & set(said)
