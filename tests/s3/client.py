"""An independent S3 client, boto3, for tests that run under any Python.

Commands and answers are lines of JSON on stdin and stdout. Where the server is comes in the
environment variable PXLOAD_REAL_S3, as serve.py printed it.
"""
import hashlib
import json
import os
import sys

import boto3
import botocore.client


def connect(where):
    config = botocore.client.Config(signature_version="s3v4", retries={"max_attempts": 1},
                                    connect_timeout=5, read_timeout=60,
                                    s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=where["endpoint"], region_name="us-east-1",
                        aws_access_key_id=where["access_key"],
                        aws_secret_access_key=where["secret_key"], config=config)


def objects(client, bucket):
    """{key: {size, md5, type, etag}} of all objects, their bytes read whole."""
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for row in page.get("Contents", []):
            reply = client.get_object(Bucket=bucket, Key=row["Key"])
            digest, size = hashlib.md5(), 0
            for data in reply["Body"].iter_chunks(1 << 20):
                digest.update(data)
                size += len(data)
            found[row["Key"]] = {"size": size, "md5": digest.hexdigest(), "listed": row["Size"],
                                 "type": reply["ContentType"], "etag": reply["ETag"]}
    return found


def uploads(client, bucket):
    """[[key, upload id]] of the multipart uploads that were neither completed nor given up."""
    reply = client.list_multipart_uploads(Bucket=bucket)
    return [[row["Key"], row["UploadId"]] for row in reply.get("Uploads", [])]


def create(client, bucket):
    client.create_bucket(Bucket=bucket)
    return True


COMMANDS = {"create": create, "objects": objects, "uploads": uploads}


def main():
    client = connect(json.loads(os.environ["PXLOAD_REAL_S3"]))
    for line in sys.stdin:
        command, bucket = json.loads(line)
        print(json.dumps(COMMANDS[command](client, bucket)), flush=True)


if __name__ == "__main__":
    main()
