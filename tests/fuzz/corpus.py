#!/usr/bin/env python3
"""Writes the inputs from which fuzzing starts, anew: a folder of corpus/ for each target.

They follow the targets' own encoding, not the layout of the knowledge, so a change of the engine leaves them as they are.
What once failed is kept in regressions/ by hand, in a folder of the target's name."""
import os
import random
import shutil
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES, PROFILES = 17, 3
RECIPES = 8
CALLS = 19
LEARN, LEARN_I16, LEARN_MANY, DETECT, DETECT_I16, ACCEPT, WINDOW = 0, 3, 4, 5, 7, 8, 9


def samples(rng, recipe=0):
    return bytes([recipe, rng.choice([0, 0, 0, 4, 252, 40, 200]), rng.choice([0, 0, 1, 127, 255]),
                  rng.randrange(48), rng.randrange(256)]) + struct.pack('<I', rng.randrange(1 << 32)) + \
        (bytes([rng.randrange(23)]) if recipe == 6 else b'')


def learn(rng, recipe=0):
    return bytes([LEARN, 0]) + samples(rng, recipe)


def detect(rng, recipe=0):
    return bytes([DETECT, 0]) + samples(rng, recipe)


def many(rng):
    return bytes([LEARN_MANY, 0]) + struct.pack('<I', rng.randrange(1 << 32))


def any_call(rng):
    call = rng.randrange(CALLS)
    if call in (LEARN, DETECT):
        return bytes([call, 0]) + samples(rng, rng.randrange(RECIPES))
    if call == ACCEPT:
        return bytes([call, 1 + rng.randrange(2)]) + samples(rng) + samples(rng)
    return bytes([call]) + rng.randbytes(6)


def interface(rng, k):
    """A geometry, some learning, and calls of all sorts."""
    start = bytes([k % SIZES, rng.choice([0, 1, 2, 5, 15]) if k % SIZES < 13 else 0, k % PROFILES,
                   rng.randrange(5), rng.choice([0, 0, 1, 2, 3])])
    calls = [learn(rng) for _ in range(rng.choice([0, 5, 9]))] + [many(rng) for _ in range(rng.randrange(4))]
    calls += [detect(rng, r) for r in range(RECIPES)] + [bytes([WINDOW])] * 3
    calls += [any_call(rng) for _ in range(12)]
    return start + b''.join(calls)


def header(size, axes, profile):
    """A block without knowledge; the target fills it up with zeros, and seals it."""
    return struct.pack('<4sHHIIIIIfHBBff12s72x', b'HABT', 1, 128, 0, 0, 0, 1, 0, 1.0, size, axes, profile, 0.0, 1.0, b'g')


