"""Generated expressions of every kind, with their placeholder maps.

Each draw is mostly well formed and mostly well typed; Spoiler then damages some on purpose.
"""

import re
from base64 import b64decode

from values import ATTRIBUTES, MAP_FIELDS, PLAIN_NAMES, RESERVED

COMPARATORS = ["=", "<>", "<", "<=", ">", ">="]
TYPES = ["S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL"]


class Expressions:
    """The expressions of ONE request: they share its #names and :values."""

    def __init__(self, rng, values, keys):
        self.rng, self.values, self.keys = rng, values, keys
        self.names, self.bound = {}, {}
        self.written = set()  # attributes that the update expression already writes

    # -- placeholders ------------------------------------------------------------------------
    def name(self, attribute):
        rng = self.rng
        plain = attribute in PLAIN_NAMES or attribute in MAP_FIELDS or attribute in self.keys.key_names()
        if plain and rng.random() < 0.7:
            return attribute
        if not plain and rng.random() < 0.02:
            return attribute  # a reserved word, or a character that the syntax does not have
        for placeholder, target in self.names.items():
            if target == attribute and rng.random() < 0.9:
                return placeholder
        placeholder = "#" + rng.choice(["n", "N_", "0", "a.b"[:1]]) + str(len(self.names))
        self.names[placeholder] = attribute
        return placeholder

    def bind(self, value):
        rng = self.rng
        for placeholder, bound in self.bound.items():
            if bound == value and rng.random() < 0.5:
                return placeholder
        placeholder = ":" + rng.choice(["v", "V_", "0"]) + str(len(self.bound))
        self.bound[placeholder] = value
        return placeholder

    def literal(self, kind=None):
        if kind is None:
            kind = self.rng.choice(TYPES)
        return self.bind(self.values.value(kind))

    # -- paths -------------------------------------------------------------------------------
    def path(self, kind=None, deep_chance=0.25):
        """(text, usual type): a document path, of the wanted type where the schema has one."""
        rng = self.rng
        if rng.random() < 0.02:
            name = rng.choice(self.keys.key_names())
            return self.name(name), self.keys.hash_type if name == self.keys.hash_name else self.keys.range_type
        candidates = [n for n, usual in ATTRIBUTES.items() if kind is None or usual == kind]
        if rng.random() < 0.1:
            candidates = list(ATTRIBUTES) + ["absent"]
        weights = [4 if n in PLAIN_NAMES else 1 for n in candidates]
        attribute = rng.choices(candidates, weights)[0]
        deep = {"N": ("m", "x"), "S": ("m", "y"), "L": ("m", "l"), "M": ("m", "m")}
        if rng.random() < deep_chance:
            return self.deep_path(kind)
        if kind in deep and rng.random() < 0.15:
            parent, field = deep[kind]
            return self.name(parent) + "." + self.name(field), kind
        return self.name(attribute), ATTRIBUTES.get(attribute, "S")

    def deep_path(self, kind=None):
        rng = self.rng
        text = self.name(rng.choice(["m", "m2", "l", "l2", "l", "m"]))
        for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
            if rng.random() < 0.5:
                text += f"[{rng.choice([0, 0, 0, 1, 1, 2, 5])}]"
            else:
                text += "." + self.name(rng.choice(MAP_FIELDS))
        return text, kind or rng.choice(TYPES)

    # -- conditions --------------------------------------------------------------------------
    def operand(self, kind):
        roll = self.rng.random()
        if roll < 0.60:
            return self.path(kind)[0]
        if roll < 0.68 and kind == "N":
            return f"size({self.path(self.rng.choice(['S', 'L', 'M', 'SS', 'B', 'NS', None]))[0]})"
        return self.literal(kind if self.rng.random() < 0.92 else None)

    def other_operand(self, kind, first):
        """Mostly not the same as the first operand, which is refused."""
        operand = self.operand(kind)
        return self.literal(kind) if operand == first and self.rng.random() < 0.9 else operand

    def predicate(self):
        rng = self.rng
        roll = rng.random()
        kind = rng.choice(["S", "S", "N", "N", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"])
        if roll < 0.34:
            if kind in ("S", "N", "B") or rng.random() < 0.15:
                comparator = rng.choice(COMPARATORS)
            else:
                comparator = rng.choice(["=", "<>"])
            left = self.path(kind)[0] if rng.random() < 0.85 else self.operand(kind)
            right = self.other_operand(kind, left)
            return f"{left}{rng.choice([' ', ' ', ''])}{comparator} {right}"
        if roll < 0.42:
            first = self.path(kind)[0]
            low, high = self.other_operand(kind, first), self.other_operand(kind, first)
            return f"{first} {self.keyword('BETWEEN')} {low} {self.keyword('AND')} {high}"
        if roll < 0.50:
            first = self.path(kind)[0]
            members = ", ".join(self.other_operand(kind, first) for _ in range(rng.choice([1, 2, 3, 3, 5])))
            return f"{first} {self.keyword('IN')} ({members})"
        if roll < 0.62:
            return f"attribute_exists({self.path()[0]})"
        if roll < 0.74:
            return f"attribute_not_exists({self.path()[0]})"
        if roll < 0.80:
            wanted = self.bind({"S": rng.choice(TYPES + ["X", "s"])}) if rng.random() < 0.93 else self.literal()
            return f"attribute_type({self.path()[0]}, {wanted})"
        if roll < 0.88:
            kind = rng.choice(["S", "S", "S", "B", "N"])
            return f"begins_with({self.path(kind)[0]}, {self.operand(kind)})"
        if roll < 0.96:
            container = rng.choice(["S", "SS", "NS", "BS", "L"])
            member = {"S": "S", "SS": "S", "NS": "N", "BS": "B", "L": None}[container]
            needle = self.literal(member) if rng.random() < 0.85 else self.path(member)[0]
            return f"contains({self.path(container)[0]}, {needle})"
        return f"size({self.path(rng.choice(['S', 'L', 'M', 'SS', 'B']))[0]}) {rng.choice(COMPARATORS)} {self.literal('N')}"

    def condition(self, depth=0):
        rng = self.rng
        roll = rng.random()
        if depth >= 3 or roll < 0.55:
            return self.predicate()
        if roll < 0.70:
            return f"{self.condition(depth + 1)} {self.keyword('AND')} {self.condition(depth + 1)}"
        if roll < 0.84:
            return f"{self.condition(depth + 1)} {self.keyword('OR')} {self.condition(depth + 1)}"
        if roll < 0.93:
            return f"{self.keyword('NOT')} {self.condition(depth + 1)}"
        return f"({self.condition(depth + 1)})"

    def keyword(self, word):
        roll = self.rng.random()
        return word if roll < 0.85 else word.lower() if roll < 0.95 else word.capitalize()

    # -- updates -----------------------------------------------------------------------------
    def update(self):
        rng = self.rng
        draws = {"SET": self.set_clause, "REMOVE": self.remove_clause, "ADD": self.add_clause,
                 "DELETE": self.delete_clause}
        count = rng.choices([1, 2, 3, 4], [70, 22, 6, 2])[0]
        clauses = rng.sample(list(draws), count, counts=[1, 1, 1, 1]) if count > 1 else \
            rng.choices(list(draws), [55, 15, 18, 12])
        parts = []
        for clause in clauses:
            actions = [draws[clause]() for _ in range(rng.choices([1, 2, 3, 4], [60, 25, 10, 5])[0])]
            parts.append(f"{self.keyword(clause)} " + ", ".join(actions))
        return rng.choice([" ", " ", "  ", "\n"]).join(parts)

    def plain_update(self):
        """An update that can't fail for what the item holds."""
        rng = self.rng
        names = rng.sample(list(ATTRIBUTES), rng.choice([1, 2, 3]))
        sets, removes = [], []
        for name in names:
            if rng.random() < 0.3:
                removes.append(self.name(name))
            elif ATTRIBUTES[name] == "L" and rng.random() < 0.5:
                sets.append(f"{self.name(name)} = list_append({self.literal('L')}, {self.literal('L')})")
            else:
                sets.append(f"{self.name(name)} = {self.literal(ATTRIBUTES[name])}")
        clauses = ([f"{self.keyword('SET')} " + ", ".join(sets)] if sets else []) + \
            ([f"{self.keyword('REMOVE')} " + ", ".join(removes)] if removes else [])
        return " ".join(clauses)

    def target(self, kind=None):
        """A path to write to: rarely a key, mostly not."""
        if self.rng.random() < 0.01:
            return self.name(self.rng.choice(self.keys.key_names()))
        for _ in range(6):
            spare = dict(self.names)
            text = self.path(kind, deep_chance=0.12)[0]
            first = re.split(r"[.\[]", text)[0]
            first = self.names.get(first, first)
            if first not in self.written or self.rng.random() < 0.05:
                break
            self.names = spare  # overlapping paths are refused; some are wanted, most are not
        self.written.add(first)
        return text

    def set_clause(self):
        rng = self.rng
        kind = rng.choice(["N", "N", "N", "L", "L", "S", "M", "SS", "BOOL", "B", "NULL"])
        target = self.target(kind)
        roll = rng.random()
        if roll < 0.40:
            right = self.literal(kind)
        elif roll < 0.50:
            right = self.path(kind)[0]
        elif roll < 0.64:
            right = self.if_not_exists(kind, target)
        elif roll < 0.78:
            right = self.list_append(target)
        else:
            right = self.arithmetic(target)
        return f"{target} = {right}" if rng.random() < 0.9 else f"{target}={right}"

    def if_not_exists(self, kind, target):
        path = target if self.rng.random() < 0.6 else self.path(kind)[0]
        fallback = self.literal(kind) if self.rng.random() < 0.85 else self.path(kind)[0]
        return f"if_not_exists({path}, {fallback})"

    def list_append(self, target):
        def side():
            roll = self.rng.random()
            if roll < 0.45:
                return self.literal("L")
            if roll < 0.65:
                return self.if_not_exists("L", target)
            return self.path("L")[0]
        return f"list_append({side()}, {side()})"

    def arithmetic(self, target):
        def side():
            roll = self.rng.random()
            if roll < 0.45:
                return self.literal("N")
            if roll < 0.65:
                return self.if_not_exists("N", target)
            return self.path("N")[0]
        sign = self.rng.choice(["+", "-"])
        return f"{side()}{self.rng.choice([' ', ''])}{sign}{self.rng.choice([' ', ''])}{side()}"

    def remove_clause(self):
        return self.target()

    def add_clause(self):
        kind = self.rng.choice(["N", "N", "N", "SS", "NS", "BS"])
        value_kind = kind if self.rng.random() < 0.92 else None
        return f"{self.target(kind)} {self.literal(value_kind)}"

    def delete_clause(self):
        kind = self.rng.choice(["SS", "NS", "BS"])
        return f"{self.target(kind)} {self.literal(kind if self.rng.random() < 0.92 else None)}"

    # -- projections and key conditions ------------------------------------------------------
    def projection(self):
        rng = self.rng
        paths = []
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
            text = self.name(rng.choice(self.keys.key_names())) if rng.random() < 0.2 else self.path()[0]
            if text not in paths or rng.random() < 0.03:
                paths.append(text)
        return ", ".join(paths)

    def key_condition(self):
        rng = self.rng
        keys = self.keys
        comparator = "=" if rng.random() < 0.97 else rng.choice(COMPARATORS)
        hash_part = f"{self.name(keys.hash_name)} {comparator} {self.bind(keys.hash_value(rng))}"
        if not keys.range_type or rng.random() < 0.3:
            if rng.random() < 0.96:
                return hash_part
            extra = self.name(rng.choice(["n", keys.hash_name]))
            return f"{hash_part} AND {extra} = {self.literal('N')}"
        range_part = self.range_condition()
        parts = [hash_part, range_part]
        if rng.random() < 0.15:
            parts.reverse()
        if rng.random() < 0.1:
            parts = [f"({part})" for part in parts]
        joined = f" {self.keyword('AND')} ".join(parts)
        if rng.random() < 0.05:
            joined = f"({joined})"
        if rng.random() < 0.015:
            joined = joined.replace("AND", "OR")
        return joined

    def range_condition(self):
        rng, keys = self.rng, self.keys
        roll = rng.random()
        name = self.name(keys.range_name)
        if rng.random() < 0.02:
            return f"contains({name}, {self.bind(keys.range_value(rng))})"
        if roll < 0.55:
            return f"{name} {rng.choice(['=', '<', '<=', '>', '>='])} {self.bind(keys.range_value(rng))}"
        if roll < 0.58:
            return f"{name} <> {self.bind(keys.range_value(rng))}"
        if roll < 0.80 or (keys.range_type == "N" and roll < 0.97):
            bounds = [keys.range_value(rng), keys.range_value(rng)]
            if rng.random() < 0.9:  # an upper bound below the lower one is refused
                bounds.sort(key=lambda v: float(v["N"]) if "N" in v else v["S"] if "S" in v else b64decode(v["B"]))
            return (f"{name} {self.keyword('BETWEEN')} {self.bind(bounds[0])} "
                    f"{self.keyword('AND')} {self.bind(bounds[1])}")
        return f"begins_with({name}, {self.bind(keys.range_value(rng))})"

    # -- into the request --------------------------------------------------------------------
    def attach(self, body):
        if self.names:
            body["ExpressionAttributeNames"] = self.names
        if self.bound:
            body["ExpressionAttributeValues"] = self.bound


TOKEN = re.compile(r"[#:]?[A-Za-z0-9_]+|[^\sA-Za-z0-9_]")
NOISE = ["(", ")", ",", ".", "[", "]", "[0]", "[-1]", "[a]", "=", "AND", "NOT", "SET", "REMOVE", "+", "-", ":", "#",
         ":nope", "#nope", "size(", "foo(s)", "$", "'a'", '"a"', "1", "@", "contains", "between", "s", "*", "<>"]


def damage(rng, expression):
    """One random edit of an expression's tokens: dropped, doubled, swapped, replaced or added."""
    tokens = TOKEN.findall(expression)
    if not tokens:
        return rng.choice(NOISE)
    at = rng.randrange(len(tokens))
    roll = rng.randrange(6)
    if roll == 0:
        del tokens[at]
    elif roll == 1:
        tokens.insert(at, tokens[at])
    elif roll == 2:
        other = rng.randrange(len(tokens))
        tokens[at], tokens[other] = tokens[other], tokens[at]
    elif roll == 3:
        tokens[at] = rng.choice(NOISE + RESERVED)
    elif roll == 4:
        tokens.insert(at, rng.choice(NOISE))
    else:
        return rng.choice(["", " ", expression[: len(expression) // 2], expression + " " + expression])
    return " ".join(tokens).replace(" . ", ".").replace(" [ ", "[").replace(" ]", "]").replace("[ ", "[")
