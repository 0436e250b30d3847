"""Where things are: the repository, the programs, scratch folders, and what the machine is."""
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
BUILD = ROOT / "build"
PROGRAMS = BUILD / "bench"
RESULTS = BENCH / "results.json"
README = BENCH / "README.md"
PLOTS = BENCH / "plots"

GIB = 1 << 30
MIB = 1 << 20

# The interpreters that Debian's packages install their modules for.
PYTHON = "/usr/bin/python3"
AWS = "/usr/bin/aws"


def build():
    """Builds pxload and everything of bench/, after installing what is missing."""
    subprocess.run([str(ROOT / "scripts/install-deps"), "bench"], check=True)
    subprocess.run([str(ROOT / "scripts/build")], check=True)
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench"], check=True,
                   stdout=subprocess.DEVNULL)


def scratch(need_bytes, on_disk=False):
    """A new folder with that much room: in memory when there is enough, else on disk."""
    candidates = [] if on_disk else [pathlib.Path("/dev/shm")]
    candidates.append(PROGRAMS)
    for parent in candidates:
        if not parent.is_dir():
            continue
        room = shutil.disk_usage(parent).free
        if parent.parts[1] == "dev":  # pages of tmpfs are memory, and others need some
            room = min(room, available_memory() - 4 * GIB)
        if room > need_bytes:
            return pathlib.Path(tempfile.mkdtemp(prefix="pxload-bench-", dir=parent))
    raise SystemExit(f"bench: no folder with {need_bytes / GIB:.1f} GiB of room")


def available_memory():
    with open("/proc/meminfo") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def clean_environment(**extra):
    """Ours without proxies, authorities and credentials that would bend a peer."""
    keep = {key: os.environ[key] for key in ("PATH", "LANG", "TERM") if key in os.environ}
    return {**keep, "NO_PROXY": "*", "no_proxy": "*", "AWS_EC2_METADATA_DISABLED": "true",
            **extra}


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60,
                              env=clean_environment(HOME="/tmp"))
    except OSError:
        return "missing"
    text = (done.stdout + done.stderr).strip()
    return text.splitlines()[0] if text else "?"


def machine():
    """What the numbers depend on."""
    model = "?"
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--tags", "--always", "--dirty"],
                            capture_output=True, text=True).stdout.strip()
    return {"cpu": model, "cores": os.cpu_count(), "kernel": ".".join(platform.release().split(".")[:2]),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
            "commit": commit, "gcc": _first_line("gcc", "--version"),
            "curl": _first_line("curl", "--version").partition(" (")[0],
            "rclone": _first_line("rclone", "version"), "awscli": _first_line(AWS, "--version"),
            "s3cmd": _first_line("s3cmd", "--version")}
