"""Attribute values and keys for generated operations, valid and invalid.

Attribute names carry a *usual* type (see ATTRIBUTES), so that most expressions meet the type they
need and some meet the wrong one. Long strings are written as a mark that is expanded just before
sending (see expand_marks), so that a replay script stays readable.
"""

import base64
import re

# name -> usual type. 'status', 'name' and 'count' are reserved words in expressions.
ATTRIBUTES = {
    "s": "S", "t": "S", "n": "N", "n2": "N", "b": "B", "o": "BOOL", "z": "NULL",
    "l": "L", "l2": "L", "m": "M", "m2": "M", "ss": "SS", "ns": "NS", "bs": "BS",
    "status": "S", "name": "S", "count": "N", "with space": "S", "a.b": "N", "Ünï": "S",
}
PLAIN_NAMES = [name for name in ATTRIBUTES if re.fullmatch(r"[a-z][a-z0-9]*", name)
               and name not in ("status", "name", "count")]
RESERVED = ["status", "name", "count", "size", "value", "list", "Key", "SET", "timestamp", "data"]
MAP_FIELDS = ["x", "y", "l", "m", "n"]

WORDS = ["", "a", "ab", "abc", "b", "ba", "foo", "foobar", "bar", "Foo", "zz", "0", "10", "9",
         "é", "日本", "日本語", "😀", "x y", "a/b", "\u0000", "tab\t", 'quote"', "back\\slash", "\uffff"]

NUMBERS = ["0", "1", "2", "3", "5", "7", "10", "-1", "-5", "100", "1.5", "0.1", "-0.25", "3.14159",
           "12345678901234567890", "1e3", "1E-3"]
ODD_NUMBERS = [
    "-0", "0.0", "00", "007", "1.0", "1.50", "1e0", "1E+2", "+5", ".5", "5.", "-.5", "1e-2", "0e10", "0E-200",
    "99999999999999999999999999999999999999", "-99999999999999999999999999999999999999",
    "0.99999999999999999999999999999999999999", "1234567890.1234567890123456789012345678",
    "9.9999999999999999999999999999999999999E+125", "-9.9999999999999999999999999999999999999E+125",
    "1E-130", "-1E-130", "1E125", "1E+125", "100E123", "0.00001E-125", "123E-132",
    "10000000000000000000000000000000000000000", "1E-37", "1E37", "1E38", "1e39", "12345e-20",
]
BAD_NUMBERS = [
    "999999999999999999999999999999999999999", "1.00000000000000000000000000000000000000001",
    "1E126", "-1E126", "1E-131", "9.99999999999999999999999999999999999999E+125", "0x10", "NaN",
    "Infinity", "-Infinity", "", " ", "1 ", " 1", "1_000", "1,000", "abc", "--1", "1e", "e5", "1e+",
    "1.2.3", "1d", "1f", "1E9999999999",
]

_MARK = re.compile(r"⟦(.)\*(\d+)⟧")


def repeat_mark(character, count):
    """A stand-in, inside any JSON string, for `count` times an unescaped character."""
    return f"⟦{character}*{count}⟧"


def expand_marks(text):
    if "⟦" not in text:
        return text
    return _MARK.sub(lambda match: match.group(1) * int(match.group(2)), text)


class Values:
    """Draws attribute values from a seeded random source."""

    def __init__(self, rng):
        self.rng = rng

    def string(self):
        rng = self.rng
        if rng.random() < 0.01:
            return repeat_mark(rng.choice("xyz"), rng.choice([255, 1024, 1025, 2048, 2049, 4096]))
        return rng.choice(WORDS)

    def number(self):
        roll = self.rng.random()
        if roll < 0.72:
            return self.rng.choice(NUMBERS)
        if roll < 0.86:
            return str(self.rng.randint(-50, 50))
        if roll < 0.985:
            return self.rng.choice(ODD_NUMBERS)
        return self.rng.choice(BAD_NUMBERS)

    def binary(self):
        rng = self.rng
        if rng.random() < 0.0002:
            return rng.choice(["a", "!!!!", "YQ", "YQ=", "YR==", "YWI", "Y Q=="])
        raw = rng.choice([b"", b"a", b"b", b"ab", b"\x00", b"\xff\xfe", b"abc", b"foo", b"\x80" * 5])
        return base64.b64encode(raw).decode()

    def set_of(self, draw):
        rng = self.rng
        if rng.random() < 0.01:
            return []
        members = []
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
            member = draw()
            if member not in members or rng.random() < 0.03:
                members.append(member)
        return members

    def value(self, type_hint=None, depth=0):
        """A DynamoDB JSON value, of the hinted type if there is a hint; rarely malformed."""
        rng = self.rng
        if rng.random() < 0.0003:
            return self.malformed()
        kinds = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"] + (["L", "M"] if depth < 3 else [])
        kind = type_hint or rng.choice(kinds)
        if kind == "S":
            return {"S": self.string()}
        if kind == "N":
            return {"N": self.number()}
        if kind == "B":
            return {"B": self.binary()}
        if kind == "BOOL":
            return {"BOOL": rng.random() < 0.5}
        if kind == "NULL":
            return {"NULL": True if rng.random() < 0.97 else False}
        if kind == "SS":
            return {"SS": self.set_of(self.string)}
        if kind == "NS":
            return {"NS": self.set_of(self.number)}
        if kind == "BS":
            return {"BS": self.set_of(self.binary)}
        if kind == "L":
            return {"L": [self.value(None, depth + 1) for _ in range(rng.choice([0, 1, 1, 2, 3]))]}
        fields = rng.sample(MAP_FIELDS, rng.choice([0, 1, 2, 2, 3]))
        hints = {"x": "N", "y": "S", "l": "L", "m": "M", "n": "N"}
        return {"M": {field: self.value(hints[field] if depth < 2 and rng.random() < 0.8 else None, depth + 1)
                      for field in fields}}

    def malformed(self):
        rng = self.rng
        return rng.choice([
            {}, {"S": "a", "N": "1"}, {"X": "a"}, {"S": 1}, {"N": 1}, {"BOOL": "true"}, {"BOOL": 1},
            {"NULL": "true"}, {"NULL": None}, {"S": None}, {"L": {}}, {"M": []}, {"L": ["a"]}, {"M": {"k": "v"}},
            {"SS": "a"}, {"SS": [1]}, {"NS": [1]}, {"SS": []}, {"NS": ["1", "1.0"]}, {"BS": ["YQ==", "YQ=="]},
            {"SS": ["a", "a"]}, {"SS": [None]}, {"NS": ["x"]}, {"N": "١٢"}, "a", 1, None, [], {"B": 1}, {"B": {}},
            self.nested("L", rng.choice([30, 31, 32, 33, 40])), self.nested("M", rng.choice([30, 31, 32, 33, 40])),
        ])

    @staticmethod
    def nested(kind, levels):
        """`levels` lists or maps inside each other: the service allows 32."""
        value = {"N": "1"}
        for _ in range(levels):
            value = {"L": [value]} if kind == "L" else {"M": {"k": value}}
        return value

    def attributes(self):
        """Non-key attributes of an item."""
        rng = self.rng
        chosen = rng.sample(list(ATTRIBUTES), rng.choice([0, 2, 4, 6, 9, 12]))
        if rng.random() < 0.6:
            chosen = sorted(set(chosen) | {"m", "l", "n"})
        return {name: self.value(ATTRIBUTES[name] if rng.random() < 0.88 else None) for name in chosen}


