"""Where the tests with clients from npm find them: in the build directory, in the versions of node/package-lock.json."""

import fcntl
import os
import shutil
import subprocess

import harness

SOURCES = harness.TESTS / "interop" / "node"
INSTALLED = harness.BUILD / "node"


def install():
    """Installs once for a lock file; the environment for node."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(INSTALLED / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = INSTALLED / ".installed", (SOURCES / "package-lock.json").read_text()
        if not stamp.exists() or stamp.read_text() != wanted:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(SOURCES / file, INSTALLED)
            done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=INSTALLED,
                                  capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                harness.count("npm ci", False, done.stdout + done.stderr)
                harness.finish()
            stamp.write_text(wanted)
    os.environ["NODE_PATH"] = str(INSTALLED / "node_modules")
