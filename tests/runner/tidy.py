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
SEEN_BY_SOURCES = re.compile(r" (-[DI]\S+|-isystem \S+)")
OF_A_GROUP = [r"--header-filter=(/src/[a-z]+/[a-z0-9_]+\.h|\.cc)$", "--checks=-bugprone-suspicious-include"]
RUN_S = 900
FINDING = re.compile(r"^((/[^:\n]+):\d+:\d+: (?:error|warning): .*)$", re.MULTILINE)
NAMESPACE_OR_MAIN = re.compile(r"^(namespace [a-z_:]+ \{|int main\()", re.MULTILINE)
# At most so many sources in one run: more would leave the second core without work at the end.
MEMBERS_MAX = 60


class Group(NamedTuple):
    source: Path  # what the compiler is given
    members: list[Path]  # what it includes of the tree, or itself
    parts: list[Group]  # the groups that it is made of, if it is


def compiled() -> tuple[list[Group], list[dict[str, str]]]:
    """What is compiled, but tests: these are compiled with every warning on, which is enough. Headers are judged through the
    sources that include them. With the compile commands of groups and of each member by itself."""
    entries = []
    groups: list[Group] = []
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if "_test" in source.stem or any(group.source == source for group in groups):
            continue
        entry["command"] = PRECOMPILED.sub("", entry["command"])
        members = [source]
        if source.parent == TOGETHER:
            members = [(TOGETHER / name).resolve() for name in INCLUDED.findall(source.read_text())]
        groups.append(Group(source, members, []))
        entries += [{**entry, "file": str(file), "command": entry["command"].replace(str(source), str(file))}
                    for file in {source, *members}]
    return groups, entries


def namespaces(group: Group) -> set[str]:
    """Where its sources have names of their own, which another group could have, too."""
    return {name for member in group.members for name in NAMESPACE_OR_MAIN.findall(member.read_text())}


def combined(groups: list[Group]) -> list[list[Group]]:
    """Groups that share no namespace can be compiled in one run."""
    runs: list[tuple[list[Group], set[str]]] = []
    for group in sorted(groups, key=lambda each: -len(each.members)):
        taken = namespaces(group)
        for run, names in runs:
            if not names & taken and sum(len(each.members) for each in run) + len(group.members) <= MEMBERS_MAX:
                run.append(group)
                names |= taken
                break
        else:
            runs.append(([group], taken))
    return [run for run, _ in runs]


def to_judge() -> list[Group]:
    """All that is compiled, in as few runs as can be, the largest first. Writes their sources and compile commands."""
    groups, entries = compiled()
    commands = {entry["file"]: entry for entry in entries}
    OWN.mkdir(exist_ok=True)
    runs = []
    for number, parts in enumerate(combined(groups)):
        members = [member for part in parts for member in part.members]
        source = OWN / f"run_{number}.cc"
        source.write_text("".join(f'#include "{os.path.relpath(member, OWN)}"\n' for member in members))
        # Definitions and paths of one folder's libraries mean nothing to another's.
        own = commands[str(parts[0].source)]
        options = {option for part in parts for option in SEEN_BY_SOURCES.findall(commands[str(part.source)]["command"])}
        command = " ".join([own["command"].replace(str(parts[0].source), str(source)), *sorted(options)])
        entries.append({**own, "file": str(source), "command": command})
        runs.append(Group(source, members, parts))
    (OWN / "compile_commands.json").write_text(json.dumps(entries))
    return sorted(runs, key=lambda run: -len(run.members))


def run_tidy(group: Group, log: Path) -> dict[str, str]:
    """What it found, and in which file; or that it could not look. Nothing: all is well."""
    more = [] if group.members == [group.source] else OF_A_GROUP
    status, output = run_program(["clang-tidy", "-p", str(OWN), *ARGUMENTS, *more, str(group.source)], log, RUN_S)
    found = {finding.replace(f"{TOP}/", ""): file for finding, file in FINDING.findall(output)}
    return found or ({f"{group.source.name}: clang-tidy ended with {status}": ""} if status else {})


def judge(group: Group, log: Path) -> Outcome:
    found = run_tidy(group, log)
    if not found:
        return Outcome(passed=len(group.members))
    if group.members == [group.source]:
        return Outcome(failed=1, notes=sorted(found)[:10])
    # Whose it is is said of each by itself: of those that it names, if it names sources only.
    named = {Path(file).resolve() for file in found.values()}
    if named <= set(group.members):
        narrower = [Group(member, [member], []) for member in sorted(named)]
    else:
        narrower = group.parts or [Group(member, [member], []) for member in group.members]
    total = Outcome(passed=len(group.members) - sum(len(each.members) for each in narrower))
    for each in narrower:
        total.add(judge(each, log))
    return total


def judge_run(number: int, run: Group, log: Path) -> Outcome:
    own_log = log.with_name(f"{log.stem}-{number}.log")
    own_log.unlink(missing_ok=True)
    return judge(run, own_log)


def tidy(log: Path) -> Outcome:
    total = Outcome()
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for outcome in pool.map(lambda each: judge_run(*each, log), enumerate(to_judge())):
            total.add(outcome)
    with log.open("a", encoding="utf-8") as out:
        out.writelines(f"{note}\n" for note in total.notes)
    return total
