"""Who may come in, and how it is told that somebody may not."""

import asyncio
import json
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
import websockets

from tests.clips import TURN_ON
from tests.server.door import PATIENCE, House
from tests.server.http.web import Web, line, run, serving

TOKENS = ("first secret", "zweites-Gehéimnis")


def bearer(token: str) -> dict[str, bytes]:
    return {"Authorization": b"Bearer " + token.encode()}


@pytest.mark.parametrize("token", TOKENS)
def test_each_token_opens_all_doors(house: House, token: str) -> None:
    with serving(house, http_tokens=TOKENS) as web:
        assert web.get("/v1/models", headers=bearer(token)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, bearer("first"), bearer("First secret"), {"Authorization": "Basic Zm9v"}],
    ids=["none", "half", "case", "basic"],
)
def test_nobody_comes_in_without_one(house: House, headers: dict[str, str]) -> None:
    with serving(house, http_tokens=TOKENS) as web:
        answer = web.get("/v1/models", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "unauthorized"
        sent = httpx.post(f"{web.url}/transcribe", headers=headers, content=b"x" * 100_000)
        assert sent.status_code == 401


def test_probes_need_none(house: House) -> None:
    with serving(house, http_tokens=TOKENS) as web:
        paths = ("/healthz", "/readyz", "/docs", "/docs/files/swagger-ui.css", "/openapi.json")
        assert {web.get(path).status_code for path in paths} == {200}
        closed = ("/metrics", "/docsx", "/docs/../metrics", "/events")
        assert {web.get(path).status_code for path in closed} == {401}


def test_a_websocket_needs_one_too(house: House) -> None:
    async def status(uri: str, **more: object) -> int:
        try:
            async with line(uri, **more):
                return 101
        except websockets.InvalidStatus as error:
            return error.response.status_code

    async def statuses(ws: str) -> list[int]:
        wrong, right = ({"Authorization": f"Bearer {t}"} for t in ("wrong", "first secret"))
        # What pages in a browser can do.
        names = ["realtime", "openai-insecure-api-key.sesame"]
        return [
            await status(f"{ws}/stream"),
            await status(f"{ws}/stream", additional_headers=wrong),
            await status(f"{ws}/stream", additional_headers=right),
            await status(f"{ws}/v1/realtime", subprotocols=names),
        ]

    with serving(house, http_tokens=(*TOKENS, "sesame")) as web:
        assert run(statuses(web.ws)) == [401, 401, 101, 101]


def test_pages_of_other_hosts_are_kept_out(house: House) -> None:
    foreign = {"Origin": "https://elsewhere.example"}

    async def status(uri: str, origin: str) -> int:
        try:
            async with line(uri, origin=origin):
                return 101
        except websockets.InvalidStatus as error:
            return error.response.status_code

    with serving(house) as web:
        assert httpx.post(f"{web.url}/transcribe", headers=foreign).status_code == 403
        assert run(status(f"{web.ws}/stream", foreign["Origin"])) == 403
        assert run(status(f"{web.ws}/stream", web.url)) == 101
        assert "access-control-allow-origin" not in web.get("/healthz", headers=foreign).headers
    with serving(house, http_origins=("https://elsewhere.example",)) as web:
        assert run(status(f"{web.ws}/stream", foreign["Origin"])) == 101
        allowed = web.get("/healthz", headers=foreign).headers["access-control-allow-origin"]
        assert allowed == foreign["Origin"]
        asked = httpx.options(
            f"{web.url}/transcribe",
            headers={**foreign, "Access-Control-Request-Method": "POST"},
        )
        assert asked.status_code == 200


def asked(web: Web, host: str) -> tuple[int, int]:
    """Return the statuses of a request and of a WebSocket by that name of the server."""

    async def upgraded() -> int:
        try:
            async with line(f"ws://{host}:{web.server.port}/stream", host="127.0.0.1"):
                return 101
        except websockets.InvalidStatus as error:
            return error.response.status_code

    name = {"Host": f"{host}:{web.server.port}"}
    return web.get("/info", headers=name).status_code, run(upgraded())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "speech", "speech.local", "a.b.internal"]
)
def test_by_names_that_nobody_outside_can_own_it_is_reached(web: Web, host: str) -> None:
    assert asked(web, host) == (200, 101)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "local.example", "evil.locals", "1.2.3"]
)
def test_a_page_whose_name_was_made_to_lead_here_is_told_nothing(web: Web, host: str) -> None:
    assert asked(web, host) == (403, 403)
    answer = web.get("/info", headers={"Host": host})
    assert answer.json()["error"]["code"] == "forbidden-host"


