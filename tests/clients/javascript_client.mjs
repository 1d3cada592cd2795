// The AWS SDK for JavaScript v3 against $ENDPOINT: what an application's data layer does.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";
import {
  BatchGetItemCommand, BatchWriteItemCommand, ConditionalCheckFailedException, CreateTableCommand, DeleteItemCommand,
  DeleteTableCommand, DescribeTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand, ResourceNotFoundException,
  TransactGetItemsCommand, TransactWriteItemsCommand, TransactionCanceledException, UpdateItemCommand, paginateListTables,
  paginateQuery, paginateScan, waitUntilTableExists, waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand, ListStreamsCommand,
  ResourceNotFoundException as StreamNotFound,
} from "@aws-sdk/client-dynamodb-streams";

const client = new DynamoDBClient({ endpoint: process.env.ENDPOINT });
const TableName = "js-" + randomUUID().slice(0, 8);
const key = (id, at = 0) => ({ id: { S: id }, at: { N: String(at) } });

before(async () => {
  await client.send(new CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }, { AttributeName: "at", KeyType: "RANGE" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }, { AttributeName: "at", AttributeType: "N" }],
  }));
  await waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName });
});

test("put, get, update and delete", async () => {
  const item = { ...key("one"), b: { B: new Uint8Array([0, 255]) }, l: { L: [{ NULL: true }, { BOOL: false }] }, m: { M: { k: { SS: ["x"] } } } };
  await client.send(new PutItemCommand({ TableName, Item: item }));
  const got = await client.send(new GetItemCommand({ TableName, Key: key("one"), ConsistentRead: true }));
  assert.deepEqual(got.Item, item);
  const updated = await client.send(new UpdateItemCommand({
    TableName, Key: key("one"), UpdateExpression: "ADD #v :one REMOVE b", ExpressionAttributeNames: { "#v": "_version" },
    ExpressionAttributeValues: { ":one": { N: "1" } }, ReturnValues: "ALL_NEW",
  }));
  assert.equal(updated.Attributes._version.N, "1");
  assert.equal(updated.Attributes.b, undefined);
  const gone = await client.send(new DeleteItemCommand({ TableName, Key: key("one"), ReturnValues: "ALL_OLD" }));
  assert.equal(gone.Attributes._version.N, "1");
});

test("a failed condition is its own exception and returns the item", async () => {
  await client.send(new PutItemCommand({ TableName, Item: key("held") }));
  await assert.rejects(client.send(new PutItemCommand({
    TableName, Item: key("held"), ConditionExpression: "attribute_not_exists(id)", ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  })), (error) => error instanceof ConditionalCheckFailedException && error.Item.id.S === "held");
});

test("batches and paginators", async () => {
  const numbers = [...Array(25).keys()];
  await client.send(new BatchWriteItemCommand({
    RequestItems: { [TableName]: numbers.map((n) => ({ PutRequest: { Item: key("many", n) } })) },
  }));
  const got = await client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: numbers.map((n) => key("many", n)) } } }));
  assert.equal(got.Responses[TableName].length, 25);
  const order = [];
  for await (const page of paginateQuery({ client, pageSize: 4 }, {
    TableName, KeyConditionExpression: "id = :id", ExpressionAttributeValues: { ":id": { S: "many" } }, ScanIndexForward: false,
  })) order.push(...page.Items.map((item) => Number(item.at.N)));
  assert.deepEqual(order, numbers.reverse());
  let scanned = 0;
  for await (const page of paginateScan({ client, pageSize: 3 }, { TableName, FilterExpression: "id = :id", ExpressionAttributeValues: { ":id": { S: "many" } } }))
    scanned += page.Count;
  assert.equal(scanned, 25);
  const names = [];
  for await (const page of paginateListTables({ client, pageSize: 1 }, {})) names.push(...page.TableNames);
  assert.ok(names.includes(TableName));
});

