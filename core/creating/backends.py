"""debootstrap and mmdebstrap: their arguments, what their output means, why they failed. Pure.

debootstrap is run with --debian-installer: then it writes what it does and how far it is on
descriptor 3, in lines of a letter and a tag (functions file: info, error, progress):

    P: 33 100 DOWNREL      33 of 100, then PF: "Downloading Release file"; without a tag: the last
    I: RETRIEVING          then IA: for each argument, IF: the format; W and E likewise
"""

from __future__ import annotations

from ..errors import ChrootError
from .options import PLAIN_LOCALES, UTC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .options import CreateOptions

    Stage = Callable[[str, float], None]
    Said = Callable[[str], None]

_STAGES = {
    "DOWNREL": ("downloading the release file", 0.00, 0.01),
    "DOWNRELSIG": ("checking its signature", 0.01, 0.02),
    "DOWNPKGS": ("downloading the package lists", 0.02, 0.06),
    "RESOLVEREQ": ("resolving dependencies", 0.06, 0.15),
    "RESOLVEBASE": ("resolving dependencies", 0.15, 0.23),
    "SIZEDEBS": ("finding package sizes", 0.23, 0.25),
    "DOWNDEBS": ("downloading packages", 0.25, 0.52),
    "EXTRACTPKGS": ("extracting packages", 0.52, 0.63),
    "INSTCORE": ("installing core packages", 0.63, 0.69),
    "UNPACKREQ": ("unpacking required packages", 0.69, 0.86),
    "CONFREQ": ("configuring required packages", 0.86, 0.91),
    "UNPACKBASE": ("unpacking the base system", 0.91, 0.96),
    "CONFBASE": ("configuring the base system", 0.96, 1.00),
}
"""Where each stage lies, by the time that a minbase took; resolving has no P lines."""

_MM_STAGES = (
    ("running apt-get update", "downloading the package lists", 0.02),
    ("downloading packages with apt", "downloading packages", 0.15),
    ("extracting archives", "extracting packages", 0.45),
    ("installing essential packages", "installing core packages", 0.55),
    ("installing remaining packages", "installing packages", 0.75),
    ("cleaning package lists", "cleaning up", 0.97),
)
"""What mmdebstrap's "I:" lines begin with."""

_MM_HOOKS = "/usr/share/mmdebstrap/hooks"

_NO_PACKAGE = (
    ("Couldn't find these debs: ", ""),
    ("Unable to locate package ", ""),
    ("Package ", " has no installation candidate"),
)
"""How errors about a package that is not there begin and end: debootstrap's, then apt's."""

_STEP = 0.005
_KEPT = 40
_FULL = "No space left on device"


def packages(options: CreateOptions) -> tuple[str, ...]:
    """Return what is installed on top of the variant: what was asked for, and what it needs."""
    needed: list[str] = []
    if any(locale not in PLAIN_LOCALES for locale in options.locales):
        needed.append("locales")
    if options.timezone not in UTC:
        needed.append("tzdata")
    return tuple(dict.fromkeys([*options.include, *needed]))


def arguments(
    options: CreateOptions, target: str, keyring: str = "", codename: str = ""
) -> list[str]:
    """Return the command line that makes *options* in the directory *target*.

    *codename* is the suite's own name, as its Release file has it.
    """
    place = [options.suite, target, *([options.mirror] if options.mirror else [])]
    if options.backend == "mmdebstrap":
        variant = "debootstrap" if options.variant == "important" else options.variant
        return [
            "mmdebstrap", "--mode=root", "--format=directory", f"--variant={variant}",
            "--skip=check/qemu",  # check_runnable has asked the kernel; theirs wants arch-test
            f"--architectures={options.arch}",
            *_like_debootstrap(options, codename or options.suite),
            *([f"--keyring={keyring}"] if keyring else []), *place,
        ]  # fmt: skip
    variant_ = [] if options.variant == "important" else [f"--variant={options.variant}"]
    # Without --force-check-gpg a missing keyring would mean unchecked packages.
    return [
        "debootstrap", "--debian-installer", "--force-check-gpg", f"--arch={options.arch}",
        *variant_, *_included(packages(options)), *place,
    ]  # fmt: skip


def _like_debootstrap(options: CreateOptions, codename: str) -> list[str]:
    """Return what has mmdebstrap install the packages that debootstrap does (debian-common).

    In bookworm init-system-helpers depends on `usrmerge | usr-is-merged`: apt takes the first one,
    and perl with it; debootstrap merges /usr itself, in all but buildd, and takes the second.
    Before, nothing depended on either; after, neither is there. An https mirror needs
    ca-certificates, or apt inside could not ask it.
    """
    more = packages(options)
    if options.mirror.startswith("https://"):
        more = tuple(dict.fromkeys([*more, "ca-certificates"]))
    hooks: list[str] = []
    if codename == "bookworm":
        merged = "no-merged-usr" if options.variant == "buildd" else "merged-usr"
        hooks = [f"--hook-dir={_MM_HOOKS}/{merged}"]
    return [*hooks, *_included(more)]


