"""Works its shops in quick cycles and leaves a line for each. The file `how` says what is wrong with it; with `ill`, every
cycle fails once there is a file of that name."""
import os
import random
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = open("VERSION").read().strip()
HOW = open("how").read().split()[0]
FOLDER = os.environ["TRADEWIND_DATA_DIR"]
SHOPS = os.environ["TRADEWIND_SHARDS"].split(",")
COUNTS = dict.fromkeys(["orders_found_total", "orders_written_total", "cycles_total", "cycles_failed_total"], 0)
GOING = threading.Event()


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = "".join(f"{name} {n}\n" for name, n in COUNTS.items()).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


signal.signal(signal.SIGTERM, lambda *_: GOING.set())
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
traces = [open(f"{FOLDER}/{shop}.trace", "a", buffering=1) for shop in SHOPS]
while not GOING.wait(0.02):
    for trace in traces:
        trace.write(f"{VERSION} {os.getpid()} {time.time_ns()}\n")
        written = sum(not (HOW == "skips" and random.random() < 0.5) for _ in range(10))
        COUNTS["orders_found_total"] += 10
        COUNTS["orders_written_total"] += written
        COUNTS["cycles_total"] += 1
        COUNTS["cycles_failed_total"] += HOW == "ill" and os.path.exists(f"{FOLDER}/ill")
# The cycle under way takes its time; whoever began now would be two.
time.sleep(0.1)
for trace in traces:
    trace.write(f"{VERSION} {os.getpid()} {time.time_ns()}\n")
os._exit(0)
