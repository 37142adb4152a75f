"""A real HTTP process with vLLM's routes and a child of its own, that fails in the ways its flags ask for."""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

flags = argparse.ArgumentParser()
flags.add_argument("--port", type=int)
flags.add_argument("--served-model-name")
flags.add_argument("--fake", default="", help="crash, slow, other, or dies=N: after N requests")
given, _ = flags.parse_known_args()
name = "another-model" if given.fake == "other" else given.served_model_name
dies = int(given.fake.removeprefix("dies=")) if given.fake.startswith("dies=") else None
ready = time.monotonic() + (60 if given.fake == "slow" else 0.2)
answered = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path == "/health":
            self.say(200 if time.monotonic() > ready else 503, {})
        elif self.path == "/v1/models":
            key = os.environ.get("VLLM_API_KEY")
            allowed = not key or self.headers["Authorization"] == f"Bearer {key}"
            self.say(200 if allowed else 401, {"data": [{"id": name}], "argv": sys.argv})

    def do_POST(self):
        global answered
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if dies is not None and answered >= dies:
            print("EngineCore died unexpectedly", flush=True)
            os._exit(1)
        answered += 1
        choices = body.get("structured_outputs", {}).get("choice")
        if choices:
            text = choices[len(body["messages"][-1]["content"]) % len(choices)]
        else:
            end = " {question}" if "{question}" in body["messages"][-1]["content"] else ""
            text = f"<prompt>Take good care, seed {body.get('seed')}.{end}</prompt>"
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self.say(
            200, {"id": "1", "object": "chat.completion", "created": 1, "model": name, "choices": [choice], "usage": usage}
        )

    def log_message(self, *_):
        pass


print("loading the weights", flush=True)
if given.fake == "crash":
    print("api_key=hunter2secret\nRuntimeError: Failed to infer device type", flush=True)
    raise SystemExit(1)
# As vLLM's engine core: a process of the same group that outlives a killed parent.
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(300)"])
print(f"engine core {child.pid}", flush=True)
ThreadingHTTPServer.handle_error = lambda *_: None
server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    time.sleep(1)
