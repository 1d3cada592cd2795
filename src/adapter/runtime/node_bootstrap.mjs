// Runs a Node.js handler: asks the runtime API for work, calls the handler, and tells what it returned. Source: Lambda developer
// guide, "Using the Lambda runtime API" and "Define Lambda function handler in Node.js".
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const PATH = '/2018-06-01/runtime';
const [HOST, PORT] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const AGENT = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(method, where, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const request = http.request({ host: HOST, port: PORT, method, path: PATH + where, agent: AGENT, headers }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces).toString('utf8') }));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function errorOf(error, type) {
  if (!(error instanceof Error)) return { errorType: type ?? typeof error, errorMessage: String(error), trace: [] };
  return { errorType: type ?? error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function logError(what, document) {
  const { errorType, errorMessage, trace: stack } = document;
  console.error(`${what}\t${JSON.stringify({ errorType, errorMessage, stack })}`);
}

async function loadHandler(root, name) {
  const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
  if (dot < 0) throw Object.assign(new Error(`Bad handler ${name}`), { name: 'Runtime.MalformedHandlerName' });
  const [file, inside] = [path.resolve(root, name.slice(0, dot)), name.slice(dot + 1)];
  const found = [file, ...['.js', '.mjs', '.cjs'].map((end) => file + end)].find((one) => fs.existsSync(one) && fs.statSync(one).isFile());
  if (!found) throw Object.assign(new Error(`Cannot find module '${name.slice(0, dot)}'`), { name: 'Runtime.ImportModuleError' });
  const module = await import(pathToFileURL(found).href);
  for (const start of [module, module.default]) {
    const handler = inside.split('.').reduce((at, key) => at?.[key], start);
    if (typeof handler === 'function') return handler;
  }
  throw Object.assign(new Error(`${name} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
}

function contextOf(headers, done) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const { env } = process;
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: (error, result) => done(error, result),
    succeed: (result) => done(null, result),
    fail: (error) => done(error ?? new Error('handled')),
  };
}

let endOpenCall; // of the call under way: answers it with null

// Both kinds of handlers: what returns a promise, and what calls back. What does neither is answered once nothing is left to do.
function call(handler, event, headers) {
  return new Promise((resolve, reject) => {
    endOpenCall = () => resolve(null);
    const done = (error, result) => (error ? reject(error) : resolve(result));
    const result = handler(event, contextOf(headers, done), done);
    if (typeof result?.then === 'function') result.then(resolve, reject);
    else if (handler.length < 3 && result !== undefined) resolve(result);
  });
}

process.on('beforeExit', () => endOpenCall?.());

async function runOne(handler) {
  const { status, headers, body } = await ask('GET', '/invocation/next');
  if (status !== 200) process.exit(0); // it is stopped
  const id = headers['lambda-runtime-aws-request-id'];
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] ?? '';
  let result;
  try {
    result = JSON.stringify((await call(handler, JSON.parse(body), headers)) ?? null) ?? 'null';
  } catch (error) {
    const document = errorOf(error);
    logError('Invoke Error', document);
    endOpenCall = undefined;
    await ask('POST', `/invocation/${id}/error`, JSON.stringify(document));
    return;
  }
  endOpenCall = undefined;
  await ask('POST', `/invocation/${id}/response`, result);
}

for (const what of ['uncaughtException', 'unhandledRejection']) {
  process.on(what, (error) => {
    logError(what === 'uncaughtException' ? 'Uncaught Exception' : 'Unhandled Promise Rejection', errorOf(error));
    process.exit(129);
  });
}

let handler;
try {
  handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
} catch (error) {
  const document = errorOf(error);
  logError('Uncaught Exception', document);
  await ask('POST', '/init/error', JSON.stringify(document));
  process.exit(1);
}
for (;;) await runOne(handler);
