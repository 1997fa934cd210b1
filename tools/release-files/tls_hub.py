"""The small hub of the tests over HTTPS: tls_hub.py MODELFOLDER PORTFILE KEYFILE CERTIFICATE."""
import http.server
import ssl
import sys
from pathlib import Path

key, certificate = sys.argv[3:5]


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)


http.server.ThreadingHTTPServer = http.server.HTTPServer = Server
hub = Path(__file__).resolve().parents[2] / "Tests/Support/hub.py"
exec(compile(hub.read_text().replace("http://localhost", "https://localhost"), str(hub), "exec"))
