"""The body of a response, taken where it arrives: nothing is lost, doubled or overtaken, however the two sides behave."""

import asyncio
import datetime
import ssl
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvloop
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from antidistill.serve.app.arrivals import Arrivals

PIECES = [f"piece {number} ".encode() * (1 + number % 7) for number in range(400)]


@asynccontextmanager
async def asked(handler, tls=None, **options):
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        async with aiohttp.ClientSession(**options) as session:
            yield lambda: session.get(url, ssl=False)
    finally:
        await runner.cleanup()


async def in_pieces(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for number, piece in enumerate(PIECES):
        await response.write(piece)
        if number % 50 == 0:
            await asyncio.sleep(0.001)
    return response


async def read(answer, take):
    """All that is offered until the body ends; `take` says what it wants to wait for."""
    came = []

    def offered(data):
        came.append(data)
        return take(len(came))

    with Arrivals(answer, offered) as arrivals:
        while await arrivals.wait():
            await asyncio.sleep(0)
    return b"".join(came)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "engine.pem"
    file.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("encrypted", [False, True])
def test_on_every_loop_and_encrypted_or_not(run_loop, encrypted, tls):
    async def run():
        async with asked(in_pieces, tls if encrypted else None) as get:
            bodies = []
            for _ in range(3):
                async with get() as answer:
                    bodies.append(await read(answer, lambda count: count % 4 > 0))
            return bodies

    assert run_loop(run()) == [b"".join(PIECES)] * 3


@pytest.mark.parametrize("take", [lambda count: True, lambda count: False, lambda count: count % 3 > 0])
def test_all_bytes_are_offered_once_and_in_order(take):
    async def run():
        async with asked(in_pieces) as get, get() as answer:
            return await read(answer, take)

    assert asyncio.run(run()) == b"".join(PIECES)


def test_a_body_that_is_there_already_is_offered_too():
    async def whole(request):
        return web.Response(body=b"all of it")

    async def run():
        async with asked(whole) as get, get() as answer:
            await asyncio.sleep(0.05)
            return await read(answer, lambda count: True)

    assert asyncio.run(run()) == b"all of it"


def test_more_than_the_client_buffers_is_held_back_and_comes_whole():
    size = 4_000_000

    async def large(request):
        return web.Response(body=b"x" * size)

    async def run():
        async with asked(large, read_bufsize=1024) as get, get() as answer:
            await asyncio.sleep(0.2)
            assert answer.content.total_bytes < size, "nothing held the sender back"
            return await read(answer, lambda count: count % 2 > 0)

    assert len(asyncio.run(run())) == size


def test_the_connection_serves_the_next_request_when_the_body_has_ended():
    ports = []

    async def told(request):
        ports.append(request.transport.get_extra_info("peername")[1])
        return await in_pieces(request)

    async def run():
        async with asked(told) as get:
            for _ in range(5):
                async with get() as answer:
                    assert await read(answer, lambda count: True) == b"".join(PIECES)

    asyncio.run(run())
    assert len(ports) == 5
    assert len(set(ports)) == 1


def test_many_responses_share_connections_without_mixing():
    async def numbered(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(30):
            await response.write(request.query_string.encode() or b"-")
            await asyncio.sleep(0)
        return response

    async def run():
        async with asked(numbered, connector=aiohttp.TCPConnector(limit=4)) as get:

            async def one():
                async with get() as answer:
                    return await read(answer, lambda count: count % 5 > 0)

            return await asyncio.gather(*(one() for _ in range(40)))

    assert set(asyncio.run(run())) == {b"-" * 30}


def test_a_connection_that_breaks_is_an_error_behind_the_bytes_that_came():
    came = []

    async def broken(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        await asyncio.sleep(0.05)
        request.transport.abort()
        return response

    async def run():
        async with asked(broken) as get, get() as answer:
            with Arrivals(answer, lambda data: bool(came.append(data)) or True) as arrivals:
                while await arrivals.wait():
                    pass

    with pytest.raises(aiohttp.ClientError):
        asyncio.run(run())
    assert came == [b"half"]


def test_what_goes_wrong_in_taking_reaches_the_task_that_waits():
    def fails(data):
        raise ZeroDivisionError

    async def late(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"")
        await asyncio.sleep(0.05)
        await response.write(b"late")
        return response

    async def run():
        async with asked(late) as get, get() as answer:
            with Arrivals(answer, fails) as arrivals:
                await arrivals.wait()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())


def test_it_can_be_woken():
    async def silent(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a")
        await asyncio.sleep(30)
        return response

    async def run():
        async with asked(silent) as get, get() as answer:
            with Arrivals(answer, lambda data: True) as arrivals:
                asyncio.get_running_loop().call_later(0.1, arrivals.wake)
                return await asyncio.wait_for(arrivals.wait(), 5)

    assert asyncio.run(run()) is True


@pytest.mark.parametrize("is_waiting", [True, False])
def test_it_can_be_told_to_fail(is_waiting):
    async def handler(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(5)
        return response

    async def run():
        async with asked(handler) as get, get() as answer:
            with Arrivals(answer, lambda data: True) as arrivals:
                if is_waiting:
                    asyncio.get_running_loop().call_later(0.05, arrivals.fail, ValueError("late"))
                else:
                    arrivals.fail(ValueError("late"))
                with pytest.raises(ValueError, match="late"):
                    await asyncio.wait_for(arrivals.wait(), 2)

    asyncio.run(run())