class KeySpace:
    """A table's key schema and the few keys that its operations meet on again and again."""

    HASH_POOL = {
        "S": ["A", "B", "C", "Ab", "é", "k/1"],
        "N": ["1", "2", "10", "-3", "1.5", "1e2"],
        "B": ["YQ==", "Yg==", "AA==", "/w==", "YWI=", "//4="],
    }
    RANGE_POOL = {
        "S": ["", "a", "ab", "abc", "b", "日本", "1", "10", "9"],
        "N": ["-10", "-1", "0", "1", "2", "10", "1.5", "1e3", "0.001"],
        "B": ["YQ==", "YWI=", "Yg==", "AA==", "/w==", "gA==", "YWJj"],
    }

    def __init__(self, name, hash_type, range_type):
        self.name, self.hash_type, self.range_type = name, hash_type, range_type
        self.hash_name, self.range_name = "h", "r"

    def key_names(self):
        return [self.hash_name] + ([self.range_name] if self.range_type else [])

    def create(self, stream):
        definitions = [{"AttributeName": self.hash_name, "AttributeType": self.hash_type}]
        schema = [{"AttributeName": self.hash_name, "KeyType": "HASH"}]
        if self.range_type:
            definitions.append({"AttributeName": self.range_name, "AttributeType": self.range_type})
            schema.append({"AttributeName": self.range_name, "KeyType": "RANGE"})
        body = {"TableName": self.name, "AttributeDefinitions": definitions, "KeySchema": schema,
                "BillingMode": "PAY_PER_REQUEST"}
        if stream:
            body["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream}
        return body

    def hash_value(self, rng):
        pool = self.HASH_POOL[self.hash_type]
        if self.range_type:  # most items share one partition key, so that queries have something to page
            return {self.hash_type: rng.choices(pool, [12, 4] + [1] * (len(pool) - 2))[0]}
        return {self.hash_type: rng.choice(pool)}

    def range_value(self, rng):
        pool = [v for v in self.RANGE_POOL[self.range_type] if v != ""] if rng.random() < 0.97 \
            else self.RANGE_POOL[self.range_type]
        return {self.range_type: rng.choice(pool)}

    def key(self, rng):
        key = {self.hash_name: self.hash_value(rng)}
        if self.range_type:
            key[self.range_name] = self.range_value(rng)
        return key

    def bad_key(self, rng, values):
        """A key that should be refused: missing, extra, wrong type, empty, too long, malformed."""
        key = self.key(rng)
        name = rng.choice(self.key_names())
        # The malformed ones are few: DynamoDB Local answers many of them with 500, which compares nothing.
        roll = rng.choices(range(8), [25, 25, 25, 25, 25, 1, 25, 1])[0]
        if roll == 0:
            del key[name]
        elif roll == 1:
            key["extra"] = {"S": "x"}
        elif roll == 2:
            key[name] = values.value(rng.choice(["S", "N", "B", "BOOL", "L", "SS"]))
        elif roll == 3:
            key[name] = {"S": ""} if rng.random() < 0.5 else {"B": ""}
        elif roll == 4:
            limit = 2048 if name == self.hash_name else 1024
            key[name] = {"S": repeat_mark("k", limit + rng.choice([0, 1]))}
        elif roll == 5:
            key[name] = values.malformed()
        elif roll == 6:
            key[name] = {"N": rng.choice(BAD_NUMBERS)}
        else:
            key = rng.choice([{}, None, [], "h", {name: None}])
        return key
