"""A real Redis on a free port."""

import os
import shutil
import socket
import subprocess
import time

import pytest


class RedisServer:
    """A Redis of the tests' own, with a password, that can be stopped and started again."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.url = f"redis://:password-of-redis@127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", "password-of-redis", "--save", ""]
        self.process = subprocess.Popen(
            ["redis-server", *options, "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, "redis-server did not start"
                time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis_server(tmp_path):
    pytest.importorskip("redis", reason="needs the extra redis")
    if shutil.which("redis-server") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server is missing: sh scripts/install-redis")
        pytest.skip("needs redis-server (sh scripts/install-redis)")
    server = RedisServer(tmp_path)
    yield server
    server.stop()
