// The AWS SDK for JavaScript v3 as the client of functions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import {
  CreateFunctionCommand, DeleteFunctionCommand, GetFunctionCommand, InvokeCommand, LambdaClient, ListFunctionsCommand,
} from '@aws-sdk/client-lambda';

const lambda = new LambdaClient({ endpoint: process.env.ENDPOINT, maxAttempts: 1 });

// One deflated entry: APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
function zipOf(name, text) {
  const content = Buffer.from(text);
  const packed = deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crcOf(content), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
  const directory = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, directory, Buffer.from('PK\x05\x06'), end]);
}

function crcOf(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

test('a function is made, called and removed', async () => {
  const FunctionName = `js-${Date.now()}`;
  const made = await lambda.send(new CreateFunctionCommand({
    FunctionName, Runtime: 'nodejs20.x', Handler: 'index.handler', Role: 'arn:aws:iam::000000000000:role/x', MemorySize: 256,
    Code: { ZipFile: zipOf('index.mjs', 'export const handler = async (event) => ({ ...event, seen: true });') },
  }));
  assert.equal(made.FunctionName, FunctionName);
  const got = await lambda.send(new GetFunctionCommand({ FunctionName }));
  assert.equal(got.Configuration.Runtime, 'nodejs20.x');
  const done = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ a: 1 }), LogType: 'Tail' }));
  assert.deepEqual(JSON.parse(Buffer.from(done.Payload).toString()), { a: 1, seen: true });
  assert.match(Buffer.from(done.LogResult, 'base64').toString(), /START RequestId/);
  const listed = await lambda.send(new ListFunctionsCommand({}));
  assert.ok(listed.Functions.some((one) => one.FunctionName === FunctionName) || listed.NextMarker);
  await lambda.send(new DeleteFunctionCommand({ FunctionName }));
});

test('what is not there is an exception with its name', async () => {
  await assert.rejects(lambda.send(new InvokeCommand({ FunctionName: 'nobody' })), { name: 'ResourceNotFoundException' });
});
