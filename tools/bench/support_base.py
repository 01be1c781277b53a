# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""Another commit, built beside this tree, and its measurements in turn with ours."""

import json
import os
import shlex
import shutil
import subprocess
import sys

from support_rows import Failure, merge, name_fully

LOG_TAIL = 2000
OURS_ONLY = ("BUILD", "BASE", "BENCH")  # variables of make that are not the base's


def git(top, *arguments):
    """The output of git, or None if it failed."""
    try:
        done = subprocess.run(["git", "-C", str(top), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def describe_commit(top):
    """The commit of this tree, and whether files differ from it."""
    commit = git(top, "rev-parse", "--short=12", "HEAD")
    if not commit:
        return "unknown commit"
    changed = git(top, "status", "--porcelain", "--untracked-files=no")
    return commit + (" and changes" if changed else "")


def run_logged(command, log, **more):
    """Run a command whose output goes to a file. Ends it with SIGTERM, so that it can clean up."""
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, **more)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def tail(log):
    return log.read_text(errors="replace")[-LOG_TAIL:].strip()


class Base:
    """
    A commit in a worktree below build/bench/, with a build directory of its own. Exists while it is
    entered.
    """

    def __init__(self, top, build, name):
        self.own_top, self.own_build = top, build
        if git(top, "rev-parse", "--git-dir") is None:
            raise Failure(f"base {name}: {top} is not a git repository")
        commit = git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
        if not commit:
            raise Failure(f"base {name}: no such commit in {top}")
        self.commit = commit[:12]
        self.top = build / "bench" / f"base-{self.commit}"
        self.build = self.top / "build"

    def remove(self):
        git(self.own_top, "worktree", "remove", "--force", "--force", str(self.top))
        shutil.rmtree(self.top, ignore_errors=True)

    def __enter__(self):
        self.top.parent.mkdir(parents=True, exist_ok=True)
        self.remove()  # of a run that was killed
        try:
            # --force: the directory may have been removed without git
            added = git(self.own_top, "worktree", "add", "--force", "--detach", str(self.top), self.commit)
            if added is None:
                raise Failure(f"base {self.commit}: git cannot make a worktree in {self.top}")
            self.make()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def make(self):
        """Build it, with the variables that were given to make for this tree (CC, O)."""
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD")}
        given = shlex.split(os.environ.get("MAKEFLAGS", "").partition("-- ")[2])
        given = [word for word in given if word.partition("=")[0] not in OURS_ONLY]
        jobs = f"-j{len(os.sched_getaffinity(0))}"
        command = ["make", "-C", str(self.top), jobs, *given, "BUILD=build", "bench-programs"]
        log = self.own_build / "bench" / "base.log"
        print(f"run: building {self.commit}", file=sys.stderr)
        if run_logged(command, log, env=environment) != 0:
            raise Failure(f"base {self.commit}: cannot build it: {tail(log)}")

    def has(self, name):
        return (self.top / "tools/bench" / (name + ".py")).exists()

    def measure(self, name, pairs):
        """Run a measurement in both trees in turn. Returns the merged rows."""
        ours, theirs = [], []
        for i in range(pairs if self.has(name) else 1):
            sides = [(self.own_top, self.own_build, ours, "this tree")]
            if self.has(name):
                sides.append((self.top, self.build, theirs, self.commit))
            # in the order A B B A, so that neither is always the second
            for top, build, rows, what in sides if i % 2 == 0 else reversed(sides):
                print(f"run: {name}: pair {i + 1} of {pairs}: {what}", file=sys.stderr)
                rows.append(self.run(name, top, build))
        return merge(ours, theirs)

    def run(self, name, top, build):
        """The rows of one run of a measurement by its own tree's programs."""
        log = self.own_build / "bench" / "base.log"
        result = build / "bench" / (name + ".json")
        result.unlink(missing_ok=True)
        command = [str(top / "tools/bench/run"), name]
        if run_logged(command, log, env=os.environ | {"BUILD": str(build)}) != 0:
            raise Failure(f"{name}: failed in {top}: {tail(log)}")
        data = json.loads(result.read_text())
        # a list of rows until there was more to say
        return name_fully(data if isinstance(data, list) else data["rows"])
