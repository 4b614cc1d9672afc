"""Installing a distribution for real, as an engineer does, without the network.

The virtual environment sees the packages of the running one, so that only the distribution itself is built and
installed; ``zhijia`` and ``pip`` are there as commands.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.config import ROOT

#: The build backend and the dependencies are there already.
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this backwards: 0 builds with what is installed
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}
COMMANDS = {"zhijia": "from core.cli import main", "pip": "from pip._internal.cli.main import main"}


@dataclass(frozen=True)
class Venv:
    """A virtual environment; everything runs with its Python and its commands first on the path."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, *command: str | Path, cwd: Path | None = None, good: bool = True) -> str:
        """What a command printed, errors among it. The test fails unless it ended well (``good=False``: badly)."""
        done = subprocess.run(
            command, cwd=cwd or self.folder, env=dict(self.environ), text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert (done.returncode == 0) == good, done.stdout
        return done.stdout

    def zhijia(self, *arguments: str, good: bool = True) -> str:
        """What ``zhijia`` printed."""
        return self.run(self.folder / "bin" / "zhijia", *arguments, good=good)

    def install(self, folder: Path) -> None:
        """Build and install the distribution in ``folder``."""
        self.run(self.folder / "bin" / "pip", "install", "-q", folder)

    def uninstall(self, distribution: str) -> None:
        """Remove it again."""
        self.run(self.folder / "bin" / "pip", "uninstall", "-q", "-y", distribution)


def make_venv(folder: Path, environ: Mapping[str, str]) -> Venv:
    """Make the environment; ``environ`` are the variables of its commands beside those of this process.

    The variables of this test run that name its servers and its part of it are left out.
    """
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    shared = sysconfig.get_path("purelib")
    (site / "shared.pth").write_text(f"import site; site.addsitedir({shared!r})\n")
    for name, line in COMMANDS.items():
        command = folder / "bin" / name
        command.write_text(f"#!{folder / 'bin' / 'python'}\nimport sys\n\n{line}\n\nsys.exit(main())\n")
        command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZHIJIA_", "PYTEST_"))}
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"PATH": path, "VIRTUAL_ENV": str(folder), "PYTHONPATH": str(ROOT)}
    return Venv(folder, kept | OFFLINE | variables | dict(environ))
