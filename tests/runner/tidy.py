"""clang-tidy over the tree, several sources in one run: nearly all of its time goes into the system headers, which are then
read and searched once for all of them."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from step import TOP, Outcome, run_program

BUILD = TOP / "build"
OWN = BUILD / "tidy"
# g++'s precompiled header means nothing to clang, and says less than the includes that it stands for.
PRECOMPILED = re.compile(r" -Winvalid-pch| -fpch-preprocess| -include \S+/cmake_pch\.hxx")
# Options of g++ in the compile commands that clang-tidy's clang 14 does not know.
ARGUMENTS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-error"]
# Of a group the sources are "headers" of one generated file (cmake/PawlTogether.cmake), which is all that includes them.
TOGETHER = BUILD / "together"
INCLUDED = re.compile(r'^#include "(.+)"$', re.MULTILINE)
OF_A_GROUP = [r"--header-filter=(/src/[a-z]+/[a-z0-9_]+\.h|\.cc)$", "--checks=-bugprone-suspicious-include"]
RUN_S = 600
FINDING = re.compile(r"^(/[^:\n]+:\d+:\d+: (?:error|warning): .*)$", re.MULTILINE)


class Group(NamedTuple):
    source: Path  # what the compiler is given
    members: list[Path]  # what it includes of the tree, or itself


def compiled() -> list[Group]:
    """What is compiled, but tests: these are compiled with every warning on, which is enough. Headers are judged through the
    sources that include them. Writes the compile commands of groups and of each member by itself."""
    entries = []
    groups = []
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if "_test" in source.stem:
            continue
        entry["command"] = PRECOMPILED.sub("", entry["command"])
        entries.append(entry)
        members = [source]
        if source.parent == TOGETHER:
            members = [(TOGETHER / name).resolve() for name in INCLUDED.findall(source.read_text())]
            entries += [{**entry, "file": str(member), "command": entry["command"].replace(str(source), str(member))}
                        for member in members]
        groups.append(Group(source, members))
    OWN.mkdir(exist_ok=True)
    (OWN / "compile_commands.json").write_text(json.dumps(entries))
    return groups


def run_tidy(source: Path, log: Path, *more: str) -> list[str]:
    """What it found, or that it could not look: nothing = all is well."""
    status, output = run_program(["clang-tidy", "-p", str(OWN), *ARGUMENTS, *more, str(source)], log, RUN_S)
    found = sorted({finding.replace(f"{TOP}/", "") for finding in FINDING.findall(output)})
    return found or ([f"{source.name}: clang-tidy ended with {status}"] if status else [])


def judge_group(number: int, group: Group, log: Path) -> Outcome:
    own_log = log.with_name(f"{log.stem}-{number}.log")
    own_log.unlink(missing_ok=True)
    more = [] if group.members == [group.source] else OF_A_GROUP
    if not run_tidy(group.source, own_log, *more):
        return Outcome(passed=len(group.members))
    # Something was found, or could not be looked at: whose it is is said of each by itself.
    total = Outcome()
    for member in group.members:
        found = run_tidy(member, own_log)
        total.add(Outcome(failed=1, notes=found[:10]) if found else Outcome(passed=1))
    return total


def tidy(log: Path) -> Outcome:
    total = Outcome()
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for outcome in pool.map(lambda each: judge_group(*each, log), enumerate(compiled())):
            total.add(outcome)
    with log.open("a", encoding="utf-8") as out:
        out.writelines(f"{note}\n" for note in total.notes)
    return total
