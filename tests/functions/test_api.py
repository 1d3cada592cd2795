"""Lambda's API about functions, with boto3; good and bad input."""

import base64
import hashlib
import json
import unittest

from botocore.exceptions import ClientError

from blackbox import suite
from shared import ROLE, Case, client, create, fresh, http, invoke, texts, wait_until, zipped

ECHO = "def lambda_handler(event, context):\n    return event\n"


class Api(Case):
    def test_a_functions_life(self):
        api, name, code = client(), fresh(), zipped({"handler.py": ECHO})
        made = api.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler",
                                   Code={"ZipFile": code}, Description="d", Environment={"Variables": {"A1": "b"}})
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 201)
        self.assertEqual(made["FunctionArn"], f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
        self.assertEqual(made["CodeSha256"], base64.b64encode(hashlib.sha256(code).digest()).decode())
        self.assertEqual((made["CodeSize"], made["Timeout"], made["MemorySize"], made["State"]), (len(code), 3, 128, "Active"))
        api.get_waiter("function_active_v2").wait(FunctionName=name)
        got = api.get_function(FunctionName=made["FunctionArn"])["Configuration"]
        self.assertEqual(got["RevisionId"], made["RevisionId"])
        self.assertEqual(got["Environment"], {"Variables": {"A1": "b"}})
        changed = api.update_function_configuration(FunctionName=name, Timeout=9, MemorySize=256)
        self.assertEqual((changed["Timeout"], changed["MemorySize"], changed["Description"]), (9, 256, "d"))
        self.assertNotEqual(changed["RevisionId"], made["RevisionId"])
        self.refused("PreconditionFailedException", api.update_function_configuration, FunctionName=name, Timeout=4,
                     RevisionId=made["RevisionId"])
        other = zipped({"handler.py": "def lambda_handler(event, context):\n    return 'new'\n"})
        self.assertEqual(invoke(name, {"x": 1}).payload, {"x": 1})
        self.assertEqual(api.update_function_code(FunctionName=name, ZipFile=other)["CodeSize"], len(other))
        self.assertEqual(invoke(name).payload, "new")
        self.assertIn(name, [f["FunctionName"] for f in api.list_functions()["Functions"]])
        self.assertEqual(api.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"], 204)
        for call in (api.get_function, api.get_function_configuration, api.delete_function, api.invoke):
            self.refused("ResourceNotFoundException", call, FunctionName=name)

    def test_exists_already(self):
        name = create(ECHO)
        with self.assertRaises(ClientError) as caught:
            create(ECHO, name=name)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ResourceConflictException")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 409)

    def test_lists_in_pages(self):
        names = sorted(create(ECHO, name=fresh("page")) for _ in range(5))
        found = []
        for page in client().get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}):
            self.assertLessEqual(len(page["Functions"]), 2)
            found += [f["FunctionName"] for f in page["Functions"]]
        self.assertEqual([name for name in found if name in names], names)

    def test_bad_code(self):
        for code in (b"no zip", zipped({}), zipped({"../out.py": "x"}), zipped({"/abs.py": "x"})):
            with self.assertRaises(ClientError) as caught:
                create(code)
            self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidParameterValueException")

    def test_what_pawl_does_not_have_is_named(self):
        api, name = client(), create(ECHO)
        for call, named in ((api.publish_version, {"FunctionName": name}),
                            (api.create_alias, {"FunctionName": name, "Name": "live", "FunctionVersion": "1"}),
                            (api.list_layers, {}), (api.get_account_settings, {}),
                            (api.get_policy, {"FunctionName": name}),
                            (api.invoke_async, {"FunctionName": name, "InvokeArgs": b"{}"})):
            error = self.refused("UnknownOperationException", call, **named)
            self.assertIn("/20", error.response["Error"]["Message"])
        for named in ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]}, {"KMSKeyArn": "arn:aws:kms:x:y:key/z"}):
            self.refused("UnsupportedOperationException", api.update_function_configuration, FunctionName=name, **named)
        self.refused("UnsupportedOperationException", api.get_function, FunctionName=name, Qualifier="1")

    def test_invocation_types_and_payloads(self):
        name = create(ECHO)
        self.assertEqual(client().invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"], 204)
        self.assertEqual(invoke(name, [1, {"a": None}, "ü"]).payload, [1, {"a": None}, "ü"])
        self.refused("InvalidRequestContentException", client().invoke, FunctionName=name, Payload=b"{nonsense")
        deep = "[" * 500 + "]" * 500
        self.assertEqual(client().invoke(FunctionName=name, Payload=deep.encode())["Payload"].read().decode().replace(" ", ""), deep)
        error = self.refused("UnsupportedOperationException", client().invoke, FunctionName=name, ClientContext="e30=")
        self.assertIn("ClientContext", str(error))
        large = "x" * (5 << 20)
        self.assertEqual(invoke(name, large).payload, large)
        self.refused("RequestTooLargeException", client().invoke, FunctionName=name, Payload=json.dumps("x" * (6 << 20)))

    def test_asynchronous_invocations(self):
        name = create("import time\ndef lambda_handler(event, context):\n    print('done', event)\n")
        for number in range(20):
            answer = client().invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(number))
            self.assertEqual((answer["StatusCode"], answer["Payload"].read()), (202, b""))
        wait_until(lambda: {f"done {n}" for n in range(20)} <= set(texts(name)), what="all of them")
        self.assertEqual(sorted(t for t in texts(name) if t.startswith("done")), sorted(f"done {n}" for n in range(20)), "once each")
        self.refused("RequestTooLargeException", client().invoke, FunctionName=name, InvocationType="Event", Payload=json.dumps("x" * (256 << 10)))
        self.refused("ResourceNotFoundException", client().invoke, FunctionName=fresh(), InvocationType="Event")

    def test_concurrency(self):
        api, name = client(), create(ECHO)
        self.assertNotIn("ReservedConcurrentExecutions", api.get_function_concurrency(FunctionName=name))
        api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        self.assertEqual(api.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"], 0)
        self.assertEqual(api.get_function(FunctionName=name)["Concurrency"], {"ReservedConcurrentExecutions": 0})
        error = self.refused("TooManyRequestsException", api.invoke, FunctionName=name)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 429)
        api.delete_function_concurrency(FunctionName=name)
        self.assertEqual(invoke(name, 7).payload, 7)

    def test_it_needs_an_authorization_header(self):
        name = create(ECHO)
        path = f"/2015-03-31/functions/{name}/invocations"
        for headers in ({}, {"Content-Type": "application/json"}, {"Content-Type": "application/x-amz-json-1.0"}):
            status, body, answer = http("POST", path, b"{}", headers)
            self.assertEqual(status, 403, body)
        self.assertEqual(http("GET", "/2015-03-31/functions/")[0], 403)
        signature = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=x"
        self.assertEqual(http("POST", path, b"{}", {"Authorization": signature})[0], 200)
        rebound = {"Authorization": signature, "Host": "evil.example"}
        for method, target, sent in (("POST", path, b"{}"), ("GET", f"/2015-03-31/functions/{name}", None), ("GET", f"/pawl/functions/{name}/logs", None)):
            self.assertEqual(http(method, target, sent, rebound)[0], 403, target)
            self.assertEqual(http(method, target, sent, {"Authorization": signature})[0], 200, target)
        foreign = {"Authorization": signature, "Origin": "http://evil.example"}
        self.assertEqual(http("POST", path, b"{}", foreign)[0], 403)


