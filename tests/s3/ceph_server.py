"""Ceph's radosgw: one monitor, one OSD whose disk is a sparse file, no authentication among them."""
import json
import uuid

import rados

from children import NotReady, free_ports, new_secret

DISK_BYTES = 8 << 30
# What a cluster of one, for a minute, does without: replicas, placement groups, caches, sockets.
CONF = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
keyring = {folder}/keyring
run dir = {folder}
admin socket =
log file =
log to stderr = true
err to stderr = true
mon cluster log file =
crash dir = {folder}
mon data = {folder}/mon
mon allow pool size one = true
mon data avail crit = 1
osd data = {folder}/osd
osd objectstore = bluestore
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd memory target = 939524096
bluestore block size = {disk_bytes}
bluestore cache autotune = false
bluestore cache size = 67108864
rgw data = {folder}/rgw
rgw thread pool size = 32
rgw frontends = beast endpoint=127.0.0.1:{http}
"""


class Cluster:
    """Commands to the monitor, in this process: the `ceph` program takes a second each."""

    def __init__(self, conf):
        self.handle = rados.Rados(conffile=str(conf), name="client.admin")
        self.handle.connect(timeout=30)

    def command(self, **words):
        code, reply, text = self.handle.mon_command(json.dumps({"format": "json", **words}), b"")
        if code:
            raise NotReady(f"{words}: {code} {text}")
        return json.loads(reply) if reply else None

    def osd_is_up(self):
        return self.command(prefix="osd stat")["num_up_osds"] == 1

    def close(self):
        self.handle.shutdown()


def _start_monitor(children, conf, ids):
    folder = children.folder
    # Nobody checks the keys, yet some will not start without one in their name.
    for name, create in (("mon.", ["--create-keyring"]), ("client.rgw", [])):
        children.run("ceph-authtool", *create, folder / "keyring", "--gen-key", "-n", name)
    children.run("monmaptool", "--create", "--fsid", ids["fsid"], "--addv", "a",
                 f"[v2:127.0.0.1:{ids['v2']},v1:127.0.0.1:{ids['v1']}]", folder / "monmap")
    children.run("ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", folder / "monmap",
                 "--keyring", folder / "keyring")
    children.start("mon", "ceph-mon", "-c", conf, "-f", "-i", "a")


def _start_osd(children, conf, cluster):
    disk = str(uuid.uuid4())
    cluster.command(prefix="osd new", uuid=disk)
    children.run("ceph-osd", "-c", conf, "--mkfs", "-i", "0", "--osd-uuid", disk)
    children.start("osd", "ceph-osd", "-c", conf, "-f", "-i", "0")


def start(children):
    """Starts all; (endpoint, access key, secret key). It may not answer yet."""
    folder = children.folder
    conf = folder / "ceph.conf"
    v2, v1, http = free_ports(3)
    ids = {"fsid": str(uuid.uuid4()), "v2": v2, "v1": v1, "http": http}
    conf.write_text(CONF.format(folder=folder, disk_bytes=DISK_BYTES, **ids))
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    _start_monitor(children, conf, ids)
    cluster = Cluster(conf)
    try:
        _start_osd(children, conf, cluster)
        children.wait_for(cluster.osd_is_up, "the OSD")
    finally:
        cluster.close()
    secret = new_secret()
    children.run("radosgw-admin", "-c", conf, "--name", "client.rgw", "user", "create", "--uid",
                 "tester", "--display-name", "tester", "--access-key", "tester", "--secret", secret)
    children.start("rgw", "radosgw", "-c", conf, "-f", "--name", "client.rgw")
    return f"http://127.0.0.1:{http}", "tester", secret
