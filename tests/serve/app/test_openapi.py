"""The published OpenAPI document is what is served, and requests made from it meet no answer that it does not know."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from aiohttp import web
from tests.serve.serving import Engine, running

from antidistill.serve.app.openapi import document
from antidistill.serve.demo.engine import DemoEngine, bundled_traces
from antidistill.serve.side_channels.request_fields import FIELDS

PAGE = Path(__file__).parents[3] / "docs" / "openapi.json"


class Demo(Engine):
    """The scripted engine, which also tells its models."""

    def __init__(self):
        super().__init__(lambda request, body: web.Response())
        self.engine = DemoEngine(bundled_traces())

    async def handle(self, request):
        return await self.engine.handle(request)


@pytest.fixture(scope="module")
def url():
    with running(Demo()) as own:
        yield own.url


def asked(url, method, path):
    request = urllib.request.Request(url + path, b"{}" if method in {"POST", "PUT", "PATCH"} else None, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers)
    except HTTPError as error:
        return error.code, dict(error.headers)


def test_the_page_is_what_the_command_prints():
    command = [str(Path(sys.executable).with_name("antidistill")), "serve", "--openapi", "--ollama"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert PAGE.read_text() == printed, "run: antidistill serve --openapi --ollama > docs/openapi.json"
    assert json.loads(printed) == document(ollama=True)


def test_every_path_of_the_document_is_served_with_its_methods_only(url):
    for path, methods in document(ollama=True)["paths"].items():
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            status, headers = asked(url, method, path)
            assert (status != 405) == (method.lower() in methods), (method, path, status)
            assert status != 404
            if status == 405:
                assert {name.lower() for name in headers["Allow"].split(", ")} >= set(methods)


def test_ollamas_route_is_in_it_only_where_it_is_served(url):
    assert set(document(ollama=True)["paths"]) - set(document()["paths"]) == {"/api/chat"}


def test_the_fields_that_are_listed_reach_the_engine():
    for route, fields in FIELDS.items():
        schema = document(ollama=True)["paths"][route]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert set(schema["properties"]) == fields


def test_generated_requests_meet_no_answer_that_the_document_does_not_know(url):
    """Schemathesis: bodies by the schema and against it, odd headers, methods that are not there."""
    pytest.importorskip("schemathesis", reason="needs the extra dev")
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(PAGE), "--url", url]
    bounds = ["--phases", "coverage,fuzzing", "--max-examples", "10", "--max-time", "5", "--seed", "1"]
    told = subprocess.run([*command, *bounds], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout[-3000:]
    assert int(re.search(r"(\d+) generated", told.stdout)[1]) >= 50
