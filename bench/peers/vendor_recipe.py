#!/usr/bin/env python3
"""The upload loop of the vendor's own articles, as an integrator would write it from them.

`asyncio`: aiohttp, the articles' RateLimiter and their "about 10 concurrent workers".
`requests`: the three calls of the upload article, one file after the other.
Parts of a large file go in order, as the file-upload guide asks for. Nothing is verified and
nothing is remembered: neither do the articles.

    vendor_recipe.py [--how asyncio|requests] [--rate N] [--ca FILE] URL FOLDER
"""
import argparse
import asyncio
import base64
import mimetypes
import os
import ssl
import time

WORKERS = 10


class RateLimiter:
    """The articles' text: max_calls at once, each given back after period / max_calls."""

    def __init__(self, max_calls=950, period=60.0):
        self._semaphore = asyncio.Semaphore(max_calls)
        self.period = period
        self.max_calls = max_calls

    async def __aenter__(self):
        await self._semaphore.acquire()

    async def __aexit__(self, *_):
        await asyncio.sleep(self.period / self.max_calls)
        self._semaphore.release()


class NoLimiter:
    async def __aenter__(self):
        pass

    async def __aexit__(self, *_):
        pass


def find_files(folder):
    for where, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(where, name)


def asked(path):
    """The body of request-upload."""
    name = os.path.basename(path)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {"filename": name, "file_name": name, "mime_type": kind,
            "size": os.path.getsize(path)}


def confirmed(request, data, etags):
    """The body of confirm-upload."""
    body = {"file_path": data["file_path"], "file_name": request["file_name"],
            "file_size": request["size"], "metadata": {"published": False}}
    if "parts" in data:
        body["upload_id"] = data["upload_id"]
        body["multipart"] = [{"part_number": number, "etag": etag} for number, etag in etags]
    return body


def basic(environ=os.environ):
    pair = f"{environ['PXM_CLIENT_ID']}:{environ['PXM_CLIENT_SECRET']}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def slices(data, size):
    """(part number, URL, first byte, bytes) of all that is to be PUT."""
    if "parts" not in data:
        return [(None, data["upload_url"], 0, size)]
    return [(part["part_number"], part["upload_url"], part["start_byte"],
             part["end_byte"] + 1 - part["start_byte"]) for part in data["parts"]]


def run_requests(base_url, folder, ca):
    import requests

    def check(reply):
        reply.raise_for_status()
        return reply

    verify = ca or True
    token = check(requests.post(f"{base_url}/v2/oauth/authorize", verify=verify,
                                headers={"Authorization": basic()},
                                json={"grant_type": "client_credentials"})).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    for path in find_files(folder):
        request = asked(path)
        data = check(requests.post(f"{base_url}/v3/file/request-upload", headers=headers,
                                   verify=verify, json=request)).json()["upload_data"]
        etags = []
        with open(path, "rb") as source:
            for number, url, start, length in slices(data, request["size"]):
                source.seek(start)
                body = source if number is None and length else source.read(length)
                reply = check(requests.put(url, data=body, verify=verify,
                                           headers={"Content-Type": request["mime_type"]}))
                etags.append((number, reply.headers["ETag"]))
        check(requests.post(f"{base_url}/v3/file/confirm-upload", headers=headers, verify=verify,
                            json=confirmed(request, data, etags)))


async def upload_one(session, limiter, base_url, headers, path):
    import yarl

    request = asked(path)
    async with limiter:
        async with session.post(f"{base_url}/v3/file/request-upload", headers=headers,
                                json=request) as reply:
            reply.raise_for_status()
            data = (await reply.json())["upload_data"]
    etags = []
    with open(path, "rb") as source:
        for number, url, start, length in slices(data, request["size"]):
            source.seek(start)
            # Presigned URLs must not be quoted once more.
            async with session.put(yarl.URL(url, encoded=True), data=source.read(length),
                                   headers={"Content-Type": request["mime_type"]}) as reply:
                reply.raise_for_status()
                etags.append((number, reply.headers["ETag"]))
    async with limiter:
        async with session.post(f"{base_url}/v3/file/confirm-upload", headers=headers,
                                json=confirmed(request, data, etags)) as reply:
            reply.raise_for_status()


async def run_asyncio(base_url, folder, ca, rate):
    import aiohttp

    limiter = RateLimiter(rate) if rate else NoLimiter()
    tls = ssl.create_default_context(cafile=ca) if ca else None
    paths = iter(find_files(folder))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        async with session.post(f"{base_url}/v2/oauth/authorize",
                                headers={"Authorization": basic()},
                                json={"grant_type": "client_credentials"}) as reply:
            reply.raise_for_status()
            token = (await reply.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}

        async def work():
            for path in paths:
                await upload_one(session, limiter, base_url, headers, path)

        await asyncio.gather(*(work() for _ in range(WORKERS)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--how", choices=["asyncio", "requests"], default="asyncio")
    parser.add_argument("--rate", type=int, default=950, help="per 60 s; 0: no limit")
    parser.add_argument("--ca", help="PEM file with the server's authority")
    parser.add_argument("url")
    parser.add_argument("folder")
    args = parser.parse_args()
    began = time.monotonic()
    if args.how == "requests":
        run_requests(args.url, args.folder, args.ca)
    else:
        asyncio.run(run_asyncio(args.url, args.folder, args.ca, args.rate))
    print(f"{time.monotonic() - began:.3f} s")


if __name__ == "__main__":
    main()