class WithKeys(Case):
    def test_functions_reach_a_server_that_demands_signatures(self):
        from blackbox import servers

        config = '[[access_key]]\nid = "operator"\nsecret = "the operator\'s secret"\n'
        cleanup = suite.current().cleanup
        pawl = cleanup.add(servers.Pawl(suite.current().require_binary(), suite.current().ports, cleanup.directory(), config))
        pawl.start()
        import boto3

        keys = {"endpoint_url": pawl.url, "aws_access_key_id": "operator", "aws_secret_access_key": "the operator's secret"}
        api = boto3.client("lambda", **keys)
        boto3.client("s3", **keys).create_bucket(Bucket="kept")
        code = ("import boto3, os\ndef lambda_handler(event, context):\n"
                "    boto3.client('s3').put_object(Bucket='kept', Key='k', Body=b'v')\n"
                "    return os.environ['AWS_ACCESS_KEY_ID']\n")
        api.create_function(FunctionName="f", Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler", Timeout=30,
                            MemorySize=512, Code={"ZipFile": zipped({"handler.py": code})})
        answer = json.loads(api.invoke(FunctionName="f")["Payload"].read())
        self.assertTrue(answer.startswith("PAWLFN"), answer)
        self.assertEqual(boto3.client("s3", **keys).get_object(Bucket="kept", Key="k")["Body"].read(), b"v")
        self.refused("UnrecognizedClientException", client(url=pawl.url).list_functions)
        done = pawl.run("logs", "f", "--endpoint", pawl.url)
        self.assertEqual(done.returncode, 2, "the wrong keys")
        self.assertEqual(pawl.stop(), 0)


if __name__ == "__main__":
    unittest.main()
