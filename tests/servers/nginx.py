"""nginx before another server, and the certificates of both sides of TLS."""

import datetime as dt
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
NJS = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
IS_INSTALLED = bool(NGINX) and NJS.exists()
NOT_INSTALLED = "needs Debian's packages nginx and libnginx-mod-http-js, which .ci/run installs"
#: What a project has around its part: the module, and files of its own.
CONFIGURATION = f"""
load_module {NJS};
daemon off;
master_process off;
error_log stderr;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    %s
}}
"""


def certificate_of(host, folder):
    """Return a file with a key and a certificate for it, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    alternative = x509.SubjectAlternativeName([x509.DNSName(host)])
    certificate = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = folder / f"{host}.pem"
    file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def running_nginx(folder, http, **scripts):
    """Run nginx with a configuration inside ``http``, and with njs modules by name: their text."""
    (folder / "nginx.conf").write_text(CONFIGURATION % http)
    for name, text in scripts.items():
        (folder / f"{name}.js").write_text(text)
    log = folder / "nginx.log"
    with log.open("wb") as output:
        command = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        print(f"--- {log}\n{log.read_text()}")  # noqa: T201  # pytest shows it where the test failed
