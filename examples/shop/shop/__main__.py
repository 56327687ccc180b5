"""Start the shop: `python3 -m shop`, with PORT and TRADEWIND_DATA_DIR in the environment."""

import os
import signal
import sys
import threading
from pathlib import Path

from .api import Api
from .release import Release
from .server import Server
from .store import Store

ROOT = Path(__file__).resolve().parent.parent


def main():
    release = Release.read(ROOT)
    data = Path(os.environ.get("TRADEWIND_DATA_DIR", ROOT / "data"))
    data.mkdir(parents=True, exist_ok=True)
    store = Store(data / "shop.db")
    server = Server(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Api(store, release))

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    print(f"shop {release.version} listens on {server.server_address[0]}:{server.server_address[1]}", flush=True)
    stop.wait()
    print("asked to stop: no new connections, finishing what was begun", flush=True)
    left = server.drain()
    print(f"stopped, {left} connections cut off", flush=True)
    return 0 if left == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
