"""The HTTP door is closed: nothing beyond loopback without TLS and tokens, and each token does what it may and no more."""
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest
import requests

from pki import Pki
from support import HABIT, HABITD, JSON, RAW, REPOSITORY, floats, free_port, habit, simulate, wait_until

SIZE = {"buffer_size": 16, "axes": 1}
BUFFER = floats(range(16))


# ---------------------------------------------------------------------------------------------------------------- helpers

def token(file, name, *scopes, machine=None, expires="1d"):
    """Makes a token and returns it."""
    more = [word for scope in scopes for word in ("--scope", scope)] + (["--machine", machine] if machine else [])
    return habit("token", "add", name, *more, "--expires", expires, "--file", file).stdout.strip()


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def closed(house, folder, start=True, pki=None, certificate=None, extra="", address="0.0.0.0", broker=None):
    """A habitd with TLS and tokens that listens everywhere; `boss` may do everything."""
    habitd = house.habitd(broker, start=False)
    habitd.pki = pki or Pki(folder / "pki")
    certificate, key = certificate or habitd.pki.sign("habitd")
    habitd.tokens, habitd.certificate, habitd.key = habitd.folder / "tokens", habitd.folder / "c.pem", habitd.folder / "c.key"
    shutil.copy(certificate, habitd.certificate)
    shutil.copy(key, habitd.key)
    habitd.boss = token(habitd.tokens, "boss", "admin")
    text = habitd.conf.read_text().replace(
        "[http]\n", f"[http]\naddress = {address}\ncertificate = {habitd.certificate}\nkey = {habitd.key}\n"
        f"tokens = {habitd.tokens}\n{extra}\n")
    habitd.conf.write_text(text)
    habitd.session.trust_env = False  # a CA bundle of the developer's does not count here
    habitd.session.verify = str(habitd.pki.certificate)
    habitd.session.headers.update(bearer(habitd.boss))
    return habitd.start() if start else habitd


