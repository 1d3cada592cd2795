"""Executables that speak the runtime API: a small C++ program, a shell script with curl, and some that break its rules."""

import os
import subprocess
import tempfile

from shared import Case, create, invoke, logs, texts

HERE = os.path.dirname(os.path.abspath(__file__))

RAW = """#!/usr/bin/python3
import http.client, os, socket, sys, time
api = os.environ['AWS_LAMBDA_RUNTIME_API']
P = '/2018-06-01/runtime'
def ask(method, path, body=None, headers={}):
    c = http.client.HTTPConnection(api)
    c.request(method, P + path, body, headers)
    a = c.getresponse()
    return a.status, a.headers, a.read()
"""


class Compiled(Case):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "bootstrap")
            subprocess.run(["g++", "-std=c++20", "-Os", "-static", "-o", out, os.path.join(HERE, "bootstrap.cc")], check=True)
            with open(out, "rb") as file:
                cls.binary = file.read()

    def test_a_cpp_executable(self):
        name = create({"bootstrap": self.binary}, runtime="provided.al2023", handler="any")
        self.assertEqual(invoke(name, {"n": 1}).payload, {"got": {"n": 1}})
        self.assertEqual(invoke(name, "x").payload, {"got": "x"})
        failed = invoke(name, "fail")
        self.assertEqual((failed.error, failed.payload["errorType"]), ("Unhandled", "Bad"))
        lines = [line for line in logs(name) if line["text"] == 'handling "fail"']
        self.assertEqual([line["request_id"] for line in lines], [failed.id])

    def test_not_executable(self):
        from shared import zipped

        name = create(zipped({"bootstrap": self.binary}), runtime="provided", handler="any")
        from botocore.exceptions import ClientError

        with self.assertRaises(ClientError) as caught:
            invoke(name)
        self.assertIn("Permission denied", str(caught.exception))
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidZipFileException")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 502)
        self.assertIn("an executable file `bootstrap`", str(caught.exception))
        name = create({"other": "x"}, runtime="provided", handler="any")
        with self.assertRaises(ClientError) as caught:
            invoke(name)
        self.assertIn("bootstrap", str(caught.exception))


class Script(Case):
    def test_a_shell_script_with_curl(self):
        script = """#!/bin/sh
while true; do
  headers=$(mktemp)
  event=$(curl -sS -D "$headers" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
  id=$(grep -i lambda-runtime-aws-request-id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  rm "$headers"
  echo "event $event" >&2
  curl -sS -o /dev/null -d "{\\"length\\": ${#event}}" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
"""
        name = create({"bootstrap": script}, runtime="provided.al2", handler="any", Timeout=60)
        self.assertEqual(invoke(name, [1, 2]).payload, {"length": 6})
        self.assertIn("event [1, 2]", [line["text"] for line in logs(name) if line["stream"] == "stderr"])


class Rules(Case):
    def raw(self, body, **more):
        return create({"bootstrap": RAW + body}, runtime="provided", handler="any", **more)

    def test_rubbish_as_an_answer(self):
        name = self.raw("while True:\n    s, h, b = ask('GET', '/invocation/next')\n"
                        "    s, _, _ = ask('POST', '/invocation/%s/response' % h['Lambda-Runtime-Aws-Request-Id'], b'\\xff{')\n    print('status', s, flush=True)\n")
        done = invoke(name)
        self.assertEqual((done.error, done.payload["errorType"]), ("Unhandled", "Runtime.InvalidResponse"))
        done = invoke(name)
        self.assertIn("status 202", texts(name))

    def test_answers_for_another_invocation(self):
        name = self.raw("s, h, b = ask('GET', '/invocation/next')\n"
                        "for path in ('/invocation/other/response', '/invocation//response', '/invocation/other/error', '/nonsense', '/invocation/a/b/response'):\n"
                        "    print(path, ask('POST', path, b'1')[0], flush=True)\n"
                        "i = '/invocation/%s/response' % h['Lambda-Runtime-Aws-Request-Id']\n"
                        "print('first', ask('POST', i, b'1')[0], 'again', ask('POST', i, b'2')[0], flush=True)\n"
                        "ask('GET', '/invocation/next')\n")
        self.assertEqual(invoke(name).payload, 1)
        self.assertEqual([text for text in texts(name) if text.startswith("/")],
                         ["/invocation/other/response 400", "/invocation//response 400", "/invocation/other/error 400", "/nonsense 404",
                          "/invocation/a/b/response 404"])

    def test_asks_again_without_an_answer(self):
        name = self.raw("ask('GET', '/invocation/next')\nask('GET', '/invocation/next')\n")
        done = invoke(name)
        self.assertEqual((done.error, done.payload["errorType"]), ("Unhandled", "Runtime.ExitError"))

    def test_is_not_for_web_pages_nor_for_nonsense(self):
        name = self.raw("host, port = api.split(':')\n"
                        "print('origin', ask('GET', '/invocation/next', None, {'Origin': 'http://evil.example'})[0], flush=True)\n"
                        "print('host', ask('GET', '/invocation/next', None, {'Host': 'evil.example'})[0], flush=True)\n"
                        "for text in (b'\\0' * 100, b'GET / HTTP/9.9\\r\\n\\r\\n', b'GET /' + b'x' * 100000, b'POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nHost: ' + api.encode() + b'\\r\\nContent-Length: 99999999999\\r\\n\\r\\n'):\n"
                        "    s = socket.create_connection((host, int(port)))\n"
                        "    try:\n        s.sendall(text)\n        s.shutdown(socket.SHUT_WR)\n        while s.recv(1000): pass\n"
                        "    except OSError: pass  # it may hang up before it has all of it\n    s.close()\n"
                        "held = [socket.create_connection((host, int(port))) for _ in range(40)]\nfor h in held: h.close()\ntime.sleep(0.2)\n"
                        "while True:\n    s, h, b = ask('GET', '/invocation/next')\n"
                        "    ask('POST', '/invocation/%s/response' % h['Lambda-Runtime-Aws-Request-Id'], b)\n", Timeout=60)
        self.assertEqual(invoke(name, 5).payload, 5)
        self.assertIn("origin 403", texts(name))
        self.assertIn("host 403", texts(name))

    def test_start_error(self):
        name = self.raw("print(ask('POST', '/init/error', b'{\"errorType\": \"Own\", \"errorMessage\": \"m\"}')[0], flush=True)\nsys.exit(2)\n")
        self.assertEqual(invoke(name).payload["errorType"], "Own")
