"""A small Hugging Face hub for tests: hub.py MODELFOLDER PORTFILE. Options come in the repository's name.

`org/model` serves the folder's files; large ones are redirected to a second path as the real hub does with LFS files.
`org/cut` breaks off each large download after half of what is asked for, `org/wrong` states a wrong hash, `org/private` wants the
token "secret". Requests are written to PORTFILE.log.

`bad/KIND` misbehaves in one way and otherwise serves config.json alone (`weights`: the whole folder, its weights spoilt):

    shape entry empty deep        the list of files is not what it should be
    names clash many              its names are hostile, contradict each other, are too many
    list headers slow             it does not end, or not soon
    negative huge unstated        the size of a file is none, is too large, is not stated and the file does not end
    short trickle range           the file ends early, comes a byte at a time, answers 416 to every range
    redirect circle               redirections to a file of this machine, in a circle
    nohash hash gzip              the hash is missing, is a path, is that of other bytes
"""
import gzip
import hashlib
import http.server
import json
import os
import sys
import threading
import time

folder, port_file = sys.argv[1], sys.argv[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 1000
lock = threading.Lock()


def files():
    found = []
    for root, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(root, n), folder) for n in names]
    return sorted(found) + ["onnx/model.onnx", "../escape.json", "tf_model.h5"]


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers=(), body=b"", claimed=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        with lock, open(port_file + ".log", "a") as log:
            log.write(f"{self.command} {self.path} range={self.headers.get('Range', '')} auth={'yes' if self.headers.get('Authorization') else 'no'}\n")
        parts = self.path.strip("/").split("/")
        if parts[0] == "storage":
            return self.content(parts[1], "/".join(parts[2:]))
        repository = parts[3] if parts[0] == "api" else parts[1]
        if "bad" in parts[:3]:
            return self.misbehave(parts[0] == "api", repository, "/".join(parts[4:]))
        if repository == "private" and self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401)
        if repository not in ("model", "cut", "wrong", "private"):
            return self.answer(404)
        if parts[0] == "api":
            if parts[5] not in ("main", COMMIT):
                return self.answer(404)
            listing = {"sha": COMMIT, "siblings": [{"rfilename": name} for name in files()]}
            return self.answer(200, body=json.dumps(listing).encode())
        name = "/".join(parts[4:])
        path = os.path.join(folder, name)
        if parts[3] != COMMIT or not os.path.isfile(path):
            return self.answer(404)
        data = open(path, "rb").read()
        if len(data) >= LARGE:
            digest = hashlib.sha256(data).hexdigest()
            if repository == "wrong":
                digest = "0" * 64
            headers = [("X-Linked-Etag", f'"{digest}"'), ("X-Linked-Size", str(len(data))), ("X-Repo-Commit", COMMIT),
                       ("Location", f"http://localhost:{self.server.server_port}/storage/{repository}/{name}")]
            return self.answer(302, headers)
        digest = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        self.answer(200, [("ETag", f'W/"{digest}"')], data)

    def stream(self, pieces, headers=()):
        """Writes what never ends, until the other side has had enough."""
        self.close_connection = True
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        try:
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
        except OSError:
            pass

    def misbehave(self, is_list, kind, name):
        forever = iter(int, 1)
        if is_list:
            names = files()[:-3] if kind == "weights" else ["config.json"]
            if kind == "names":
                names += ["../../../outside.json", "/outside.json", "a/../../outside.json", "..\\outside.json", "a\nb.json", "\x1b]0;title\x07.json", "nul\0.json",
                          "\u202egnp.json", "%2e%2e/outside.json", "con fig#?.json", "n" * 300 + ".json", "a/b/c.json", ".hidden.json", "-rf.json"]
            elif kind == "clash":
                names += ["config.json/inner.json"]
            elif kind == "many":
                names += [f"{i}.json" for i in range(100_000)]
            body = {"sha": COMMIT, "siblings": [{"rfilename": n} for n in names]}
            if kind == "shape":
                body["siblings"] = {"rfilename": "config.json"}
            elif kind == "entry":
                body["siblings"] = [{"rfilename": 5}]
            elif kind == "empty":
                body["siblings"] = []
            elif kind == "list":
                return self.stream(b"[" * 65536 for _ in forever)
            elif kind == "deep":
                return self.answer(200, body=b"[" * 1_000_000)
            elif kind == "headers":
                self.close_connection = True
                try:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    for number, _ in enumerate(forever):
                        self.wfile.write(b"X-%d: %s\r\n" % (number, b"a" * 8000))
                except OSError:
                    return
            elif kind == "slow":
                return self.stream(time.sleep(0.2) or b" " for _ in forever)
            return self.answer(200, body=json.dumps(body).encode())
        path = os.path.join(folder, name)
        data = open(path if os.path.isfile(path) else os.path.join(folder, "config.json"), "rb").read()
        if kind == "weights" and name.endswith(".safetensors"):
            data = data[:-4]
        tag = ("ETag", '"%s"' % hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest())
        if kind == "negative":
            return self.answer(200, [tag, ("X-Linked-Size", "-5")], data)
        if kind == "huge":
            return self.answer(200, [tag, ("X-Linked-Size", str(2**63 - 1))], data)
        if kind == "unstated":
            return self.stream((b"a" * 65536 for _ in forever) if self.command == "GET" else (), [tag])
        if kind == "short":
            self.close_connection = True
            return self.answer(200, [tag], data, claimed=len(data) + 100)
        if kind == "trickle" and self.command == "GET":
            return self.stream((time.sleep(0.2) or b"a" for _ in forever), [("Content-Length", str(len(data)))])
        if kind == "range":
            if self.headers.get("Range"):
                return self.answer(416, [("Content-Range", f"bytes */{len(data)}")])
            return self.stream([data] if self.command == "GET" else [], [tag])
        if kind == "redirect":
            return self.answer(302, [tag, ("X-Linked-Size", "100"), ("Location", "file:///etc/hostname")])
        if kind == "circle":
            return self.answer(302, [tag, ("Location", self.path)])
        if kind == "nohash":
            return self.answer(200, [], data)
        if kind == "hash":
            return self.answer(200, [("ETag", '"../../../../outside"')], data)
        if kind == "gzip":
            return self.answer(200, [tag, ("Content-Encoding", "gzip")], gzip.compress(data))
        self.answer(200, [tag], data)

    def content(self, repository, name):
        data = open(os.path.join(folder, name), "rb").read()
        first = int(self.headers["Range"][len("bytes="):-1]) if self.headers.get("Range") else 0
        part = data[first:]
        status = 206 if first else 200
        if repository == "cut" and len(part) > 200:
            self.answer(status, body=part[:len(part) // 2], claimed=len(part))
            self.close_connection = True
            self.connection.close()
            return
        self.answer(status, body=part)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
with open(port_file + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
