"""Formatting, shell scripts and clang-tidy."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from step import TOP, Outcome, Step, run_program
from tidy import tidy

# Files of one call: each call costs as much as some of them.
FORMAT_AT_ONCE = 40


def tracked(*patterns: str) -> list[Path]:
    """Files of the tree that git knows or would add: what is built or generated is not ours to judge."""
    output = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns], cwd=TOP, check=True,
                            capture_output=True, text=True).stdout
    return [path for line in output.splitlines() if (path := TOP / line).is_file()]


def formatting(log: Path) -> Outcome:
    paths = tracked("src/*.cc", "src/*.h", "bench/*.cc", "tests/*.cc", "tests/*.h")
    parts = [paths[i:i + FORMAT_AT_ONCE] for i in range(0, len(paths), FORMAT_AT_ONCE)]

    def judge(part: tuple[int, list[Path]]) -> set[str]:
        number, files = part
        own_log = log.with_name(f"{log.stem}-{number}.log")
        own_log.unlink(missing_ok=True)
        status, output = run_program(["clang-format", "--dry-run", "--Werror", *map(str, files)], own_log, 300)
        bad = {str(Path(name).relative_to(TOP)) for name in re.findall(r"^(/[^:\n]+):\d+:\d+: error", output, re.MULTILINE)}
        return bad or ({f"clang-format ended with {status}; see {own_log.name}"} if status else set())

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        bad = sorted(set().union(*pool.map(judge, enumerate(parts))))
    return Outcome(passed=len(paths) - len(bad), failed=len(bad), notes=[f"{name}: run clang-format -i on it" for name in bad])


def shell_scripts(log: Path) -> Outcome:
    outcome = Outcome()
    for path in tracked("run", "test", ".ci/run", "setup/*.sh", "*.sh"):
        status, _ = run_program(["shellcheck", "-x", str(path)], log, 60)
        outcome.add(Outcome(passed=1) if status == 0 else Outcome(failed=1, notes=[f"shellcheck {path.relative_to(TOP)}"]))
    return outcome


def lint_steps(everything: bool) -> list[Step]:
    steps = [Step("formatting", formatting)]
    if everything:
        steps += [Step("shell scripts", shell_scripts), Step("clang-tidy", tidy)]
    return steps