test("transactions", async () => {
  const update = (id) => ({ Update: { TableName, Key: key(id), UpdateExpression: "ADD n :one", ExpressionAttributeValues: { ":one": { N: "1" } } } });
  const ClientRequestToken = randomUUID();
  for (let i = 0; i < 2; ++i)
    await client.send(new TransactWriteItemsCommand({ TransactItems: [update("t1"), update("t2")], ClientRequestToken }));
  const got = await client.send(new TransactGetItemsCommand({ TransactItems: ["t1", "t2"].map((id) => ({ Get: { TableName, Key: key(id) } })) }));
  assert.deepEqual(got.Responses.map((r) => r.Item.n.N), ["1", "1"]);
  await assert.rejects(client.send(new TransactWriteItemsCommand({ TransactItems: [
    update("t1"), { ConditionCheck: { TableName, Key: key("t2"), ConditionExpression: "n = :n", ExpressionAttributeValues: { ":n": { N: "9" } } } },
  ] })), (error) => error instanceof TransactionCanceledException && error.CancellationReasons[1].Code === "ConditionalCheckFailed");
});

test("sixty-four counters at once", async () => {
  await Promise.all([...Array(64).keys()].map(() => client.send(new UpdateItemCommand({
    TableName, Key: key("counter"), UpdateExpression: "ADD n :one", ExpressionAttributeValues: { ":one": { N: "1" } },
  }))));
  const got = await client.send(new GetItemCommand({ TableName, Key: key("counter"), ConsistentRead: true }));
  assert.equal(got.Item.n.N, "64");
});

test("a table that goes away", async () => {
  const name = TableName + "-b";
  await client.send(new CreateTableCommand({
    TableName: name, BillingMode: "PAY_PER_REQUEST", KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "B" }],
  }));
  await waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName: name });
  await client.send(new DeleteTableCommand({ TableName: name }));
  await waitUntilTableNotExists({ client, maxWaitTime: 60 }, { TableName: name });
  await assert.rejects(client.send(new DescribeTableCommand({ TableName: name })), ResourceNotFoundException);
});

test("a stream, read from its beginning", async () => {
  const streams = new DynamoDBStreamsClient({ endpoint: process.env.ENDPOINT });
  const name = TableName + "-s";
  const created = await client.send(new CreateTableCommand({
    TableName: name, BillingMode: "PAY_PER_REQUEST", KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  }));
  const StreamArn = created.TableDescription.LatestStreamArn;
  const item = { id: { S: "one" }, b: { B: new Uint8Array([0, 255]) }, m: { M: { k: { NS: ["1", "2"] } } } };
  await client.send(new PutItemCommand({ TableName: name, Item: item }));
  await client.send(new DeleteItemCommand({ TableName: name, Key: { id: { S: "one" } } }));
  const listed = await streams.send(new ListStreamsCommand({ TableName: name }));
  assert.deepEqual(listed.Streams.map((stream) => stream.StreamArn), [StreamArn]);
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const records = [];
  for (const { ShardId } of StreamDescription.Shards) {
    const { ShardIterator } = await streams.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
    const page = await streams.send(new GetRecordsCommand({ ShardIterator }));
    records.push(...page.Records);
    assert.ok(page.NextShardIterator);
  }
  assert.deepEqual(records.map((record) => record.eventName), ["INSERT", "REMOVE"]);
  assert.deepEqual(records[0].dynamodb.NewImage, item);
  assert.deepEqual(records[1].dynamodb.OldImage, item);
  assert.ok(records[0].dynamodb.ApproximateCreationDateTime instanceof Date);
  const children = await streams.send(new DescribeStreamCommand({
    StreamArn, ShardFilter: { Type: "CHILD_SHARDS", ShardId: StreamDescription.Shards[0].ShardId },
  }));
  assert.deepEqual(children.StreamDescription.Shards, []);
  await assert.rejects(streams.send(new DescribeStreamCommand({ StreamArn: StreamArn + "x" })), StreamNotFound);
});