def knowledge(rng, k):
    if k % 6 == 0:
        return bytes([0]) + header(rng.choice([1, 2, 8, 64]), rng.choice([1, 3, 16]), k % PROFILES) + bytes(8 * (k % 4))
    patches = b''.join(bytes([0]) + struct.pack('<H', rng.randrange(700)) + bytes([rng.randrange(192)])
                       for _ in range(k % 4))
    return bytes([1, k % 6, rng.randrange(4), k // 6 % PROFILES, rng.randrange(8)]) + patches



# ------------------------------------------------------------------------------------------------------------ the daemon

# Of json.c, by the number of its reader.
JSON = (
    (b'[1, -2.5e3, {"a": [true, false, null, "\\u00fc\\n"]}]', b'{"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}',
     b'[[[[[[[[[1]]]]]]]]]', b'[1e400]', b'{"a":1,"a":2}', b'[1,]', b'"text"', b'["\\ud800"]', b'[-0.0, 1E+2, 0.1e-7]'),
    (b'{"buffer_size": 256, "axes": 3, "sampling_hz": 1600, "unit": "g", "scale": 0.001, "profile": "large"}',
     b'{"format": "i16be", "layout": "planar", "start": "auto", "learn": "24h", "learn_every": 60, "window": 12}',
     b'{"learn": 50, "learn_min": 8, "learn_max": "7d", "run_when": "level > 0.2", "settle": "10s", "paused": true}',
     b'{"rule": "temperature > 60 for 10m : learn 50; speed < 5 : learn 10", "run_when": "context.speed > 5"}',
     b'{"threshold": 80, "clear": 95, "false_alarms": "1 per 30d", "drift_budget": 2.5, "silent_after": "1h"}',
     b'{"name": "Pump", "asset": "line 3", "location": "hall \\u00e4", "labels": "a=1, b=2", "context_ttl": "1m"}',
     b'{"window": 20, "threshold": 0}', b'{"sensitivity": null, "offset": -1e15, "detect_every": "500ms", "stopped_after": 0, "false_alarms": "off"}'),
    (b'{"sensitivity": 1.1}', b'{"sensitivity": 0}', b'{"sensitivity": "1"}'),
    (b'{"token": "abc"}', b'{"token": "0123456789012345678901234567890123456789"}'),
    (b'{"for": "2h", "who": "A. Smith", "why": "bearing", "then": "keep"}', b'{"until": "2026-11-22T18:00:00Z"}',
     b'{"for": "90d", "then": "commission"}', b'{"for": 3600, "then": "initialize"}'),
    (b'{}', b'{"note": "before the repair"}', b'{"note": 7}'),
    (b'{"temperature": 61.5, "speed": 1480}', b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}', b'{"t": "x"}'),
    (b'', b'{"id": 7, "sensitivity": 1.5}', b'{"id": "abc", "for": "1h"}', b'{"id": [1]}', b'{"id": 1.5e300}', b'[]'),
    (b'{"machine": "pump-1", "data": [1, 2, 3]}', b'{"machine": 7}', b'{"data": []}'),
)

CONFIGS = (
    b'[gateway]\nid = hall-1\ntimezone = Europe/Berlin\n[http]\nport = 0\n[store]\npath = /tmp/habit.db\nflush = 10s\n',
    b'[mqtt]\nhost = 127.0.0.1\nport = 1884\nkeepalive = 30\nsession_expiry = 1d\ncommands = yes\ndiscovery = birth\n',
    b'[mqtt]\nhost = broker\nca = system\nusername = habit\npassword_file = broker\ncertificate = /c.pem\nkey = /k.pem\n',
    b'[http]\naddress = 0.0.0.0\ncertificate = /c.pem\nkey = /k.pem\ntokens = /t\nclient_ca = /ca\nnames = a.example b:8443\n',
    b'# a comment\n[machine "pump-*"]\ncreate = yes\nbuffer_size = 256\naxes = 3\nsampling_hz = 1600\nstart = auto\n'
    b'learn = 24h\nrule = temperature > 60 for 10m : learn 50\nfalse_alarms = off\n[machine "pump-1"]\nwindow = 20\n',
    b'[input "hall"]\ntopic = factory/+/{machine}/accel\nformat = i16be\nscale = 0.00048828125\nlayout = planar\n',
    b'[input "a"]\ntopic = line/1/all\nmap = drive: 0-2, fan: 3 4\nchannels = 8\naction = detect\nstream = yes\nhop = 128\n'
    b'gap = 500ms\n[input "b"]\ntopic = s/{machine}\nformat = json\npath = accel.samples\n',
    b'[input "c"]\ntopic = x/{machine}/y\nmap = {machine}-drive: 0-2, {machine}-fan: 3\n[report]\ntime = 00:10\n',
    b'\xef\xbb\xbf[http]\n', b'[http]\nport = 99999\n', b'port = 1\n', b'[htpp]\n', b'[http]\nport = 1\nport = 2\n',
    b'[machine "a b"]\n', b'[machine "x"]\nbuffer_size = 9999\n', b'[gateway]\nid = "x"\n', b'[gateway]\nid = x ; y\n',
)

DIGEST = b'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
TOKENS = (
    b'grafana read * 2026-11-22T13:19:31.250Z - ' + DIGEST + b'\n# a comment\n\nesp ingest,read pump-*,fan-? '
    b'2026-11-22T13:19:31Z 2027-11-22T13:19:31Z ' + DIGEST[::-1] + b'\n',
    b'a admin * 2026-11-22T13:19:31Z - ' + DIGEST + b'\na admin * 2026-11-22T13:19:31Z - ' + DIGEST + b'\n',
    b'a write * 2026-11-22T13:19:31Z - ' + DIGEST, b'a read x,,y 2026-11-22T13:19:31Z - ' + DIGEST, b'a read * - - 12ab',
)

# Of inputs.c: reader, kind of shape, geometry, scale and offset; then the body.
RAW, JSON_BODY, CSV = 0, 1, 2


def inputs(reader, kind, geometry, numbers, body):
    return bytes([reader, kind, geometry, numbers]) + body


def all_inputs():
    floats = struct.pack('<8f', 0, 1, -1.5, 1e-20, 1e14, -0.0, 3.25, 7)
    yield inputs(0, RAW, 3, 0, floats)
    yield inputs(0, RAW + 12, 1 + 8, 0, floats)
    yield inputs(0, RAW + 3, 1 + 8, 3, struct.pack('<8h', 1, -2, 3, 32767, -32768, 0, 7, 9))
    yield inputs(0, RAW + 6, 1 + 8, 3 + 8 * 4, struct.pack('>8h', 1, -2, 3, 32767, -32768, 0, 7, 9))
    yield inputs(0, RAW, 3, 0, struct.pack('<4f', 1, float('nan'), 2, 3))
    yield inputs(0, JSON_BODY, 3, 0, b'[1, 2.5, -3e2, 0.1]')
    yield inputs(0, JSON_BODY, 3, 3, b'{"data": [1, 2.5, -3e2, 0.1], "seq": 7, "boot": "a1", "source": "esp", "age_ms": 12}')
    yield inputs(0, JSON_BODY, 1 + 8, 0, b'{"data":[1,2,3,4,5,6,7,8],"time":"2026-11-22T13:19:31.5Z","context":{"t":61.5},"x":[]}')
    yield inputs(0, JSON_BODY + 72, 1, 0, b'{"accel": {"samples": [1, 2]}, "seq": 9007199254740991}')
    yield inputs(0, JSON_BODY + 12, 1 + 8, 0, b'[1,2,3,4]')
    yield inputs(0, CSV, 1 + 8, 0, b'1,2,3,4\n5,6,7,8\n')
    yield inputs(0, CSV, 2, 0, b'1,5;2;-3e-2\r\n')
    yield inputs(0, CSV, 2, 0, b'1\t2\t3\t\n4 5 6\n')
    yield inputs(0, CSV, 1, 0, b'nan,1\n')
    yield inputs(6, RAW, 8, 0, floats)
    yield inputs(6, JSON_BODY + 12, 8, 0, b'[1,2,3,4,5,6]')
    for text in (b'{machine}-drive: 0-2, {machine}-fan: 3 4', b'a: 0', b'a: 63,b: 0-15', b'a: 5-2', b'a: 0,a: 1'):
        yield b'\x07' + text


# Of cli.c: reader, geometry; then the file.
def all_cli():
    floats = struct.pack('<8f', 0, 1, -1.5, 1e-20, 1e14, -0.0, 3.25, 7)
    yield bytes([0, 1 + 8]) + floats
    yield bytes([1, 1 + 8 + 32]) + struct.pack('<8h', 1, -2, 3, 32767, -32768, 0, 7, 9)
    yield bytes([2, 1 + 8]) + b'x0,y0,x1,y1\n1,2,3,4\n5,6,7,8\n'
    yield bytes([2, 1 + 8]) + b'# unit: g\n# axes: 2\ntime,x0,y0,x1,y1\n2026-11-22T13:19:31.250Z,1,2,3,4\n' \
        b'2026-11-22T13:19:32Z,5,6,7,8\n'
    yield bytes([2, 1]) + b'\xef\xbb\xbf1;2,5\r\n3;4\r\n\r\n'
    yield bytes([3, 0]) + b'time;x\n2026-11-22T13:19:31+01:00;1\n'
    yield bytes([4, 1]) + b'{"machine":"a","time":"2026-11-22T13:19:31Z","data":[1,2]}\n{"data":[3,4],"time":1795353571000}\n'
    yield bytes([4, 1]) + b'{"machine":"a","data":[1,2],"context":{"t":1}}\n\n{"machine":"b","data":[3,4]}\n'
    yield bytes([5]) + bytes(4) + b'HABT' + bytes(200)
    yield bytes([5]) + struct.pack('<I', 4 * 200 + 1) + b'between and behind'


# Of mqtt.c: messages of topic, envelope, payload.
def message(topic, envelope=b'', payload=b''):
    return topic.encode() + b'\n' + envelope + b'\n' + payload


def all_mqtt():
    four = struct.pack('<4f', 1, 2, 3, 4)
    own = 'habit/v1/g/'
    pump = struct.pack('<16h', *range(16))
    yield message(own + 'fan-1/buffer', b'', four)
    yield message(own + 'fan-1/learn', b'|application/json', b'{"data": [1, -2, 3, 4], "seq": 7, "boot": "a1", "age_ms": 10}')
    yield message(own + 'pump-1/detect', b'|application/octet-stream||seq=3|boot=x|source=esp|time=1795353571000', pump)
    yield message(own + 'pump-1/buffer', b'|text/csv', b','.join(b'%d' % i for i in range(16)))
    yield message(own + 'auto-7/buffer', b'', four + four) + b'\x1e' + message(own + 'auto-7/buffer', b'', four + four)
    yield message(own + 'fan-1/buffer', b'r', four)
    yield message(own + 'unknown/buffer', b'', four)
    yield message(own + 'fan-1/context', b'', b'{"temperature": 61.5}')
    yield message(own + 'fan-1/context', b'|text/csv', b'1,2')
    for verb, body in (('commission', b''), ('initialize', b'{"id": 1}'), ('sensitivity', b'{"sensitivity": 1.5, "id": "x"}'),
                       ('snapshot', b'{"note": "now"}'), ('mute', b'{"for": "1h", "who": "me"}'), ('unmute', b'{}'),
                       ('nothing', b'{}')):
        yield message(own + 'pump-1/cmd/' + verb, b'||answers/here', body)
    yield message(own + 'pump-1/cmd/mute', b'||habit/v1/g/x', b'{"for": "1h"}')
    yield message(own + 'pump-1/state', b'', b'{}')
    yield message('homeassistant/status', b'', b'online')
    yield message('big/line/auto-1/raw', b'', struct.pack('>8h', *range(8)))
    yield message('json/fan-1', b'', b'{"accel": {"samples": [1, 2, 3, 4]}, "seq": 1}')
    yield message('planar/fan-1', b'', four)
    yield message('map/3', b'', struct.pack('<16h', *range(16)))
    yield b'\x1e'.join(message('stream/stream-1', b'|||seq=%d' % i, four) for i in (1, 2, 3, 5))
    yield b'\x1e'.join(message('hop/stream-2', b'|||time=%d' % i, four) for i in (1000, 1002, 9000))
    yield message('stream/..', b'', four)
    for kind in range(3):
        yield bytes([kind, 3, 7, 1, 1, 30, 5, 8, 16, 99])
        yield bytes([kind, 7, 0, 6, 9, 10, 1, 1, 40])


# Of http.c: the text of requests.
def request(line, body=b'', *headers):
    length = [b'Content-Length: %d' % len(body)] if body else []
    return b'\r\n'.join([line.encode() + b' HTTP/1.1', b'Host: localhost'] + list(headers) + length) + b'\r\n\r\n' + body


JSON_TYPE, BYTES, TEXT, LINES = (b'Content-Type: ' + t for t in (
    b'application/json', b'application/octet-stream', b'text/csv', b'application/x-ndjson'))

GETS = ('/', '/page/app.js', '/page/none', '/openapi.json', '/livez', '/readyz', '/metrics', '/v1/session',
        '/v1/audit?machine=pump-1&from=0&limit=2', '/v1/machines?limit=1&after=fan-1', '/v1/machines/pump-1',
        '/v1/machines/pump-1/buffers', '/v1/machines/pump-1/sensitivity', '/v1/machines/pump-1/knowledge',
        '/v1/machines/pump-1/history?from=2026-11-22T00%3A00%3A00Z&step=1d', '/v1/machines/pump-1/recent?after=0',
        '/v1/machines/pump-1/snapshots', '/v1/machines/pump-1/snapshots/1', '/v1/machines/pump-1/relearn',
        '/v1/pending?limit=10', '/v1/anomalies?asset=a%2Fb&before=7&limit=5', '/v1/anomalies/1', '/v1/anomalies/1/buffers',
        '/v1/episodes?from=1795353571000', '/v1/events?types=anomaly,state&after=0',
        '/v1/reports/daily?date=2026-11-22&group=asset', '/v1/reports/daily?date=2026-11-21&machine=pump-1',
        '/v1/machines/pump-1/history?from=0&to=9223372036854775807&step=1h', '/v1/machines/pump-1/history?to=0',
        '/v1/machines/pump-1/history?from=9223372036854775807', '/v1/anomalies?from=9223372036854775807&to=9999999999999999',
        '/v1/episodes?to=9223372036854775807', '/v1/reports/daily?date=9999-12-31', '/v1/anomalies/9223372036854775807',
        '/v1/machines/..', '/v1/%2e%2e/x', '/v1/machines/a%00b', '/v1/machines/pump-1?x=1', '/nothing')


def all_http():
    for path in GETS:
        yield request('GET ' + path)
    machine = '/v1/machines/pump-1'
    pump = struct.pack('<16h', *range(16))
    four = struct.pack('<4f', 1, 2, 3, 4)
    yield request('PUT /v1/machines/new-1', b'{"buffer_size": 4, "axes": 2}', JSON_TYPE, b'If-None-Match: *')
    yield request('PUT ' + machine, b'{"buffer_size": 16, "axes": 2}', JSON_TYPE, b'If-Match: "1"')
    yield request('PATCH ' + machine, b'{"window": 20, "name": null, "asset": "line"}', JSON_TYPE)
    yield request('DELETE ' + machine)
    yield request('POST ' + machine + '/learn?seq=7&boot=a&source=esp&age_ms=10', pump, BYTES)
    yield request('POST ' + machine + '/detect?dry_run=1&format=i16', pump + pump, BYTES)
    yield request('POST /v1/machines/fan-1/learn', b'{"data": [1, 2, 3, 4], "seq": 3}', JSON_TYPE)
    yield request('POST /v1/machines/fan-1/buffers', b'1,2,3,4\n5,6,7,8\n', TEXT) + request('GET /v1/machines/fan-1')
    yield request('POST /v1/buffers', b'{"machine":"fan-1","data":[1,2,3,4]}\n{"machine":"x","data":[]}\n{}\n', LINES)
    yield request('POST ' + machine + '/commission') + request('POST ' + machine + '/initialize', b'{}', JSON_TYPE)
    yield request('PUT ' + machine + '/sensitivity', b'{"sensitivity": 1.5}', JSON_TYPE)
    yield request('PUT ' + machine + '/knowledge', b'HABT' + bytes(60), BYTES)
    yield request('PUT ' + machine + '/context', b'{"temperature": 61.5}', JSON_TYPE)
    yield request('PUT ' + machine + '/mute', b'{"for": "1h", "who": "me"}', JSON_TYPE) + request('DELETE ' + machine + '/mute')
    yield request('POST ' + machine + '/snapshots?note=a%20b') + request('POST ' + machine + '/snapshots/1/restore')
    yield request('POST ' + machine + '/relearn') + request('POST ' + machine + '/relearn/switch')
    yield request('POST /v1/pending/x/adopt', b'{"axes": 1}', JSON_TYPE)
    yield request('POST /v1/anomalies/1/accept')
    yield request('POST /v1/login', b'{"token": "fuzz-secret"}', JSON_TYPE) + request('POST /v1/logout')
    yield request('HEAD /v1/machines', b'', b'Accept: text/csv') + request('OPTIONS /')
    yield request('POST /v1/machines/fan-1/learn', four, BYTES, b'Transfer-Encoding: chunked')
    yield request('POST /v1/machines/fan-1/learn', b'', BYTES, b'Transfer-Encoding: chunked') + four
    yield request('GET /', b'', b'Host: evil.example', b'Origin: http://evil.example')
    yield request('GET /', b'', b'Expect: 100-continue', b'X y: 1', b'Content-Encoding: gzip')
    yield b'!' + request('GET /v1/machines/pump-1', b'', b'Authorization: Bearer fuzz-secret')
    yield b'!' + request('GET /v1/machines/fan-1', b'', b'Authorization: Bearer fuzz-secret') + request('GET /v1/machines')
    yield b'!' + request('PUT ' + machine + '/sensitivity', b'{"sensitivity": 1}', b'Authorization: Bearer fuzz-secret', JSON_TYPE)
    yield b'!' + request('GET /metrics', b'', b'Authorization: Bearer wrong', b'Cookie: habit=x; a=b')
    yield b'!' + request('POST /v1/login', b'{"token": "fuzz-secret"}', JSON_TYPE)


TEXTS = {
    'http': list(all_http()),
    'mqtt': list(all_mqtt()),
    'json': [bytes([reader]) + text for reader, texts in enumerate(JSON) for text in texts],
    'config': list(CONFIGS) + [b'#tokens\n' + text for text in TOKENS],
    'inputs': list(all_inputs()),
    'cli': list(all_cli()),
}


# Of upload.c: a machine, and a block as knowledge.c takes it.
def upload(rng, k):
    return bytes([rng.randrange(48) if k % 3 == 0 else k % 6]) + knowledge(rng, k)


def write(name, contents):
    folder = os.path.join(HERE, 'corpus', name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for k, content in enumerate(contents):
        with open(os.path.join(folder, f'{k:02}'), 'wb') as f:
            f.write(content)


def main():
    for name, make, count in (('interface', interface, 36), ('knowledge', knowledge, 48), ('upload', upload, 36)):
        write(name, [make(random.Random(1000 * k + len(name)), k) for k in range(count)])
    for name, texts in TEXTS.items():
        write(name, texts)


if __name__ == '__main__':
    main()
