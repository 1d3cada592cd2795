#!/usr/bin/env python3
"""Checks that src/ is layered as src/CMakeLists.txt declares: check.py [SOURCE_DIR LAYERS_FILE].

Reads build/layers.txt (one line a folder, `folder:direct,dependencies:test,dependencies`, written by CMake)
and every #include below src/. Prints each violation with file and line, then `N passed, N failed`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import rules

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


@dataclass(frozen=True)
class Folder:
    depends: tuple[str, ...]
    test_depends: tuple[str, ...]


def read_layers(text: str) -> dict[str, Folder]:
    layers: dict[str, Folder] = {}
    for line in text.split():
        name, depends, test_depends = line.split(":")
        layers[name] = Folder(tuple(filter(None, depends.split(","))), tuple(filter(None, test_depends.split(","))))
    return layers


def closure(layers: dict[str, Folder], names: tuple[str, ...]) -> set[str]:
    """All that `names` and what they depend on may be; unknown names stay in, and are reported elsewhere."""
    seen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(layers[name].depends if name in layers else ())
    return seen


def declaration_violations(layers: dict[str, Folder]) -> list[str]:
    found = []
    for name, folder in layers.items():
        for other in folder.depends + folder.test_depends:
            if other not in layers:
                found.append(f"{name}: depends on {other}, which is not a folder")
        if name in closure(layers, folder.depends):
            found.append(f"{name}: depends on itself through {', '.join(folder.depends)}")
    if rules.VERIFIER in layers:
        shared = closure(layers, layers[rules.VERIFIER].depends) - rules.VERIFIER_MAY_SEE
        if shared:
            found.append(f"{rules.VERIFIER}: the verifier shares {', '.join(sorted(shared))} with the writers")
    return found


def include_violations(where: str, folder: str, quoted: bool, header: str, is_test: bool,
                       allowed: set[str], source_dir: Path) -> list[str]:
    found = []
    if quoted:
        top = header.split("/", 1)[0]
        if not (source_dir / header).is_file():
            found.append(f"{where}: \"{header}\" is not a file below src/ (includes are rooted there)")
        elif top not in allowed:
            found.append(f"{where}: {folder} does not declare {top} (\"{header}\")")
        return found
    if (source_dir / header).is_file():
        found.append(f"{where}: write <{header}> with quotes")
    if is_test:
        return found
    file_in_source = where.split(":", 1)[0]
    for rule in rules.LIBRARY_RULES:
        if header.startswith(rule.prefixes) and folder not in rule.folders and file_in_source not in rule.files:
            found.append(f"{where}: {rule.name} is not seen in {folder} (<{header}>)")
    if (folder in rules.STAGES and header in rules.WORLD_HEADERS
            and file_in_source not in rules.WORLD_HEADERS_ALLOWED):
        found.append(f"{where}: a stage gets <{header}> through a port")
    return found


def file_violations(path: Path, source_dir: Path, layers: dict[str, Folder]) -> list[str]:
    relative = path.relative_to(source_dir)
    folder = relative.parts[0]
    if len(relative.parts) < 2 or folder not in layers:
        return [f"{relative}: not in a folder that src/CMakeLists.txt declares"]
    # A conformance suite is a header of tests, for every implementation of one interface to include.
    is_test = path.stem.endswith(("_test", "_fuzz")) or "conformance" in relative.parts
    allowed = {folder} | closure(layers, layers[folder].depends)
    if is_test:
        allowed |= closure(layers, layers[folder].test_depends)
    text = path.read_text(encoding="utf-8")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            found += include_violations(f"{relative}:{number}", folder, match[1] == '"', match[2], is_test,
                                        allowed, source_dir)
    code = NOISE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for rule in rules.TOKEN_RULES:
        if folder in rule.folders or is_test and folder not in rules.STAGES:
            continue
        for match in rule.pattern.finditer(code):
            line_number = code.count("\n", 0, match.start()) + 1
            found.append(f"{relative}:{line_number}: {match[0]} in {folder}: {rule.why}")
    return found


def check(source_dir: Path, layers_text: str) -> tuple[int, list[str]]:
    """The number of files and folders that hold to the rules, and what breaks them."""
    layers = read_layers(layers_text)
    violations = declaration_violations(layers)
    good = 0
    for path in sorted(p for p in source_dir.rglob("*") if p.suffix in (".h", ".cc")):
        found = file_violations(path, source_dir, layers)
        violations += found
        good += not found
    return good, violations


def main() -> int:
    top = Path(__file__).resolve().parents[2]
    source_dir = Path(sys.argv[1]) if len(sys.argv) > 1 else top / "src"
    layers_file = Path(sys.argv[2]) if len(sys.argv) > 2 else top / "build" / "layers.txt"
    if not layers_file.is_file():
        print(f"{layers_file} is missing: CMake writes it; run ./run or ./test once", file=sys.stderr)
        return 2
    good, violations = check(source_dir, layers_file.read_text())
    for violation in violations:
        print(violation)
    print(f"{good} passed, {len(violations)} failed")
    return 1 if violations or good == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
