"""Where Pawl differs from DynamoDB Local on purpose, and why.

Each rule names what the real service documents; DynamoDB Local is an emulator and is wrong in
places. A difference that matches a rule is counted apart and never as agreement.
A rule must be narrow: it names the operation's feature AND both answers.
"""

import json


class Rule:
    """`matches(operation, left, right)` sees the operation and both answers as
    (status, error type, body, message); left is DynamoDB Local."""

    def __init__(self, name, why, source, matches):
        self.name, self.why, self.source, self.matches = name, why, source, matches


def text_of(operation):
    return operation["raw"] if "raw" in operation else json.dumps(operation["body"], ensure_ascii=False)


RULES = []


def explain(difference):
    """The rule that covers a difference, or None."""
    for rule in RULES:
        if rule.matches(difference.operation, difference.left, difference.right):
            return rule
    return None