def _included(names: tuple[str, ...]) -> list[str]:
    return [f"--include={','.join(names)}"] if names else []


class Reader:
    """Takes the lines of a run, tells stages and lines, and remembers why it failed."""

    def __init__(self, backend: str, stage: Stage, said: Said, suite: str = "") -> None:
        """Call *stage* with what it does and the fraction done, *said* with every line to show.

        *suite* is what errors call the suite.
        """
        self._backend = backend
        self._suite = suite or "this suite"
        self._stage = stage
        self._said = said
        self._now = ("starting", 0.0, 0.0)
        self._shown = ("", 0.0)
        self._kind = ""
        self._arguments: list[str] = []
        self._last: list[str] = []
        self._errors: list[str] = []
        self._warnings: list[str] = []

    def line(self, line: str) -> None:
        """Take a line of stdout or stderr."""
        if self._backend == "mmdebstrap":
            self._classify(line)
            for begin, text, fraction in _MM_STAGES:
                if line.startswith(f"I: {begin}"):
                    self._reached(text, fraction)
        self._keep(line)

    def side(self, line: str) -> None:
        """Take a line of debootstrap's descriptor 3."""
        kind, _, rest = line.partition(": ")
        if kind == "P":
            self._progress(rest.split())
        elif kind in ("I", "W", "E"):
            self._kind, self._arguments = kind, []
            if rest in _STAGES:
                self._begin(rest)
        elif kind in ("IA", "WA", "EA"):
            self._arguments.append(rest)
        elif kind in ("IF", "WF", "EF"):
            text = f"{self._kind}: {filled(rest, self._arguments)}"
            self._classify(text)
            self._keep(text)

    def failed(self, code: int, *, full: bool = False) -> ChrootError:
        """Return the error for a run that ended with *code*; *full*: the disk has no space."""
        what = f"{self._backend} failed"
        if full or any(_FULL in line for line in self._last):
            return ChrootError(
                f"{what}: no space left on device", "free some space there, or choose another place"
            )
        if code < 0 and not self._errors:
            return ChrootError(
                f"{what}: signal {-code} ended it",
                "was it memory? dmesg | tail says so" if code == -9 else "",
            )
        if missing := self._missing():
            names = ", ".join(missing)
            return ChrootError(
                f"there {'are no packages' if len(missing) > 1 else 'is no package'} {names}"
                f" in {self._suite}",
                "see what --include names: a package of its section main, without its version",
            )
        cause = next(iter(self._errors[-1:] or self._blamed() or self._warnings[-1:]), "")
        rest = [line for line in self._last if line.strip() and not (cause and cause in line)][-3:]
        return ChrootError(
            f"{what}: {cause or (rest[-1] if rest else f'exit code {code}')}",
            f"its last words: {' | '.join(rest)}" if rest else "",
        )

    def _missing(self) -> list[str]:
        """Return the packages that were asked for and are not there, each once."""
        found: list[str] = []
        for line in self._errors:
            for begin, end in _NO_PACKAGE:
                if line.startswith(begin) and line.endswith(end):
                    found += line[len(begin) : len(line) - len(end)].strip("'").split()
        return list(dict.fromkeys(found))

    def _blamed(self) -> list[str]:
        """Return what dpkg says of the first package that broke: its line and the one below."""
        for index, line in enumerate(self._last):
            if line.startswith("dpkg: error"):
                below = self._last[index + 1].strip() if index + 1 < len(self._last) else ""
                return [f"{line} {below}".strip()]
        return []

    def _classify(self, line: str) -> None:
        text = line[3:].strip()
        if line.startswith("E: "):
            self._errors.append(text)
        elif line.startswith("W: ") and not text.startswith("See "):  # a log that is gone then
            self._warnings.append(text)

    def _keep(self, line: str) -> None:
        self._last.append(line)
        del self._last[:-_KEPT]
        self._said(line)

    def _begin(self, tag: str) -> None:
        self._now = _STAGES[tag]
        self._reached(self._now[0], self._now[1])

    def _progress(self, words: list[str]) -> None:
        if len(words) < 2 or not all(word.isdigit() for word in words[:2]):
            return
        if len(words) > 2 and words[2] in _STAGES:
            self._now = _STAGES[words[2]]
        text, begin, end = self._now
        done, total = int(words[0]), int(words[1])
        share = min(done / total, 1.0) if total else 1.0
        self._reached(text, begin + (end - begin) * share)

    def _reached(self, text: str, fraction: float) -> None:
        shown, before = self._shown
        fraction = max(before, fraction)  # downloads that are tried again count twice
        if text != shown or fraction >= before + _STEP:
            self._shown = (text, fraction)
            self._stage(text, fraction)


def filled(form: str, arguments: list[str]) -> str:
    """Return *form* with each `%s` replaced by the next of *arguments*, on one line."""
    parts = form.split("%s")
    text = parts[0]
    for index, part in enumerate(parts[1:]):
        text += (arguments[index] if index < len(arguments) else "") + part
    return " ".join(text.replace("\\n", " ").split())
