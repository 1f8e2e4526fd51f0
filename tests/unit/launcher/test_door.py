"""`./peakdesk` itself: which uv it takes, how it gets one, and what it says when it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[3]
PIN = (CHECKOUT / "launcher" / "uv.txt").read_text(encoding="utf-8")
VERSION = PIN.split("\nuv==")[1].split()[0]
TOOLS = (
    "cat", "chmod", "cp", "cut", "dirname", "head", "mkdir", "mv", "readlink", "rm", "sed", "sh",
    "sort",
)  # fmt: skip

# Where Debian and Red Hat keep whom the system trusts.
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")

# Plays uv: makes an environment whose "python" prints how it was called.
UV = """#!/bin/sh
[ "$1" = --version ] && echo "uv {version}" && exit 0
mkdir -p "$3/.venv/bin"
printf '#!/bin/sh\\necho "{version} $*"\\n' > "$3/.venv/bin/python"
chmod +x "$3/.venv/bin/python"
"""

SHOWS_PATH = 'echo "modules from: ${PYTHONPATH:-nowhere else}" >&2\n'

# Says how many KiB are free, as every df does with -P.
DF = """#!/bin/sh
echo "Filesystem 1024-blocks Used Available Capacity Mounted on"
echo "/dev/my disk 1000 900 {free} 99% /home/my folder"
"""

# Plays a Python whose modules (venv, pip) may be missing; its pip "installs" the uv beside it.
PYTHON = """#!/bin/sh
here=$(dirname -- "$0")
case "$2" in
    venv)
        [ -z "{venv}" ] && exit 1
        mkdir -p "$3/bin"
        cp "$0" "$3/bin/python"
        cp "$here/fetched-uv" "$3/bin/"
        ;;
    pip)
        [ -z "{pip}" ] && exit 1
        [ "$3" = --version ] && exit 0
        for word; do target=$word; done
        case $target in
            *uv.txt) cp "$here/fetched-uv" "$here/uv" ;;
            *) mkdir -p "$target/bin" && cp "$here/fetched-uv" "$target/bin/uv" ;;
        esac
        ;;
