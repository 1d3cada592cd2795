"""Reduces a disagreeing session to the shortest sequence that still disagrees in the same way."""

import copy


def shrink(setup, operations, still_disagrees, attempts_max=400):
    """`still_disagrees(setup, operations)` replays from nothing and tells whether the LAST operation
    shows the same difference. Returns the reduced operations."""
    budget = [attempts_max]

    def holds(candidate):
        if budget[0] <= 0:
            return False
        budget[0] -= 1
        return still_disagrees(setup, candidate)

    operations = _fewer_operations(operations, holds)
    return _smaller_bodies(operations, holds)


def _fewer_operations(operations, holds):
    """Delta debugging over everything but the last operation."""
    chunk = max(1, (len(operations) - 1) // 2)
    while len(operations) > 1:
        at, removed = 0, False
        while at < len(operations) - 1:
            candidate = operations[:at] + operations[min(at + chunk, len(operations) - 1):]
            if holds(candidate):
                operations, removed = candidate, True
            else:
                at += chunk
        if chunk == 1 and not removed:
            break
        chunk = max(1, chunk // 2)
    return operations


def _places(value, path=()):
    """Every removable member of a JSON value, outermost first."""
    if isinstance(value, dict):
        for name in value:
            yield path + (name,)
        for name, member in value.items():
            yield from _places(member, path + (name,))
    elif isinstance(value, list):
        for at in range(len(value)):
            yield path + (at,)
        for at, member in enumerate(value):
            yield from _places(member, path + (at,))


def _without(operation, path):
    smaller = copy.deepcopy(operation)
    parent = smaller["body"]
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    return smaller


def _smaller_bodies(operations, holds):
    """Removes members of the bodies one by one, last operation first."""
    for index in range(len(operations) - 1, -1, -1):
        again = "body" in operations[index]
        while again:
            again = False
            for path in list(_places(operations[index]["body"])):
                candidate = list(operations)
                candidate[index] = _without(operations[index], path)
                if holds(candidate):
                    operations, again = candidate, True
                    break
    return operations
