"""clang-tidy over the tree, several sources in one run: nearly all of its time goes into the system headers, which are then
read and searched once for all of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from step import TOP, Outcome, run_program

BUILD = TOP / "build"
OWN = BUILD / "tidy"
# g++'s precompiled header means nothing to clang, and says less than the includes that it stands for.
PRECOMPILED = re.compile(r" -Winvalid-pch| -fpch-preprocess| -include \S+/cmake_pch\.hxx")
# Options of g++ in the compile commands that clang-tidy's clang 14 does not know.
ARGUMENTS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-error"]
# Of a group the sources are "headers" of one generated file, which is all that includes them.
OF_A_GROUP = [r"--header-filter=(/src/[a-z]+/[a-z0-9_]+\.h|\.cc)$", "--checks=-bugprone-suspicious-include"]
GROUP_MAX = 12
RUN_S = 600
FINDING = re.compile(r"^(/[^:\n]+:\d+:\d+: (?:error|warning): .*)$", re.MULTILINE)
# What stands at the start of a line of this tree declares something at the level of namespaces.
DECLARED = re.compile(r"^(?!template|namespace|using namespace|extern|static_assert|return|public|private|[#}/])"
                      r"[A-Za-z_][^(={;\n]*?(\w+)\s*(?:\(|=|\{|;|$)", re.MULTILINE)


def compiled() -> dict[Path, dict]:
    """Sources and their compile commands. Headers are judged through the sources that include them; tests are compiled with
    every warning on, which is enough."""
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    for entry in entries:
        entry["command"] = PRECOMPILED.sub("", entry["command"])
    OWN.mkdir(exist_ok=True)
    (OWN / "compile_commands.json").write_text(json.dumps(entries))
    return {path: entry for entry in entries if not (path := Path(entry["file"])).stem.endswith("_test")}


def own_names(path: Path) -> set[str]:
    """Names that a source declares for itself alone, and a few more: those that must not meet another's in one run."""
    text = path.read_text()
    begin = text.find("namespace {")
    return set(DECLARED.findall(text[begin:text.rfind("}  // namespace\n")])) if begin >= 0 else set()


def groups(paths: list[Path]) -> list[list[Path]]:
    """Sources of one folder that share no name, the first that fits."""
    made: list[tuple[list[Path], set[str]]] = []
    for path in sorted(paths):
        names = own_names(path)
        for members, taken in made:
            if members[0].parent == path.parent and len(members) < GROUP_MAX and not names & taken:
                members.append(path)
                taken |= names
                break
        else:
            made.append(([path], names))
    return [members for members, _ in made]


def run_tidy(folder: Path, source: Path, log: Path, *more: str) -> list[str]:
    """What it found, or that it could not look: nothing = all is well. `folder` has the compile command of `source`."""
    status, output = run_program(["clang-tidy", "-p", str(folder), *ARGUMENTS, *more, str(source)], log, RUN_S)
    found = sorted({finding.replace(f"{TOP}/", "") for finding in FINDING.findall(output)})
    return found or ([f"{source.name}: clang-tidy ended with {status}"] if status else [])


def judge_one(path: Path, log: Path) -> Outcome:
    found = run_tidy(OWN, path, log)
    return Outcome(failed=1, notes=found[:10]) if found else Outcome(passed=1)


def write_group(number: int, members: list[Path], entry: dict) -> Path:
    """A source that includes them, in a folder with the compile command of the first."""
    folder = OWN / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    together = folder / "together.cc"
    together.write_text("".join(f'#include "{member}"\n' for member in members))
    command = {**entry, "file": str(together), "command": entry["command"].replace(str(members[0]), str(together))}
    (folder / "compile_commands.json").write_text(json.dumps([command]))
    return together


def judge_group(number: int, members: list[Path], commands: dict[Path, dict], log: Path) -> Outcome:
    own_log = log.with_name(f"{log.stem}-{number}.log")
    own_log.unlink(missing_ok=True)
    if len(members) > 1:
        together = write_group(number, members, commands[members[0]])
        if not run_tidy(together.parent, together, own_log, *OF_A_GROUP):
            return Outcome(passed=len(members))
        # They don't compile together, or something was found: whose it is is said of each by itself.
    total = Outcome()
    for member in members:
        total.add(judge_one(member, own_log))
    return total


def tidy(log: Path) -> Outcome:
    commands = compiled()
    total = Outcome()
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        made = groups(list(commands))
        for outcome in pool.map(lambda each: judge_group(*each, commands, log), enumerate(made)):
            total.add(outcome)
    with log.open("a", encoding="utf-8") as out:
        out.writelines(f"{note}\n" for note in total.notes)
    return total
