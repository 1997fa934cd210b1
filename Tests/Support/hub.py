"""A small Hugging Face hub for tests: hub.py MODELFOLDER PORTFILE. Options come in the repository's name.

`org/model` serves the folder's files; large ones are redirected to a second path as the real hub does with LFS files.
`org/cut` breaks off each large download after half of what is asked for, `org/wrong` states a wrong hash, `org/private` wants the
token "secret". Requests are written to PORTFILE.log.
"""
import hashlib
import http.server
import json
import os
import sys
import threading

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
