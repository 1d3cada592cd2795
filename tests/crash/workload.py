"""Sixteen real clients that know what they were promised.

Each client runs on a thread of its own with a boto3 client of its own and boto3's default retries.
It keeps, for every key that only it writes, what may be there: a write that was acknowledged is there;
one that ended in an error after all retries may be there or not (`unknown`), and never anything else.
"""

import random
import threading
import uuid

import boto3
from botocore.exceptions import BotoCoreError, ClientError

COUNTERS, THINGS, LEFT, RIGHT = "counters", "things", "left", "right"
TABLES = (COUNTERS, THINGS, LEFT, RIGHT)
SHARED_KEYS = 4
OWN_KEYS = 3
ADD_ONE = {"UpdateExpression": "ADD #v :one", "ExpressionAttributeNames": {"#v": "_version"},
           "ExpressionAttributeValues": {":one": {"N": "1"}}}


class Broken(Exception):
    """A promise was broken while the clients ran."""


class Client(threading.Thread):
    def __init__(self, url, number, seed, stop):
        super().__init__(name=f"client-{number}", daemon=True)
        self.number, self.stop = number, stop
        self.rng = random.Random(f"{seed}/{number}")
        self.api = boto3.client("dynamodb", endpoint_url=url)
        self.operations = self.unknown = 0
        self.error = None
        self.counters = {f"own-{number}-{k}": [0, 0] for k in range(OWN_KEYS)}  # key -> [least, most] it can hold
        self.shared_acks = {}   # shared key -> values that this client's acknowledged additions returned
        self.shared_unknown = {}
        self.things = {f"thing-{number}-{k}": [None] for k in range(OWN_KEYS)}  # key -> the values it can hold (None: no item)
        self.acked_puts = []    # (key, value) in the order of their acknowledgements
        self.pair = [0, 0]      # the same for this client's pair, one in each of two tables

    def run(self):
        draws = [(self.add_own, 40), (self.add_shared, 15), (self.put, 15), (self.delete, 8), (self.transact, 12), (self.check, 10)]
        try:
            while not self.stop.is_set():
                self.rng.choices([d for d, _ in draws], [w for _, w in draws])[0]()
                self.operations += 1
        except Broken as error:
            self.error = str(error)
        except Exception as error:  # pylint: disable=broad-except  # the main thread reports it
            self.error = f"{type(error).__name__}: {error}"

    def attempt(self, call, **arguments):
        """The answer, or None when the outcome is unknown: every retry ended in a lost connection or a 5xx."""
        try:
            return call(**arguments)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
        except BotoCoreError:
            pass
        self.unknown += 1
        return None

    def add_own(self):
        key = self.rng.choice(list(self.counters))
        bounds = self.counters[key]
        answer = self.attempt(self.api.update_item, TableName=COUNTERS, Key={"id": {"S": key}}, ReturnValues="UPDATED_NEW", **ADD_ONE)
        if answer is None:
            bounds[1] += 1
            return
        value = int(answer["Attributes"]["_version"]["N"])
        if not bounds[0] + 1 <= value <= bounds[1] + 1:
            raise Broken(f"counter {key} answered {value}; between {bounds[0] + 1} and {bounds[1] + 1} was possible")
        self.counters[key] = [value, value]

    def add_shared(self):
        key = f"shared-{self.rng.randrange(SHARED_KEYS)}"
        answer = self.attempt(self.api.update_item, TableName=COUNTERS, Key={"id": {"S": key}}, ReturnValues="UPDATED_NEW", **ADD_ONE)
        if answer is None:
            self.shared_unknown[key] = self.shared_unknown.get(key, 0) + 1
        else:
            self.shared_acks.setdefault(key, []).append(int(answer["Attributes"]["_version"]["N"]))

    def put(self):
        key, value = self.rng.choice(list(self.things)), uuid.UUID(int=self.rng.getrandbits(128)).hex
        item = {"id": {"S": key}, "value": {"S": value}, "pad": {"S": "x" * self.rng.choice([0, 10, 300, 6000])}}
        if self.attempt(self.api.put_item, TableName=THINGS, Item=item) is None:
            self.things[key] = self.things[key] + [value]
        else:
            self.things[key] = [value]
            self.acked_puts.append((key, value))

    def delete(self):
        key = self.rng.choice(list(self.things))
        if self.attempt(self.api.delete_item, TableName=THINGS, Key={"id": {"S": key}}) is None:
            self.things[key] = self.things[key] + [None]
        else:
            self.things[key] = [None]

    def transact(self):
        key = {"id": {"S": f"pair-{self.number}"}}
        answer = self.attempt(self.api.transact_write_items, TransactItems=[
            {"Update": {"TableName": table, "Key": key, **ADD_ONE}} for table in (LEFT, RIGHT)])
        if answer is None:
            self.pair[1] += 1
        else:
            self.pair = [self.pair[0] + 1, self.pair[1] + 1]

    def check(self):
        """Reads one of the keys that only this client writes."""
        kind = self.rng.randrange(3)
        if kind == 0:
            self.check_counter(self.rng.choice(list(self.counters)))
        elif kind == 1:
            self.check_thing(self.rng.choice(list(self.things)))
        else:
            self.check_pair()

    def read(self, table, key):
        answer = self.attempt(self.api.get_item, TableName=table, Key={"id": {"S": key}}, ConsistentRead=True)
        if answer is None:
            self.unknown -= 1  # a read that failed leaves nothing unknown
            return None
        return answer.get("Item", {})

    def check_counter(self, key):
        item = self.read(COUNTERS, key)
        if item is None:
            return
        value, bounds = int(item.get("_version", {"N": "0"})["N"]), self.counters[key]
        if not bounds[0] <= value <= bounds[1]:
            raise Broken(f"counter {key} holds {value}; between {bounds[0]} and {bounds[1]} was possible")
        self.counters[key] = [value, value]

    def check_thing(self, key):
        item = self.read(THINGS, key)
        if item is None:
            return
        value = item["value"]["S"] if item else None
        if value not in self.things[key]:
            raise Broken(f"item {key} holds {value}; only {self.things[key]} was possible")
        self.things[key] = [value]

    def check_pair(self):
        answer = self.attempt(self.api.transact_get_items, TransactItems=[
            {"Get": {"TableName": table, "Key": {"id": {"S": f"pair-{self.number}"}}}} for table in (LEFT, RIGHT)])
        if answer is None:
            self.unknown -= 1
            return
        values = [int(r.get("Item", {}).get("_version", {"N": "0"})["N"]) for r in answer["Responses"]]
        if values[0] != values[1] or not self.pair[0] <= values[0] <= self.pair[1]:
            raise Broken(f"pair {self.number} holds {values}; both between {self.pair[0]} and {self.pair[1]} was possible")
        self.pair = [values[0], values[0]]

    def check_all(self):
        for key in self.counters:
            self.check_counter(key)
        for key in self.things:
            self.check_thing(key)
        self.check_pair()


def create_tables(url):
    api = boto3.client("dynamodb", endpoint_url=url)
    for table in TABLES:
        api.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                         AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        api.get_waiter("table_exists").wait(TableName=table)


def check_shared(api, clients):
    """Shared counters: no addition's answer was given twice, and the sum is what was acknowledged or unknown."""
    problems = []
    for number in range(SHARED_KEYS):
        key = f"shared-{number}"
        acks = sorted(value for client in clients for value in client.shared_acks.get(key, []))
        unknown = sum(client.shared_unknown.get(key, 0) for client in clients)
        twice = sorted({a for a, b in zip(acks, acks[1:]) if a == b})
        if twice:
            problems.append(f"counter {key}: the values {twice[:5]} were answered to two additions")
        item = api.get_item(TableName=COUNTERS, Key={"id": {"S": key}}, ConsistentRead=True).get("Item", {})
        value = int(item.get("_version", {"N": "0"})["N"])
        if not len(acks) <= value <= len(acks) + unknown:
            problems.append(f"counter {key} holds {value}: {len(acks)} additions were acknowledged, {unknown} are unknown")
    return problems