@pytest.mark.parametrize(
    ("host", "status"),
    [("[::1]:80", 200), ("[fe80::1%25eth0]", 200), ("192.168.1.2:8", 200), ("speech.local.", 200),
     ("evil.example:local", 403), ("evil.example.", 403), ("", 200)],
)  # fmt: skip
def test_hosts_are_written_in_many_ways(web: Web, host: str, status: int) -> None:
    assert web.get("/info", headers={"Host": host}).status_code == status


def test_a_name_is_made_known(house: House) -> None:
    with serving(house, http_hosts=("Speech.example",)) as web:
        assert asked(web, "speech.example") == (200, 101)
        assert asked(web, "evil.example") == (403, 403)
    for known in ({"http_hosts": ("*",)}, {"http_tokens": ("sesame",)}):
        with serving(house, **known) as web:
            answer = web.get("/info", headers={"Host": "any.example", **bearer("sesame")})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/files/swagger-ui.css", "/static/style.css", "/transcribe",
             "/events", "/stream/", "/nothing"]
)  # fmt: skip
def test_a_websocket_where_there_is_none_is_told_so(
    web: Web, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused() -> tuple[int, str]:
        with pytest.raises(websockets.InvalidStatus) as caught:
            async with line(web.ws + path):
                pass
        response = caught.value.response
        return response.status_code, json.loads(response.body)["error"]["code"]

    assert run(refused()) == (404, "not-found")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_port_that_the_system_chose_is_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), serving(house) as web:
        assert f"serving http on tcp://127.0.0.1:{web.server.port}" in caplog.messages


def test_it_speaks_tls(house: House, tmp_path: Path) -> None:
    certificate = tmp_path / "chain.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(certificate), "-out", str(tmp_path / "certificate.pem")],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl is not here")
    certificate.write_text(
        certificate.read_text("ascii") + (tmp_path / "certificate.pem").read_text("ascii"), "ascii"
    )
    with serving(house, http_certificate=str(certificate)) as web:
        trusted = ssl.create_default_context(cafile=str(certificate))
        url = web.url.replace("http:", "https:")
        assert httpx.get(f"{url}/healthz", verify=trusted).json() == {"status": "alive"}

        async def speak() -> str:
            uri = web.ws.replace("ws:", "wss:")
            async with line(f"{uri}/stream", ssl=trusted) as client:
                await client.send({"language": "en"})
                await client.pcm(TURN_ON.pcm)
                await client.send({"type": "stop"})
                return str((await client.kind("final"))["text"])

        assert run(speak()) == TURN_ON.text


def test_a_certificate_that_cannot_be_used_is_told(house: House, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "empty", tmp_path / "none"):
        with (
            pytest.raises(OSError, match="certificate cannot be used"),
            serving(house, http_certificate=str(path)),
        ):
            pass


def test_a_unix_socket_serves_too_and_is_gone_at_the_end(house: House, tmp_path: Path) -> None:
    path = tmp_path / "web"
    with serving(house, http=f"unix://{path}"):
        assert path.stat().st_mode & 0o777 == 0o660
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            assert client.get("http://here/healthz").status_code == 200
    assert not path.exists()


def test_an_address_in_use_is_an_error_of_the_system(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        uri = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(OSError, match="in use"), serving(house, http=uri):
            pass


def test_broken_requests_harm_nobody(house: House) -> None:
    async def talk(port: int, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        writer.close()
        return answer

    with serving(house) as web:
        port = web.server.port
        assert b"400" in asyncio.run(talk(port, b"\0\1\2\r\n\r\n")).split(b"\r\n")[0]
        asyncio.run(talk(port, b"POST /transcribe HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf"))
        assert web.get("/healthz").status_code == 200
