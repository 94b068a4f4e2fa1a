"""The verbs of the command line: a line here, and a module of the same name, for each.

A module has `add_options(parser)` and `execute(arguments)`, which returns the exit code and raises
ChrootError. Only the module of the verb that was chosen is imported; the help of the whole command
line needs no more than this table. What is read and done by `app/cli/run_and_shell.py` stands here
for the help alone, and has its options in `app/cli/run_help.py`.
"""

from __future__ import annotations

from ..options import RUN_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

SUMMARIES = {
    "create": "make a Debian in a directory",
    "base": "the bases that `create` unpacks instead of bootstrapping",
    "on": "mount what the configuration says",
    "off": "run `stop` inside, then unmount everything",
    "enable": "switch a chroot on at boot, and off at shutdown",
    "disable": "do nothing with a chroot at boot any more",
    "run": "run a command inside",
    "start": "run `start` inside",
    "stop": "run `stop` inside",
    "restart": "run `restart` inside",
    "update": "run `update` inside",
    "shell": "a login shell inside, on this terminal",
    "adopt": "make you a user inside, with your name and id",
    "list": "the chroots under the base directory",
    "status": "one chroot in full: mounts, processes, problems",
    "watch": "a line now and at every change, until interrupted",
    "bind": "list and edit bind entries, without loss",
    "tag": "words that chroots are grouped and filtered by",
    "pack": "an archive of a chroot, without what is mounted on it",
    "unpack": "a chroot out of an archive, as it was",
    "clone": "copy a chroot, without its mounts",
    "rename": "give a chroot another name",
    "snapshot": "keep states of a chroot, and go back to them",
    "delete": "switch a chroot off and remove it",
    "trash": "chroots that were deleted and are kept a while",
    "doctor": "what on this host, or in a chroot, would get in the way",
    "sudoers": "the rule that lets others use this without being root",
    "deploy": "put this program on another machine, or take it away there",
    "export": "what makes another tool use a chroot: schroot, sbuild, nspawn, Ansible",
    "import": "what schroot has, for this program",
    "report": "what a report of a bug needs, without names and paths",
    "schema": "what our files and our JSON look like, as JSON Schema",
    "help": "the manual page of a command",
    "completion": "a script by which a shell completes our words",
    "serve": "requests as JSON lines, for a chroot-tool elsewhere",
}
"""What each does in a few words, in the order of the help."""


_CLI = __name__.rpartition(".")[0]


def module_of(verb: str) -> ModuleType:
    """Import and return the module of a verb of the table."""
    own = f"{verb}_" if verb == "import" else verb  # a word of Python's
    name = f"{_CLI}.run_help" if verb in RUN_WORDS else f"{__name__}.{own}"
    return __import__(name, fromlist=["add_options"])  # importlib would have to be imported, too
