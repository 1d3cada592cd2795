// The AWS SDK for JavaScript v3 against $ENDPOINT: it speaks the JSON protocol, sends requests to the queue's URL, and checks
// the digests of what it sent and got.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import {
  ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand, DeleteMessageCommand, DeleteQueueCommand,
  GetQueueAttributesCommand, GetQueueUrlCommand, ListQueuesCommand, PurgeQueueCommand, QueueDoesNotExist, QueueNameExists,
  ReceiptHandleIsInvalid, ReceiveMessageCommand, SQSClient, SendMessageBatchCommand, SendMessageCommand, SetQueueAttributesCommand,
  UnsupportedOperation, paginateListQueues,
} from "@aws-sdk/client-sqs";

const client = new SQSClient({ endpoint: process.env.ENDPOINT });
const create = async (Attributes) => {
  const QueueName = "js-" + randomUUID().slice(0, 8);
  return { QueueName, QueueUrl: (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl };
};

test("send, receive, hide, delete", async () => {
  const { QueueName, QueueUrl } = await create({ VisibilityTimeout: "60" });
  assert.equal((await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl, QueueUrl);
  const sent = await client.send(new SendMessageCommand({
    QueueUrl, MessageBody: "überall \u{1f980} <&>\r\n", MessageAttributes: {
      text: { DataType: "String", StringValue: "é" }, number: { DataType: "Number.int", StringValue: "-1.5e3" },
      bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) },
    },
  }));
  const got = await client.send(new ReceiveMessageCommand({
    QueueUrl, MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"], WaitTimeSeconds: 5,
  }));
  const [message] = got.Messages;
  assert.equal(message.MessageId, sent.MessageId);
  assert.equal(message.Body, "überall \u{1f980} <&>\r\n");
  assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
  assert.deepEqual([...message.MessageAttributes.bytes.BinaryValue], [0, 255]);
  assert.equal(message.Attributes.ApproximateReceiveCount, "1");
  const { ReceiptHandle } = message;
  await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const again = await client.send(new ReceiveMessageCommand({ QueueUrl }));
  assert.equal(again.Messages.length, 1);
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again.Messages[0].ReceiptHandle }));
  const counts = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  assert.equal(counts.Attributes.ApproximateNumberOfMessagesNotVisible, "0");
  assert.equal(counts.Attributes.ApproximateNumberOfMessages, "0");
});

test("batches, with one bad entry", async () => {
  const { QueueUrl } = await create();
  const sent = await client.send(new SendMessageBatchCommand({
    QueueUrl, Entries: [{ Id: "a", MessageBody: "1" }, { Id: "b", MessageBody: "\u0001" }, { Id: "c", MessageBody: "3" }],
  }));
  assert.deepEqual(sent.Successful.map((one) => one.Id), ["a", "c"]);
  assert.equal(sent.Failed[0].Code, "InvalidMessageContents");
  const got = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  assert.deepEqual(got.Messages.map((one) => one.Body).sort(), ["1", "3"]);
  const gone = await client.send(new DeleteMessageBatchCommand({
    QueueUrl, Entries: got.Messages.map((one, i) => ({ Id: String(i), ReceiptHandle: one.ReceiptHandle })),
  }));
  assert.equal(gone.Successful.length, 2);
});

test("exceptions have their own classes", async () => {
  const { QueueName, QueueUrl } = await create({ DelaySeconds: "1" });
  await assert.rejects(client.send(new GetQueueUrlCommand({ QueueName: QueueName + "x" })), QueueDoesNotExist);
  await assert.rejects(client.send(new CreateQueueCommand({ QueueName, Attributes: { DelaySeconds: "2" } })), QueueNameExists);
  await assert.rejects(client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: "nonsense" })), ReceiptHandleIsInvalid);
  await assert.rejects(client.send(new CreateQueueCommand({ QueueName: "x.fifo", Attributes: { FifoQueue: "true" } })), (error) =>
    error instanceof UnsupportedOperation && /FIFO/.test(error.message));
});

test("long polls and what is sent meanwhile", async () => {
  const { QueueUrl } = await create();
  const waiting = [...Array(20).keys()].map(() => client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await Promise.all([...Array(20).keys()].map((n) => client.send(new SendMessageCommand({ QueueUrl, MessageBody: String(n) }))));
  const bodies = (await Promise.all(waiting)).map((got) => got.Messages[0].Body);
  assert.deepEqual(bodies.map(Number).sort((a, b) => a - b), [...Array(20).keys()]);
});

test("lists, attributes, purge and delete", async () => {
  const { QueueName, QueueUrl } = await create();
  const urls = [];
  for await (const page of paginateListQueues({ client, pageSize: 1 }, { QueueNamePrefix: "js-" })) urls.push(...page.QueueUrls);
  assert.ok(urls.includes(QueueUrl));
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: "60" } }));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "gone" }));
  await client.send(new PurgeQueueCommand({ QueueUrl }));
  const attributes = await client.send(new GetQueueAttributesCommand({
    QueueUrl, AttributeNames: ["MessageRetentionPeriod", "ApproximateNumberOfMessages"],
  }));
  assert.deepEqual(attributes.Attributes, { ApproximateNumberOfMessages: "0", MessageRetentionPeriod: "60" });
  await client.send(new DeleteQueueCommand({ QueueUrl }));
  assert.equal((await client.send(new ListQueuesCommand({ QueueNamePrefix: QueueName }))).QueueUrls ?? null, null);
  await assert.rejects(client.send(new SendMessageCommand({ QueueUrl, MessageBody: "late" })), QueueDoesNotExist);
});