def stranger(habitd):
    """A session that knows the CA and nothing else."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(habitd.pki.certificate)
    return session


def as_nobody(habitd, method, path, **more):
    return stranger(habitd).request(method, habitd.url + path, timeout=20, **more)


def reload(habitd, said="reloaded"):
    """SIGHUP, and its line in the log."""
    before = len(habitd.log())
    habitd.child.send_signal(signal.SIGHUP)
    return wait_until(lambda: said in (log := habitd.log()[before:]) and log, said)


# ------------------------------------------------------------------------------------------------------- does not start

def refuses(habitd, words, status):
    habitd.spawn([HABITD, "--config", habitd.conf])
    assert habitd.child.wait(10) == status
    assert words in habitd.log(), habitd.log()
    assert "answers on" not in habitd.log()


@pytest.mark.parametrize("left_out", ["certificate", "key", "tokens"])
def test_not_beyond_loopback_without(house, tmp_path, left_out):
    habitd = closed(house, tmp_path, start=False)
    habitd.conf.write_text(re.sub(rf"(?m)^{left_out} = .*\n", "", habitd.conf.read_text()))
    refuses(habitd, "habitd.conf", 2)


def test_not_with_broken_files(house, tmp_path):
    pki = Pki(tmp_path / "pki")
    _, other_key = pki.sign("other")

    def world_readable_key(h):
        h.key.chmod(0o644)

    def world_readable_tokens(h):
        h.tokens.chmod(0o644)

    def no_tokens(h):
        habit("token", "revoke", "boss", "--file", h.tokens)

    def another_key(h):
        shutil.copy(other_key, h.key)

    def no_certificate(h):
        h.certificate.write_text("nothing\n")

    def no_file(h):
        h.tokens.unlink()

    for breaks, words in ((world_readable_key, "c.key: others can read"), (world_readable_tokens, "tokens: others can read"),
                          (no_tokens, "holds no token"), (another_key, "is not the key"), (no_certificate, "holds no certificate"),
                          (no_file, "No such file")):
        habitd = closed(house, tmp_path, start=False, pki=pki)
        breaks(habitd)
        refuses(habitd, words, 1)


# ---------------------------------------------------------------------------------------------------------------- routes

def table():
    """Method, path, scope and parameters of every route, from the table that dispatches."""
    text = (REPOSITORY / "daemon" / "http" / "route.c").read_text()
    rows = re.findall(r'\{\s*"([A-Z]+)",\s*"(/[^"]*)",\s*"([a-z]*)",\s*((?:META|"[^"]*"|\s)*),\s*BODY_', text)
    assert len(rows) == len(re.findall(r"\bBODY_[A-Z]+,", text)) - text.count("{ NULL,"), "a row was not read"
    return rows


# What each route needs; a route that is not here fails test_every_route_has_a_row.
OPEN, ANY, READ, INGEST, ADMIN = "", "any", "read", "ingest", "admin"
NEEDS = {
    ("GET", "/"): OPEN, ("GET", "/page/{file}"): OPEN, ("GET", "/openapi.json"): ANY,
    ("GET", "/livez"): OPEN, ("GET", "/readyz"): OPEN, ("GET", "/metrics"): READ,
    ("POST", "/v1/login"): OPEN, ("POST", "/v1/logout"): OPEN, ("GET", "/v1/session"): ANY, ("GET", "/v1/audit"): ADMIN,
    ("GET", "/v1/anomalies/{n}/features"): READ, ("GET", "/v1/status"): READ, ("GET", "/v1/backup"): ADMIN, ("POST", "/v1/wipe"): ADMIN,
    ("GET", "/v1/machines"): READ, ("GET", "/v1/machines/{id}"): READ, ("PUT", "/v1/machines/{id}"): ADMIN,
    ("PATCH", "/v1/machines/{id}"): ADMIN, ("DELETE", "/v1/machines/{id}"): ADMIN,
    ("POST", "/v1/machines/{id}/learn"): INGEST, ("POST", "/v1/machines/{id}/detect"): INGEST,
    ("POST", "/v1/machines/{id}/buffers"): INGEST, ("POST", "/v1/machines/{id}/commission"): ADMIN,
    ("POST", "/v1/machines/{id}/initialize"): ADMIN, ("GET", "/v1/machines/{id}/sensitivity"): READ,
    ("PUT", "/v1/machines/{id}/sensitivity"): ADMIN, ("GET", "/v1/machines/{id}/knowledge"): READ,
    ("PUT", "/v1/machines/{id}/knowledge"): ADMIN, ("PUT", "/v1/machines/{id}/context"): INGEST,
    ("GET", "/v1/machines/{id}/history"): READ, ("GET", "/v1/machines/{id}/recent"): READ,
    ("GET", "/v1/pending"): READ, ("POST", "/v1/pending/{id}/adopt"): ADMIN,
    ("GET", "/v1/anomalies"): READ, ("GET", "/v1/anomalies/{n}"): READ, ("GET", "/v1/events"): READ,
    ("GET", "/v1/reports/daily"): READ, ("POST", "/v1/buffers"): INGEST, ("GET", "/v1/machines/{id}/buffers"): READ,
    ("PUT", "/v1/machines/{id}/mute"): ADMIN, ("DELETE", "/v1/machines/{id}/mute"): ADMIN,
    ("GET", "/v1/machines/{id}/snapshots"): READ, ("POST", "/v1/machines/{id}/snapshots"): ADMIN,
    ("GET", "/v1/machines/{id}/snapshots/{n}"): READ, ("POST", "/v1/machines/{id}/snapshots/{n}/restore"): ADMIN,
    ("GET", "/v1/machines/{id}/relearn"): READ, ("POST", "/v1/machines/{id}/relearn"): ADMIN,
    ("DELETE", "/v1/machines/{id}/relearn"): ADMIN, ("POST", "/v1/machines/{id}/relearn/switch"): ADMIN,
    ("GET", "/v1/anomalies/{n}/buffers"): READ, ("POST", "/v1/anomalies/{n}/accept"): ADMIN, ("GET", "/v1/episodes"): READ,
}
# Lists and what they name that show a bound token its own machines only, and need no machine in the request.
FILTERED = {("GET", path) for path in ("/v1/machines", "/v1/episodes", "/v1/anomalies/{n}", "/v1/anomalies/{n}/buffers")}
GRANTS = {READ: {READ, ANY}, INGEST: {INGEST, ANY}, ADMIN: {READ, INGEST, ADMIN, ANY}}
BODIES = {"learn": RAW, "detect": RAW, "buffers": RAW, "knowledge": RAW}


def test_every_route_has_a_row():
    assert {(method, path): scope for method, path, scope, _ in table()} == NEEDS


def allowed(route, scopes, bound, machine):
    """What the answer must be: True, False, or None where no token is needed."""
    method, path, needs, parameters = route
    if needs == OPEN:
        return None
    if not any(needs in GRANTS[scope] for scope in scopes):
        return False
    if not bound or needs == ANY:
        return True
    if (method, path) in FILTERED:
        return True
    return ("{id}" in path or "machine" in parameters.split('"')[1].split()) and machine == "own"


def ask(habitd, route, machine, secret):
    """Asks a route as somebody; what follows the gate does not matter here, so bodies are wrong on purpose."""
    method, path, _, parameters = route
    parts = path.split("/")
    headers = dict(BODIES.get(parts[-1], JSON)) if method in ("PUT", "PATCH", "POST") else {}
    if secret:
        headers.update(bearer(secret))
    query = {"machine": machine} if "{id}" not in path and '"' in parameters and "machine" in parameters.split('"')[1].split() else {}
    body = b"{" if headers.get("Content-Type") == "application/json" else (b"x" if "Content-Type" in headers else None)
    filled = path.replace("{id}", machine).replace("{n}", "1").replace("{file}", "app.js")
    return as_nobody(habitd, "HEAD" if path == "/v1/events" else method, filled, headers=headers, params=query, data=body)


def test_routes_scopes_machines(house, tmp_path):
    """The whole table: every route, every scope, a bound token or not, its own machine or another."""
    habitd = closed(house, tmp_path)
    for machine in ("own", "other"):
        habitd.put_machine(machine, **SIZE)
    tokens = {(scope, bound): token(habitd.tokens, f"{scope}-{bound}", scope, machine="own" if bound else None)
              for scope in GRANTS for bound in (False, True)}
    tokens[("ingest-read", True)] = token(habitd.tokens, "both", "read", "ingest", machine="own")
    reload(habitd)
    cells, wrong = 0, []
    for route in table():
        assert (ask(habitd, route, "own", None).status_code == 401) == (route[2] != OPEN), route
        for (name, bound), secret in tokens.items():
            for machine in ("own", "other"):
                may = allowed(route, name.split("-"), bound, machine)
                status = ask(habitd, route, machine, secret).status_code
                cells += 1
                if (status == 403) != (may is False) or status == 401 or status >= 500:
                    wrong.append((*route[:3], name, bound, machine, status))
    assert not wrong, wrong
    assert cells == len(NEEDS) * len(tokens) * 2
    assert {m["machine"] for m in habitd.json("/v1/machines")["machines"]} <= {"own", "other"}


def test_machine_parameter_cannot_be_left_out_or_doubled(house, tmp_path):
    habitd = closed(house, tmp_path)
    secret = token(habitd.tokens, "bound", "read", machine="own")
    reload(habitd)
    for query in ("?machine=other", "?machine=own&machine=other", "?machine=other&machine=own"):
        status = as_nobody(habitd, "GET", "/v1/anomalies" + query, headers=bearer(secret)).status_code
        assert status in (400, 403), (query, status)
    for path in ("/v1/pending", "/metrics", "/v1/reports/daily?group=fleet", "/v1/reports/daily?group=asset"):
        assert as_nobody(habitd, "GET", path, headers=bearer(secret)).status_code == 403, path
    assert as_nobody(habitd, "GET", "/v1/anomalies?machine=own", headers=bearer(secret)).status_code == 200


def test_bound_token_sees_its_own_machines_only(house, tmp_path):
    """Lists, pages of lists, single anomalies and the stream show what the token is bound to, and nothing else."""
    habitd = closed(house, tmp_path)
    settings = {"buffer_size": 64, "axes": 1, "false_alarms": "off", "window": 2, "start": "auto", "learn": 40, "asset": "line"}
    for machine in ("a-1", "b-1", "b-2", "c-1", "report"):
        habitd.put_machine(machine, **settings)
        seed = len(machine) + ord(machine[0])
        habitd.post_all(machine, "buffers", simulate(tmp_path, 41, seed=seed))
        habitd.post_all(machine, "detect", simulate(tmp_path, 6, seed=seed, fault="looseness"))
    everything = habitd.anomalies()
    assert {a["machine"] for a in everything} == {"a-1", "b-1", "b-2", "c-1", "report"}
    secret = token(habitd.tokens, "bs", "read", machine="b-*")
    reload(habitd)

    def see(path):
        answer = as_nobody(habitd, "GET", path, headers=bearer(secret))
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def machines(document):
        return {m for m in re.findall(r'"(?:machine|id)": ?"([a-c]-\d|report)"', str(document).replace("'", '"'))}

    for path in ("/v1/machines", "/v1/anomalies", "/v1/anomalies?asset=line", "/v1/reports/daily", "/v1/reports/daily?asset=line",
                 "/v1/episodes", "/v1/episodes?asset=line"):
        assert machines(habitd.json(path)) == {"a-1", "b-1", "b-2", "c-1", "report"}, path
        assert machines(see(path)) == {"b-1", "b-2"}, path
    for path, member in (("/v1/machines", "machines"), ("/v1/anomalies", "anomalies"), ("/v1/reports/daily", "reports")):
        first = see(path + "?limit=1")
        assert len(first[member]) == 1 and first["next"]
        cursor = "before" if member == "anomalies" else "after"
        second = see(f"{path}?limit=1&{cursor}={first['next']}")
        assert machines(first) | machines(second) == {"b-1", "b-2"} and not second.get("next")
    for anomaly in everything:
        for path in (f"/v1/anomalies/{anomaly['id']}", f"/v1/anomalies/{anomaly['id']}/buffers"):
            status = as_nobody(habitd, "GET", path, headers=bearer(secret)).status_code
            assert status == (200 if anomaly["machine"].startswith("b-") else 404), (path, status)
    stream = as_nobody(habitd, "GET", "/v1/events?after=0", headers=bearer(secret), stream=True)
    text, deadline = "", time.monotonic() + 20
    for piece in stream.iter_content(None):
        text += piece.decode()
        assert time.monotonic() < deadline
        if text.count("event: anomaly") >= 2 and text.count("event: state") >= 2:
            break
    assert machines(text) == {"b-1", "b-2"}


# ---------------------------------------------------------------------------------------------------------------- tokens

def test_without_a_token(house, tmp_path):
    habitd = closed(house, tmp_path)
    session = stranger(habitd)
    for _ in range(1000):
        answer = session.get(habitd.url + "/v1/machines")
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
    for header in ("Basic Ym9zczpib3Nz", "Bearer", "Bearer ", habitd.boss, f"Bearer  {habitd.boss}", f"Bearer {habitd.boss}x"):
        assert as_nobody(habitd, "GET", "/v1/machines", headers={"Authorization": header}).status_code in (401, 429), header
    assert habitd.get("/v1/machines").status_code == 200


def test_made_and_revoked_while_it_runs(house, tmp_path):
    habitd = closed(house, tmp_path)
    secret = token(habitd.tokens, "grafana", "read")
    assert as_nobody(habitd, "GET", "/v1/machines", headers=bearer(secret)).status_code == 401
    assert "+grafana" in reload(habitd)
    assert as_nobody(habitd, "GET", "/v1/machines", headers=bearer(secret)).status_code == 200
    stream = as_nobody(habitd, "GET", "/v1/events", headers=bearer(secret), stream=True)
    assert stream.status_code == 200
    habit("token", "revoke", "grafana", "--file", habitd.tokens)
    assert "-grafana" in reload(habitd)
    assert as_nobody(habitd, "GET", "/v1/machines", headers=bearer(secret)).status_code == 401
    deadline = time.monotonic() + 5
    for _ in stream.iter_content(100):  # ends with its token; else the next heartbeat comes too late
        assert time.monotonic() < deadline
    assert habitd.get("/v1/machines").status_code == 200


def test_expires(house, tmp_path):
    habitd = closed(house, tmp_path)
    secret = token(habitd.tokens, "short", "read", expires="3s")
    reload(habitd)
    assert as_nobody(habitd, "GET", "/v1/machines", headers=bearer(secret)).status_code == 200
    wait_until(lambda: as_nobody(habitd, "GET", "/v1/machines", headers=bearer(secret)).status_code == 401, "it expires", 6)


def test_reload_is_all_or_nothing(house, tmp_path):
    habitd = closed(house, tmp_path)
    secret = token(habitd.tokens, "late", "read")
    good, bad = habitd.conf.read_text(), habitd.conf.read_text().replace("[store]", "[store]\nflush = soon")
    serial = served_serial(habitd)
    for path, broken in ((habitd.conf, bad), (habitd.certificate, "nothing\n"), (habitd.tokens, "nothing\n")):
        kept = path.read_text()
        path.write_text(broken)
        if path != habitd.certificate:
            shutil.copy(habitd.certificate, tmp_path / "kept")
        log = reload(habitd, "all stays as it was")
        assert path.name in log
        assert as_nobody(habitd, "GET", "/v1/machines", headers=bearer(secret)).status_code == 401
        assert habitd.get("/v1/machines").status_code == 200 and served_serial(habitd) == serial
        wait_until(lambda: any("the last reload was refused" in reason for reason in habitd.json("/readyz")["reasons"]), "readyz", 5)
        record = habitd.json("/v1/audit?limit=1000")["audit"][-1]
        assert (record["actor"], record["action"], record["outcome"]) == ("signal", "reload", 422)
        assert path.name in record["detail"]
        path.write_text(kept)
    habitd.conf.write_text(good.replace("port = 0", "port = 1").replace("[store]", "[store]\n") + "\n[machine \"x*\"]\ncreate = no\n")
    log = reload(habitd)
    wait_until(lambda: habitd.json("/readyz")["reasons"] == [], "readyz", 5)
    assert "taken only by a restart: [http] port, [machine \"x*\"]" in log
    assert as_nobody(habitd, "GET", "/v1/machines", headers=bearer(secret)).status_code == 200


def test_tokens_that_a_reload_does_not_drop(house, tmp_path):
    """From tokens to none takes a restart: until then nothing is said to be revoked."""
    habitd = closed(house, tmp_path)
    text = re.sub(r"(?m)^address = .*$", "address = 127.0.0.1", habitd.conf.read_text())
    habitd.conf.write_text(re.sub(r"(?m)^tokens = .*\n", "", text))
    log = reload(habitd, "taken only by a restart")
    assert "[http] tokens" in log and "-boss" not in log, log
    assert habitd.get("/v1/machines").status_code == 200
    assert habitd.json("/v1/audit?limit=1000")["audit"][-1]["detail"] == ""


def test_token_commands(tmp_path):
    file = tmp_path / "tokens"
    secret = token(file, "a", "read", machine="pump-*")
    assert secret.startswith("habit_") and len(secret) == 49
    assert file.stat().st_mode & 0o777 == 0o640
    assert secret not in file.read_text() and secret[6:] not in file.read_text()
    assert habit("token", "add", "a", "--scope", "read", "--file", file, check=False).returncode == 1
    for wrong in (["b"], ["b", "--scope", "root"], ["b", "--scope", "read", "--scope", "read"], ["-b"],
                  ["b", "--scope", "read", "--machine", "a/b"], ["b", "--scope", "read", "--expires", "soon"]):
        assert habit("token", "add", *wrong, "--file", file, check=False).returncode == 2, wrong
    assert "pump-*" in habit("token", "list", "--file", file).stdout
    file.chmod(0o600)
    token(file, "b", "admin", expires="never")
    assert file.stat().st_mode & 0o777 == 0o600  # as it was
    habit("token", "revoke", "a", "--file", file)
    assert habit("token", "revoke", "a", "--file", file, check=False).returncode == 1
    assert [line.split()[0] for line in file.read_text().splitlines() if line[0] != "#"] == ["b"]


# ------------------------------------------------------------------------------------------------------------- wrong ones

def test_wrong_tokens_are_limited(house, tmp_path):
    habitd = closed(house, tmp_path)
    answers = [as_nobody(habitd, "GET", "/v1/machines", headers=bearer(f"habit_{i}")) for i in range(30)]
    assert [a.status_code for a in answers[:10]] == [401] * 10
    assert {a.status_code for a in answers[11:]} == {429}
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert as_nobody(habitd, "POST", "/v1/login", json={"token": "habit_x"}).status_code == 429
    assert habitd.get("/v1/machines").status_code == 200  # a right one gets in: nobody can lock others out
    assert habitd.log().count("too many wrong tokens") == 1
    rows = [row for row in habitd.json("/v1/audit")["audit"] if row["outcome"] == 429]
    assert len(rows) == 1 and rows[0]["actor"] == "unknown" and rows[0]["address"] == "127.0.0.1"


# ------------------------------------------------------------------------------------------------------------------- TLS

def peer(habitd):
    context = ssl.create_default_context(cafile=str(habitd.pki.certificate))
    host, port = habitd.url.rsplit("/", 1)[1].split(":")
    with socket.create_connection((host, int(port)), 5) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
        return tls.getpeercert(), tls.version()


def served_serial(habitd):
    return peer(habitd)[0]["serialNumber"]


def test_certificate_changes_while_connections_live(house, tmp_path):
    habitd = closed(house, tmp_path)
    stream = habitd.get("/v1/events", stream=True)
    before = served_serial(habitd)
    for name in ("second", "third"):
        certificate, key = habitd.pki.sign(name)
        shutil.copy(certificate, habitd.certificate)
        shutil.copy(key, habitd.key)
        reload(habitd)
        assert served_serial(habitd) != before
        before = served_serial(habitd)
    habitd.put_machine("m", **SIZE)
    assert next(stream.iter_content(10))
    assert habitd.get("/livez").status_code == 200


@pytest.mark.parametrize("options", [["-tls1"], ["-tls1_1"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]])
def test_old_tls_is_refused(house, tmp_path, options):
    habitd = closed(house, tmp_path)
    port = habitd.url.rsplit(":", 1)[1]
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=10, check=False)
    assert "Cipher is (NONE)" in done.stdout, done.stdout
    assert peer(habitd)[1] == "TLSv1.3"


def test_plain_http_on_the_tls_port(house, tmp_path):
    habitd = closed(house, tmp_path)
    port = int(habitd.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.settimeout(10)
        assert b"200" not in plain.recv(1000)
    assert habitd.get("/livez").status_code == 200


def test_client_certificates(house, tmp_path):
    clients = Pki(tmp_path / "clients", "clients")
    good, good_key = clients.sign("phone", usage="clientAuth")
    server_use, server_key = clients.sign("server", usage="serverAuth")
    strange, strange_key = Pki(tmp_path / "strange", "strange").sign("phone", usage="clientAuth")
    expired, expired_key = clients.sign("expired", usage="clientAuth", days=-1)
    habitd = closed(house, tmp_path, start=False, extra=f"client_ca = {clients.certificate}")
    habitd.session.cert = (str(good), str(good_key))
    habitd.start()
    assert habitd.get("/v1/machines").status_code == 200
    assert as_nobody(habitd, "GET", "/v1/machines", cert=habitd.session.cert).status_code == 401  # a certificate is no token
    for certificate in (None, (server_use, server_key), (strange, strange_key), (expired, expired_key)):
        for path in ("/v1/machines", "/livez"):
            answer = as_nobody(habitd, "GET", path, headers=bearer(habitd.boss),
                               cert=certificate and tuple(map(str, certificate)))
            assert answer.status_code == 403 and answer.json()["type"] == "urn:habit:problem:certificate", (certificate, path)


def test_hosts(house, tmp_path):
    pki = Pki(tmp_path / "pki")
    habitd = closed(house, tmp_path, pki=pki, certificate=pki.sign("named", "DNS:gw.test,DNS:localhost,IP:127.0.0.1,IP:192.0.2.7"),
                    extra="names = proxy.test")
    port = habitd.url.rsplit(":", 1)[1]
    for host, status in (("gw.test", 200), (f"gw.test:{port}", 200), ("192.0.2.7", 200), ("proxy.test", 200), ("localhost", 200),
                         ("evil.test", 421), ("gw.test.evil.test", 421), ("192.0.2.8", 421)):
        assert habitd.get("/v1/machines", headers={"Host": host}).status_code == status, host


# ----------------------------------------------------------------------------------------------------------------- login

def log_in(habitd, secret):
    session = stranger(habitd)
    answer = session.post(habitd.url + "/v1/login", json={"token": secret})
    return session, answer


def test_login(house, tmp_path):
    habitd = closed(house, tmp_path)
    session, answer = log_in(habitd, habitd.boss)
    assert answer.status_code == 200 and answer.json()["name"] == "boss"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-habit=") and habitd.boss not in cookie
    for word in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age="):
        assert word in cookie
    kept = {"Cookie": cookie.split(";")[0]}
    assert as_nobody(habitd, "GET", "/v1/machines", headers=kept).status_code == 200
    assert as_nobody(habitd, "GET", "/v1/session", headers=kept).json()["scopes"] == "admin"
    url = habitd.url + "/v1/machines/m"
    for origin, status in ((None, 403), ("https://evil.test", 403), (habitd.url.replace("https", "http"), 403), ("null", 403),
                           (habitd.url, 201)):
        headers = {**kept, **({"Origin": origin} if origin else {})}
        assert session.put(url, json=SIZE, headers=headers).status_code == status, origin
    assert [row["actor"] for row in habitd.json("/v1/audit?machine=m")["audit"]] == ["boss"]
    assert as_nobody(habitd, "POST", "/v1/logout", headers={**kept, "Origin": habitd.url}).status_code == 204
    assert as_nobody(habitd, "GET", "/v1/machines", headers=kept).status_code == 401


def test_login_ends_with_its_token(house, tmp_path):
    habitd = closed(house, tmp_path)
    secret = token(habitd.tokens, "guest", "read")
    reload(habitd)
    _, answer = log_in(habitd, secret)
    kept = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
    assert as_nobody(habitd, "GET", "/v1/machines", headers=kept).status_code == 200
    assert as_nobody(habitd, "DELETE", "/v1/machines/m", headers={**kept, "Origin": habitd.url}).status_code == 403
    habit("token", "revoke", "guest", "--file", habitd.tokens)
    reload(habitd)
    assert as_nobody(habitd, "GET", "/v1/machines", headers=kept).status_code == 401
    assert log_in(habitd, secret)[1].status_code == 401
    for body in (b"{}", b'{"token": 1}', b'{"token": "x", "more": 1}', b'{"token": "' + b"x" * 500 + b'"}'):
        assert as_nobody(habitd, "POST", "/v1/login", data=body, headers=JSON).status_code == 422


def test_tokens_on_loopback_without_tls(house):
    """A reverse proxy may do the TLS; and tokens alone are allowed where nobody else can listen."""
    habitd = house.habitd(start=False)
    tokens = habitd.folder / "tokens"
    secret = token(tokens, "local-read", "read")
    habitd.conf.write_text(habitd.conf.read_text().replace("[http]\n", f"[http]\ntokens = {tokens}\nnames = habit.example\n"))
    habitd.start()
    assert habitd.get("/v1/machines").status_code == 401
    assert habitd.get("/v1/machines", headers=bearer(secret)).status_code == 200
    answer = habitd.request("POST", "/v1/login", json={"token": secret},
                            headers={"Host": "habit.example", "Origin": "https://habit.example"})
    assert answer.status_code == 200 and "Secure" not in answer.headers["Set-Cookie"]


def test_without_tokens_all_is_local(habitd):
    assert habitd.json("/v1/session")["name"] == "local"
    habitd.put_machine("m", **SIZE)
    assert habitd.json("/v1/audit")["audit"][0]["actor"] == "local"


# ----------------------------------------------------------------------------------------------------------------- audit

def test_audit(house, tmp_path):
    habitd = closed(house, tmp_path)
    secret = token(habitd.tokens, "clerk", "admin", machine="m")
    reload(habitd)
    habitd.put_machine("m", **SIZE)
    assert habitd.request("PATCH", "/v1/machines/m", json={"window": "=1"}, headers=bearer(secret)).status_code == 422
    habitd.patch("m", window=7)
    habitd.post("m", "learn", BUFFER)  # data, no change by somebody
    assert habitd.request("POST", "/v1/machines/m/commission", headers=bearer(secret)).status_code == 200
    assert habitd.request("DELETE", "/v1/machines/m", headers=bearer(habitd.boss + "x")).status_code == 401
    assert habitd.request("DELETE", "/v1/machines/m").status_code == 204
    habitd.crash()
    rows = habitd.json("/v1/audit")["audit"]
    assert [(r["actor"], r["action"], r["machine"], r["outcome"]) for r in rows] == [
        ("signal", "reload", None, 200), ("boss", "PUT /v1/machines/{id}", "m", 201),
        ("clerk", "PATCH /v1/machines/{id}", "m", 422), ("boss", "PATCH /v1/machines/{id}", "m", 200),
        ("clerk", "POST /v1/machines/{id}/commission", "m", 200), ("boss", "DELETE /v1/machines/{id}", "m", 204)]
    assert rows[0]["detail"] == "+clerk" and rows[3]["detail"] == '{"window": 7}' and rows[1]["address"] == "127.0.0.1"
    page = habitd.json("/v1/audit?limit=2&after=1")
    assert [r["id"] for r in page["audit"]] == [2, 3] and page["next"] == 3
    assert [r["id"] for r in habitd.json("/v1/audit?machine=m&limit=1000")["audit"]] == [2, 3, 4, 5, 6]
    lines = habitd.get("/v1/audit", headers={"Accept": "text/csv"}).text.splitlines()
    assert lines[0].startswith("id,at,actor") and len(lines) == 7 and '""window"": 7' in lines[4]


# ------------------------------------------------------------------------------------------------------- secrets and CLI

def test_command_line_over_tls(house, tmp_path, monkeypatch):
    habitd = closed(house, tmp_path)
    file = tmp_path / "boss"
    file.write_text(habitd.boss + "\n")

    def run(*arguments, url=habitd.url, ca=habitd.pki.certificate, token_file=file):
        environment = {"PATH": "/usr/bin", "HABIT_URL": url, "HABIT_CA": str(ca), "HABIT_TOKEN_FILE": str(token_file)}
        return subprocess.run([HABIT, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False)

    habitd.put_machine("m", **SIZE)
    assert " m " in run("machines").stdout.replace("\n", " ")
    assert "PUT /v1/machines/{id}" in run("audit").stdout
    assert run("machines", token_file="/dev/null").returncode == 1
    assert run("machines", ca="/dev/null").returncode == 1
    for ca in ("", tmp_path / "none"):
        done = run("machines", ca=ca)
        assert done.returncode == 1 and "HABIT_CA" in done.stderr, done.stderr
    assert "https://" in run("machines", url=habitd.url.replace("https", "http"), token_file="").stderr
    done = run("machines", url="http://192.0.2.1:8088")
    assert done.returncode == 1 and "clear text" in done.stderr


def test_no_secret_leaks(house, tmp_path):
    habitd = closed(house, tmp_path)
    log_in(habitd, habitd.boss)
    habitd.put_machine("m", **SIZE)
    habitd.get("/v1/machines?token=" + habitd.boss)
    as_nobody(habitd, "GET", "/v1/machines", headers=bearer("habit_wrongwrong"))
    reload(habitd)
    arguments = (f"/proc/{habitd.child.pid}/cmdline", f"/proc/{habitd.child.pid}/environ")
    texts = [habitd.log(), habitd.get("/metrics").text, habitd.get("/v1/audit").text] + [open(a, errors="replace").read() for a in arguments]
    texts += [file.read_text(errors="replace") for file in habitd.folder.iterdir() if file.is_file() and file.name != "c.key"]
    texts.append(subprocess.run([HABITD, "--config", habitd.conf, "--print-config"], capture_output=True, text=True,
                                check=True).stdout)
    for text in texts:
        assert habitd.boss not in text and "habit_wrongwrong" not in text
    for file in habitd.folder.iterdir():
        if file.name in ("tokens", "c.key", "habit.db"):
            assert file.stat().st_mode & 0o007 == 0, file
