"""Runs a Python handler: asks the runtime API for work, calls the handler, and tells what it returned. Source: Lambda developer
guide, "Using the Lambda runtime API" and "Define Lambda function handler in Python"."""

import http.client
import importlib
import json
import os
import sys
import time
import traceback

PATH = "/2018-06-01/runtime"


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class Api:
    def __init__(self):
        self._connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        self._connection.request(method, PATH + path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()


def error_of(error, kind=None):
    trace = traceback.extract_tb(error.__traceback__)
    own = os.path.abspath(__file__)
    lines = traceback.format_list([frame for frame in trace if os.path.abspath(frame.filename) != own])
    return {"errorMessage": str(error), "errorType": kind or type(error).__name__, "requestId": "", "stackTrace": lines}


def log_error(document):
    print("[ERROR] {}: {}\n{}".format(document["errorType"], document["errorMessage"],
                                      "".join(["Traceback (most recent call last):\n"] + document["stackTrace"])).rstrip(), flush=True)


def load_handler(name):
    """`folder/module.function`, as CreateFunction has it."""
    module, dot, function = name.rpartition(".")
    if not dot:
        raise ImportError("Bad handler '{}': not enough values to unpack".format(name))
    return getattr(importlib.import_module(module.replace("/", ".")), function)


def start(api):
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    handler = os.environ["_HANDLER"]
    try:
        return load_handler(handler)
    except BaseException as error:  # also SystemExit: the service takes any for a failed start
        if isinstance(error, ImportError):
            document = error_of(error, "Runtime.ImportModuleError")
            document["errorMessage"] = "Unable to import module '{}': {}".format(handler.rpartition(".")[0], error)
        elif isinstance(error, AttributeError) and not error.__traceback__.tb_next.tb_next:
            document = error_of(error, "Runtime.HandlerNotFound")
            document["errorMessage"] = "Handler '{}' missing on module '{}'".format(handler.rpartition(".")[2], handler.rpartition(".")[0])
        elif isinstance(error, SyntaxError):
            document = error_of(error, "Runtime.UserCodeSyntaxError")
        else:
            document = error_of(error)
        log_error(document)
        api.ask("POST", "/init/error", json.dumps(document))
        sys.exit(1)


def run_one(api, handler):
    status, headers, body = api.ask("GET", "/invocation/next")
    if status != 200:
        sys.exit(0)  # it is stopped
    context = Context(headers)
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
    request = "/invocation/" + context.aws_request_id
    try:
        result = json.dumps(handler(json.loads(body), context), ensure_ascii=False).encode("utf-8", "surrogatepass")
    except Exception as error:
        document = error_of(error)
        document["requestId"] = context.aws_request_id
        if isinstance(error, TypeError) and "not JSON serializable" in str(error):
            document["errorType"] = "Runtime.MarshalError"
            document["errorMessage"] = "Unable to marshal response: {}".format(error)
        log_error(document)
        sys.stderr.flush()
        api.ask("POST", request + "/error", json.dumps(document))
        return
    sys.stdout.flush()
    sys.stderr.flush()
    api.ask("POST", request + "/response", result)


def main():
    api = Api()
    handler = start(api)
    while True:
        run_one(api, handler)


if __name__ == "__main__":
    main()
