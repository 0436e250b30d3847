"""OpenStack Swift with its S3 interface: one device, one replica, each server one process."""
import os
import pwd

from swift.common.ring.builder import RingBuilder

from children import free_ports, new_secret

# The storage servers in the order of their ports; the proxy and memcached follow.
STORAGE = ("account", "container", "object")
MIDDLEWARE = {
    "catch_errors": "", "healthcheck": "", "gatekeeper": "", "bulk": "", "listing_formats": "",
    "slo": "", "dlo": "", "memcache": "memcache_servers = 127.0.0.1:{memcached}",
    "s3api": "location = us-east-1\ndns_compliant_bucket_names = false\n"
             "ratelimit_as_client_error = true",
    "tempauth": "user_pxload_tester = {secret} .admin",
}
PIPELINE = "catch_errors gatekeeper healthcheck memcache listing_formats bulk s3api tempauth slo dlo"
COMMON = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
log_level = WARNING
"""


def _write_ring(folder, kind, port):
    builder = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1",
                     "port": port, "replication_ip": "127.0.0.1", "replication_port": port,
                     "device": "disk", "meta": ""})
    builder.rebalance(seed=1)
    builder.get_ring().save(os.path.join(folder, f"{kind}.ring.gz"))


def _storage_conf(common, kind):
    return (f"{common}[pipeline:main]\npipeline = {kind}-server\n"
            f"[app:{kind}-server]\nuse = egg:swift#{kind}\n")


def _proxy_conf(common, values):
    text = f"{common}[pipeline:main]\npipeline = {PIPELINE} proxy-server\n"
    for name, settings in MIDDLEWARE.items():
        text += f"[filter:{name}]\nuse = egg:swift#{name}\n{settings.format(**values)}\n"
    return text + ("[app:proxy-server]\nuse = egg:swift#proxy\nallow_account_management = true\n"
                   "account_autocreate = true\n")


def start(children):
    """Starts all; (endpoint, access key, secret key). It may not answer yet."""
    folder = children.folder
    user, secret = pwd.getpwuid(os.geteuid()).pw_name, new_secret()
    (folder / "devices/disk").mkdir(parents=True)
    *storage, memcached, proxy = free_ports(len(STORAGE) + 2)
    children.start("memcached", "memcached", "-l", "127.0.0.1", "-p", memcached, "-U", 0, "-m", 16,
                   "-u", user)
    for kind, port in [*zip(STORAGE, storage), ("proxy", proxy)]:
        common = COMMON.format(port=port, user=user, folder=folder)
        conf = folder / f"{kind}.conf"
        if kind == "proxy":
            values = {"memcached": memcached, "secret": secret}
            conf.write_text(_proxy_conf(common, values))
        else:
            _write_ring(folder, kind, port)
            conf.write_text(_storage_conf(common, kind))
        conf.chmod(0o600)
    for kind in (*STORAGE, "proxy"):
        children.start(kind, f"swift-{kind}-server", folder / f"{kind}.conf")
    return f"http://127.0.0.1:{proxy}", "pxload:tester", secret
