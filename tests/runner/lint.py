"""Formatting, shell scripts and clang-tidy."""

from __future__ import annotations

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from step import TOP, Outcome, Step, run_program

# Options of g++ in the compile commands that clang-tidy's clang 14 does not know.
TIDY_ARGUMENTS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-error"]
TIDY_FILE_S = 240
TIDY_FINDING = re.compile(r"^(/[^:\n]+:\d+:\d+: (?:error|warning): .*)$", re.MULTILINE)


def tracked(*patterns: str) -> list[Path]:
    """Files of the tree that git knows or would add: what is built or generated is not ours to judge."""
    output = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns], cwd=TOP, check=True,
                            capture_output=True, text=True).stdout
    return [path for line in output.splitlines() if (path := TOP / line).is_file()]


def formatting(log: Path) -> Outcome:
    outcome = Outcome()
    for path in tracked("src/*.cc", "src/*.h"):
        status, _ = run_program(["clang-format", "--dry-run", "--Werror", str(path)], log, 60)
        if status == 0:
            outcome.passed += 1
        else:
            outcome.failed += 1
            outcome.notes.append(f"{path.relative_to(TOP)}: run clang-format -i on it")
    return outcome


def tidy_one(path: Path, build_dir: Path, log: Path) -> Outcome:
    own_log = log.with_name(f"{log.stem}-{path.parent.name}-{path.stem}.log")
    own_log.unlink(missing_ok=True)
    status, output = run_program(["clang-tidy", "-p", str(build_dir), *TIDY_ARGUMENTS, str(path)], own_log, TIDY_FILE_S)
    findings = sorted(set(TIDY_FINDING.findall(output)))
    if status == 0 and not findings:
        return Outcome(passed=1)
    notes = [finding.replace(f"{TOP}/", "") for finding in findings[:10]] or [f"{path.name}: clang-tidy ended with {status}"]
    return Outcome(failed=1, notes=notes)


def tidy(log: Path) -> Outcome:
    build_dir = TOP / "build"
    commands = json.loads((build_dir / "compile_commands.json").read_text())
    # Headers are judged through the sources that include them; tests are compiled with every warning on, which is enough.
    paths = sorted({path for entry in commands if not (path := Path(entry["file"])).stem.endswith("_test")})
    total = Outcome()
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for outcome in pool.map(lambda path: tidy_one(path, build_dir, log), paths):
            total.add(outcome)
    with log.open("a", encoding="utf-8") as out:
        out.writelines(f"{note}\n" for note in total.notes)
    return total


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
