#!/usr/bin/env python3
"""Checks the documents against the tree: every relative link and anchor leads somewhere, every path that is
named in backquotes exists, README fits a screen, and each option of `pawl` that is shown is one that it has.

Closes with `N passed, N failed`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PAWL = TOP / "build" / "pawl"
SCREEN_LINES = 55
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A path of the tree in backquotes, or in a code block as the command that is run.
NAMED_PATH = re.compile(r"`((?:src|tests|docs|bench|setup|examples|cmake|\.ci)/[\w./-]*|\./(?:run|test))(?:[ `])")
# `pawl verify --deep`, `build/pawl status --json`: the subcommand, and the rest of the command.
COMMAND = re.compile(r"(?:^|[`\s(])(?:build/)?pawl ([a-z]+)((?: +[^`#\n|;)]*)?)", re.MULTILINE)
OPTION = re.compile(r"--[a-z][a-z-]*")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    names = ["README.md", "README.ja.md", "CONTRIBUTING.md"]
    return [TOP / name for name in names] + sorted((TOP / "docs").rglob("*.md")) + sorted((TOP / "examples").rglob("*.md"))


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.*)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(path: Path, text: str) -> list[str]:
    found = []
    for link in LINK.findall(FENCE.sub("", text)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            found.append(f"link to {link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            found.append(f"link to {link}: no such heading")
    return found


def missing_paths(text: str) -> list[str]:
    return [f"names {name}, which does not exist" for name in sorted(set(NAMED_PATH.findall(text)))
            if not (TOP / name).exists()]


class Program:
    """What the built program says of its subcommands and their options."""

    def __init__(self) -> None:
        self.help_: dict[str, str] = {"": self.run()}
        listing = re.split(r"^(?:Subcommands|Commands):?.*$", self.help_[""], flags=re.MULTILINE | re.IGNORECASE)[-1]
        self.subcommands = set(re.findall(r"^ +([a-z]+) ", listing, re.MULTILINE))

    def run(self, *arguments: str) -> str:
        done = subprocess.run([str(PAWL), *arguments, "--help"], capture_output=True, text=True, timeout=20)
        return done.stdout + done.stderr

    def options(self, subcommand: str) -> set[str]:
        """Of a subcommand, and of its own subcommands together."""
        if subcommand not in self.help_:
            text = self.run(subcommand)
            listing = re.split(r"^Subcommands:$", text, maxsplit=1, flags=re.MULTILINE)
            for inner in re.findall(r"^ +([a-z]+) ", listing[1], re.MULTILINE) if len(listing) == 2 else []:
                text += self.run(subcommand, inner)
            self.help_[subcommand] = text
        return set(OPTION.findall(self.help_[subcommand]))


def unknown_commands(text: str, program: Program) -> list[str]:
    found = []
    # `not yet` rows and sentences may name what is planned: docs/requirements.md marks them so.
    lines = [line for line in text.splitlines() if "not yet" not in line.lower()]
    for subcommand, rest in COMMAND.findall("\n".join(lines)):
        if subcommand not in program.subcommands:
            if OPTION.search(rest) or f"`pawl {subcommand}" in text:
                found.append(f"shows `pawl {subcommand}`, which the program does not know")
            continue
        for option in OPTION.findall(rest.partition(" -- ")[0]):  # what stands behind is another program's
            if option not in program.options(subcommand):
                found.append(f"shows `pawl {subcommand} {option}`, an option that it does not have")
    return sorted(set(found))


def main() -> int:
    if not PAWL.is_file():
        print("build/pawl is missing: run ./run or ./test once", file=sys.stderr)
        return 2
    program = Program()
    passed = failed = 0
    for path in documents():
        text = path.read_text(encoding="utf-8")
        problems = broken_links(path, text) + missing_paths(text) + unknown_commands(text, program)
        if path.name.startswith("README") and text.count("\n") > SCREEN_LINES:
            problems.append(f"has {text.count(chr(10))} lines; a screen has {SCREEN_LINES}")
        for problem in problems:
            print(f"{path.relative_to(TOP)}: {problem}")
        passed += not problems
        failed += len(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
