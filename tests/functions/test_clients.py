"""Other clients and other handlers: the aws command line, `pawl exec`, Node.js handlers, the AWS SDK for JavaScript."""

import io
import json
import os
import subprocess
import tempfile
import zipfile

from blackbox import node, suite
from shared import ROLE, Case, client, create, fresh, invoke, logs, texts, zipped

HERE = os.path.dirname(os.path.abspath(__file__))
AWS = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else "aws"
PUT = "import boto3\nboto3.client('s3').put_object(Bucket='{}', Key='{}', Body=b'x')\n"


def run(*command, **environment):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, **environment})


class AwsCommandLine(Case):
    def test_the_article_s_function(self):
        name = fresh("archive")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "f.zip")
            with open(path, "wb") as file:
                file.write(zipped({"handler.py": "def lambda_handler(event, context):\n    print('seen', event)\n    return event\n"}))
            aws = [AWS, "--endpoint-url", suite.current().url, "--output", "json", "lambda"]
            done = run(*aws, "create-function", "--function-name", name, "--runtime", "python3.11", "--handler", "handler.lambda_handler",
                       "--role", ROLE, "--zip-file", "fileb://" + path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["FunctionName"], name)
            out = os.path.join(folder, "out.json")
            done = run(*aws, "invoke", "--function-name", name, "--payload", '{"a": 1}', "--cli-binary-format", "raw-in-base64-out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(out, encoding="utf-8") as file:
                self.assertEqual(json.load(file), {"a": 1})
            for operation in ("get-function", "get-function-configuration", "delete-function"):
                done = run(*aws, operation, "--function-name", name)
                self.assertEqual(done.returncode, 0, done.stderr)


class Exec(Case):
    def pawl_exec(self, *command, **environment):
        pawl = suite.current().require_pawl()
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run([pawl.binary, "exec", "--endpoint", pawl.url, "--", *command], capture_output=True, text=True, timeout=300,
                              check=False, env={**plain, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", **environment})

    def test_debian_s_boto3_and_aws_follow(self):
        bucket = fresh("bucket")
        done = self.pawl_exec(AWS, "s3", "mb", f"s3://{bucket}")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.pawl_exec("/usr/bin/python3", "-c", PUT.format(bucket, "from-exec"))
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.pawl_exec(AWS, "s3", "ls", f"s3://{bucket}")
        self.assertIn("from-exec", done.stdout, done.stderr)
        done = self.pawl_exec("sh", "-c", f"{AWS} dynamodb list-tables && {AWS} lambda list-functions --max-items 1 && {AWS} sqs list-queues")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_endpoint_of_the_code_s_own_stays(self):
        code = "import boto3\nprint(boto3.client('s3', endpoint_url='http://127.0.0.1:9').meta.endpoint_url, boto3.client('sqs').meta.endpoint_url)"
        done = self.pawl_exec("/usr/bin/python3", "-c", code)
        self.assertEqual(done.stdout.split(), ["http://127.0.0.1:9", suite.current().url], done.stderr)
        # What was set for another place before does not win: keys that are real would go there.
        done = self.pawl_exec("/usr/bin/python3", "-c", code, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:10")
        self.assertEqual(done.stdout.split(), ["http://127.0.0.1:9", suite.current().url], done.stderr)
        done = self.pawl_exec("sh", "-c", "env", AWS_ENDPOINT_URL_S3="http://127.0.0.1:10", AWS_ENDPOINT_URL_DYNAMODB="",
                              AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
        self.assertEqual([line for line in sorted(done.stdout.splitlines()) if line.startswith(("AWS_ENDPOINT", "AWS_IGNORE"))],
                         [f"AWS_ENDPOINT_URL={suite.current().url}", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false"], done.stderr)

    def test_a_sitecustomize_of_one_s_own_still_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "sitecustomize.py"), "w", encoding="utf-8") as file:
                file.write("print('own')\n")
            done = self.pawl_exec("/usr/bin/python3", "-c", "print('then')", PYTHONPATH=folder)
        self.assertEqual(done.stdout.split(), ["own", "then"], done.stderr)

    def test_environment_and_exit_status(self):
        done = self.pawl_exec("sh", "-c", "env; exit 5", AWS_PROFILE="work", AWS_REGION="eu-west-1")
        self.assertEqual(done.returncode, 5)
        lines = done.stdout.splitlines()
        for line in (f"AWS_ENDPOINT_URL={suite.current().url}", "AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=pawl"):
            self.assertIn(line, lines)
        self.assertFalse([line for line in lines if line.startswith("AWS_PROFILE")])
        done = self.pawl_exec("sh", "-c", "env", AWS_ACCESS_KEY_ID="own", AWS_SECRET_ACCESS_KEY="secret")
        self.assertIn("AWS_ACCESS_KEY_ID=own", done.stdout)
        self.assertEqual(self.pawl_exec("sh", "-c", "kill -9 $$").returncode, 128 + 9)
        self.assertEqual(self.pawl_exec("/nowhere/program").returncode, 127)
        left = [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("pawl-exec-")]
        self.assertEqual(left, [])


class Node(Case):
    def test_a_handler_on_sdk_v3(self):
        place = node.installed(HERE, "javascript-functions", "handler.mjs")
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(os.path.join(place, "handler.mjs"), "handler.mjs")
            for folder, folders, files in os.walk(os.path.join(place, "node_modules")):
                folders[:] = [name for name in folders if name not in ("dist-es", "dist-types", "client-lambda", ".bin")]
                for name in files:
                    if not name.endswith((".map", ".ts", ".md")):
                        path = os.path.join(folder, name)
                        archive.write(path, os.path.relpath(path, place))
        bucket = fresh("node")
        client("s3").create_bucket(Bucket=bucket)
        name = create(out.getvalue(), runtime="nodejs20.x", handler="handler.handler", Timeout=60, MemorySize=512)
        done = invoke(name, {"bucket": bucket, "keys": ["a", "b/c"]})
        self.assertEqual(done.payload, {"put": 2, "left": True}, done.bytes)
        self.assertEqual(client("s3").get_object(Bucket=bucket, Key="b/c")["Body"].read().decode(), done.id)
        self.assertIn("put b/c", texts(name))
        self.assertEqual(invoke(name, {"bucket": bucket, "keys": ["d"]}).payload["put"], 1)

    def handler(self, code, file="index.js", **more):
        return create({file: code}, runtime="nodejs18.x", handler="index.handler", MemorySize=256, **more)

    def test_both_kinds_of_modules_and_handlers(self):
        self.assertEqual(invoke(self.handler("exports.handler = async (event) => ({ got: event });"), 1).payload, {"got": 1})
        self.assertEqual(invoke(self.handler("exports.handler = (event, context, callback) => setTimeout(() => callback(null, event), 10);"), 2).payload, 2)
        self.assertEqual(invoke(self.handler("export const handler = async (event) => event;", "index.mjs"), 3).payload, 3)
        self.assertIsNone(invoke(self.handler("exports.handler = async () => {};")).payload)

    def test_failures(self):
        for code, kind in (("exports.handler = async () => { throw new TypeError('no'); };", "TypeError"),
                           ("exports.handler = (e, c, callback) => callback(new Error('no'));", "Error"),
                           ("exports.handler = async () => { setTimeout(() => { throw new Error('later'); }, 1); await new Promise(() => {}); };", "Runtime.ExitError"),
                           ("exports.other = 1;", "Runtime.HandlerNotFound"), ("require('nowhere');", "Error"),
                           ("exports.handler = async () => { process.exit(4); };", "Runtime.ExitError")):
            done = invoke(self.handler(code))
            self.assertEqual((done.error, done.payload["errorType"]), ("Unhandled", kind), code)
        name = self.handler("exports.handler = async () => { for (;;) {} };", Timeout=1)
        self.assertEqual(invoke(name).payload["errorType"], "Sandbox.Timedout")
        name = self.handler("const held = []; exports.handler = async () => { for (;;) held.push(Buffer.alloc(1 << 20, 1)); };", Timeout=60)
        self.assertIn("out of memory", invoke(name).payload["errorMessage"])
        self.assertTrue(logs(name))

    def test_the_sdk_as_a_client(self):
        node.run_tests(self, HERE, "javascript-functions", "javascript_client.mjs", least=2)