esac
"""


class House:
    """A checkout with spaces in its path, and a PATH that holds only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a check out"
        self.path = folder / "bin"
        (self.root / "launcher").mkdir(parents=True)
        self.path.mkdir()
        shutil.copy(CHECKOUT / "peakdesk", self.root)
        shutil.copy(CHECKOUT / "launcher" / "uv.txt", self.root / "launcher")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.path / tool).symlink_to(found)
        self.user(1000)

    def user(self, number: int) -> None:
        self.put("id", f"#!/bin/sh\necho {number}\n")

    def put(self, name: str, script: str) -> None:
        (self.path / name).write_text(script)
        (self.path / name).chmod(0o755)

    def python(self, *, venv: bool, pip: bool) -> None:
        self.put("fetched-uv", UV.format(version=VERSION))
        self.put("python3", PYTHON.format(venv="yes" * venv, pip="yes" * pip))

    def run(
        self,
        *arguments: str,
        door: Path | None = None,
        cwd: Path | None = None,
        home: str | None = None,
        **variables: str,
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [door or self.root / "peakdesk", *arguments],
            env={"PATH": str(self.path)} | ({"HOME": home} if home else {}) | variables,
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A checkout on a machine with neither uv nor Python."""
    return House(tmp_path)


def test_a_uv_on_the_path_is_used_and_arguments_arrive(house: House) -> None:
    house.put("uv", UV.format(version="0.20.1"))

    done = house.run("up", "--folder", "my data")

    assert done.stdout == "0.20.1 -P -m launcher.cli up --folder my data\n"


def test_it_works_through_a_symlink_from_anywhere(house: House, tmp_path: Path) -> None:
    house.put("uv", UV.format(version="0.20.1"))
    (tmp_path / "first").symlink_to(house.root / "peakdesk")
    (tmp_path / "door").symlink_to("first")

    done = house.run("status", door=tmp_path / "door", cwd=Path("/"))

    assert done.stdout == "0.20.1 -P -m launcher.cli status\n"
    assert (house.root / ".venv").is_dir()


@pytest.mark.parametrize(
    ("venv", "pip"), [(True, True), (False, True)], ids=["venv", "pip without venv"]
)
def test_without_uv_the_pinned_one_is_fetched_into_the_checkout(
    house: House, *, venv: bool, pip: bool
) -> None:
    house.python(venv=venv, pip=pip)

    done = house.run("status")

    assert done.stdout == f"{VERSION} -P -m launcher.cli status\n", done.stderr
    assert f"fetching uv {VERSION}" in done.stderr
    assert (house.root / ".peakdesk" / f"uv-{VERSION}" / "bin" / "uv").exists()
    assert "fetching" not in house.run("status").stderr, "a second run fetches nothing"


def test_an_old_uv_is_passed_over(house: House) -> None:
    house.put("uv", UV.format(version="0.4.30"))
    house.python(venv=True, pip=True)

    done = house.run("status")

    assert done.stdout.startswith(VERSION)
    assert "uv 0.4.30 is too old" in done.stderr


def test_a_python_without_venv_and_pip_gets_a_sentence(house: House) -> None:
    house.python(venv=False, pip=False)

    done = house.run("status")

    assert done.returncode == 1
    assert "install python3-venv (or uv), then run this again" in done.stderr


def test_root_without_a_working_apt_gets_a_sentence(house: House) -> None:
    house.user(0)
    house.python(venv=False, pip=False)
    house.put("apt-get", "#!/bin/sh\nexit 1\n")

    done = house.run("status")

    assert done.returncode == 1
    assert "installing the system package python3-venv" in done.stderr
    assert "install it (or uv) by hand, then run this again" in done.stderr


@pytest.mark.parametrize("home", [None, "/dev/null"], ids=["no HOME", "HOME not writable"])
def test_without_a_home_the_cache_stays_in_the_checkout(house: House, home: str | None) -> None:
    house.put("uv", UV.format(version="0.20.1") + 'echo "cache $UV_CACHE_DIR" >&2\n')

    done = house.run("status", home=home)

    assert f"cache {house.root}/.peakdesk/cache/uv" in done.stderr


@pytest.mark.parametrize(("own", "taken"), [("", "true"), ("false", "false")])
def test_uv_trusts_whom_the_system_trusts_unless_told_otherwise(
    house: House, own: str, taken: str
) -> None:
    house.put("uv", UV.format(version="0.20.1") + 'echo "system: $UV_SYSTEM_CERTS" >&2\n')
    kept = any(Path(bundle).is_file() for bundle in BUNDLES)

    done = house.run("status", UV_SYSTEM_CERTS=own)

    assert done.stderr.endswith(f"system: {taken if kept else own}\n")


def test_somebody_elses_checkout_is_not_taken_for_a_lack_of_network(house: House) -> None:
    house.put("uv", '#!/bin/sh\n[ "$1" = --version ] && echo "uv 0.20.1" && exit 0\nexit 2\n')
    house.put("df", DF.format(free=9**9))
    house.root.chmod(0o555)
    # Root may write everywhere.
    said = "check the network" if os.geteuid() == 0 else "is not yours to write into"

    done = house.run("status")

    house.root.chmod(0o755)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_machine_without_python_gets_a_sentence(house: House) -> None:
    done = house.run("status")

    assert done.returncode == 1
    assert "Python 3 is missing" in done.stderr


def test_from_inside_another_checkout_and_beside_its_modules_the_door_opens_its_own(
    house: House, tmp_path: Path
) -> None:
    house.put("uv", UV.format(version="0.20.1") + SHOWS_PATH)
    other = tmp_path / "other"
    (other / "launcher").mkdir(parents=True)

    done = house.run("status", cwd=other, PYTHONPATH=str(other))

    assert done.stdout == "0.20.1 -P -m launcher.cli status\n"
    assert done.stderr.endswith("modules from: nowhere else\n")


@pytest.mark.parametrize(
    ("free", "said"),
    [(3 * 1024, "the disk is full: 3 MB are free and about 700"), (9**9, "check the network")],
)
def test_packages_that_cannot_be_installed_are_told_with_the_likely_cause(
    house: House, free: int, said: str
) -> None:
    house.put("uv", '#!/bin/sh\n[ "$1" = --version ] && echo "uv 0.20.1" && exit 0\nexit 2\n')
    house.put("df", DF.format(free=free))

    done = house.run("status")

    assert done.returncode == 1
    assert said in done.stderr
