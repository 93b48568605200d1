"""The catalogue of bad inputs, entry by entry: which test covers it, or why none does. This file fails when an entry has no row, when a
row names a test that is not there, and where the catalogue itself is at hand (HABIT_REFERENCE), when an entry was added to it. What had
no test elsewhere is tested below."""
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from support import BUILD, HABITD, REPOSITORY, clean_environment, configuration, floats, wait_until

REFERENCE = pathlib.Path(os.environ.get("HABIT_REFERENCE", REPOSITORY.parent / "shared" / "reference" / "reliability.md"))
PARTS = {"H": 48, "M": 24, "C": 16, "K": 20, "L": 12, "E": 12}

# id: what it is; tests as "file: name name" ("engine/test_block.c: name" outside the system tests); where habit answers otherwise than
# the catalogue asks, or an entry cannot be, the words after "--" say so
CATALOGUE = """
H01 both lengths                        | test_framing.py: test_frame test_smuggled_request_is_none
H02 two Content-Length                  | test_framing.py: test_frame
H03 Content-Length that is no number    | test_framing.py: test_frame; daemon/test_http_guard.c: test_framing
H04 Content-Length 2^63, 2^64, 10^30    | test_framing.py: test_frame; test_bad_input.py: test_announced_too_large test_announced_beyond_64_bits
H05 Transfer-Encoding                   | test_framing.py: test_frame
H06 colons, folds, bare CR, controls    | test_framing.py: test_frame
H07 no Host, two, another's             | test_framing.py: test_frame; test_security.py: test_hosts
H08 chunks                              | test_framing.py: test_frame test_smuggled_request_is_none -- a chunk line of 200 kB gets libmicrohttpd's own 500, and the end
H09 body shorter than announced         | test_bad_input.py: test_body_shorter_than_announced; test_slow_clients.py: test_a_byte_now_and_then
H10 body longer than announced          | test_framing.py: test_frame
H11 a byte now and then, slow readers   | test_slow_clients.py: test_a_byte_now_and_then test_slow_reader test_slow_request_in_tls
H12 1,000 idle, 200 of one address      | test_slow_clients.py: test_idle_crowd test_slow_crowd test_each_address
H13 half-close, RST                     | test_framing.py: test_reset_in_the_middle; test_kills.py: test_killed_under_load
H14 pipelined learns, cut               | test_framing.py: test_pipelined_requests_that_are_fine; test_catalogue.py: test_pipelined_learns_that_are_cut
H15 Expect                              | test_framing.py: test_frame -- an unknown expectation gets 400, as any doubt about the frame
H16 other protocols on the port         | test_framing.py: test_frame; test_security.py: test_plain_http_on_the_tls_port
H17 HTTP/0.9, 2.0, 9.9                  | test_framing.py: test_frame
H18 methods                             | test_framing.py: test_frame; test_bad_input.py: test_wrong_method test_body_where_none_belongs
H19 long URL, parameters                | test_framing.py: test_frame; test_bad_input.py: test_query test_query_of_buffers
H20 %00, NUL, %zz, dots, slashes        | test_framing.py: test_frame; daemon/test_http_guard.c: test_uri; test_bad_input.py: test_unknown_route
H21 machine IDs that are none           | test_bad_input.py: test_machine_id test_bad_ids_over_mqtt; daemon/test_text.c: machine_ids
H22 IDs that differ in case             | test_bad_input.py: test_case_matters
H23 unknown machine                     | test_bad_input.py: test_unknown_machine; test_faults.py: test_only_a_good_buffer_makes_a_machine
H24 Content-Type, Content-Encoding      | test_bad_input.py: test_buffer; daemon/test_http_guard.c: test_media
H25 empty, null, scalars                | test_bad_input.py: test_malformed_json; daemon/test_wire_json_vectors.c: test_every_vector_at_every_door
H26 truncated at every byte             | test_bad_input.py: test_cut_off_anywhere; daemon/test_wire_json_vectors.c: test_cut_anywhere
H27 two documents, BOM, comments        | daemon/test_wire_json_vectors.c: test_every_vector_at_every_door
H28 a key twice                         | daemon/test_wire_json_vectors.c: test_every_vector_at_every_door
H29 NaN, Infinity, 1e999                | daemon/test_wire_json_vectors.c: test_every_vector_at_every_door; test_bad_input.py: test_buffer
H30 tiny numbers                        | test_bad_input.py: test_good_is_good; engine/test_features.c: what_is_below_1e_15_counts_as_silence
H31 finite in double, not in float      | test_bad_input.py: test_buffer
H32 integers, signs, points             | daemon/test_wire_json_vectors.c: test_every_vector_at_every_door
H33 no numbers in the array             | test_bad_input.py: test_buffer; daemon/test_wire_json_vectors.c: test_every_vector_at_every_door
H34 how many values                     | test_bad_input.py: test_buffer -- a multiple of a buffer is a batch
H35 constant, spikes, +-1e15            | engine/test_refusals.c: values_up_to_the_limit_are_taken; test_bad_input.py: test_all_axes_constant -- all constant: 422
H36 depth, many keys, long keys         | daemon/test_wire_json_vectors.c: test_every_vector_at_every_door; test_catalogue.py: test_json_bombs
H37 surrogates, overlong, controls      | daemon/test_wire_json_vectors.c: test_every_vector_at_every_door
H38 unknown field                       | test_bad_input.py: test_setting test_buffer -- on buffers ignored and counted, as the contract says
H39 timestamps                          | test_bad_input.py: test_buffer; daemon/test_clock.c: other_forms_are_refused; test_rest.py: test_time_that_cannot_be
H40 seq                                 | test_bad_input.py: test_buffer; test_durability.py: test_numbered_buffers_once test_numbers_behind_the_window_are_duplicates
H41 sensitivity, threshold              | test_bad_input.py: test_setting test_sensitivity
H42 learn during import, reset, delete  | test_faults.py: test_lists_are_whole_while_machines_are_deleted test_deleted_machine_is_not_left_raised
H43 delete twice, make again            | test_catalogue.py: test_deleted_twice
H44 tokens                              | test_security.py: test_without_a_token test_routes_scopes_machines
H45 10,000 wrong tokens                 | test_security.py: test_wrong_tokens_are_limited
H46 Origin, preflight                   | test_bad_input.py: test_web_page_from_elsewhere test_wrong_method
H47 wide ranges                         | test_reports.py: test_history_refuses; test_rest.py: test_anomalies_by_filter_and_cursor
H48 requests while it stops             | test_durability.py: test_stops_in_order_under_load test_stops_while_http_waits
M01 odd topics                          | daemon/test_mqtt_topic.c: reads_every_row; test_rogue_broker.py: test_rogue
M02 IDs that are none                   | test_bad_input.py: test_bad_ids_over_mqtt
M03 topic and payload of two machines   | -- a payload does not name a machine
M04 payload of 0, 1, too many bytes     | test_bad_input.py: test_oversize_message test_same_bodies_over_mqtt; test_rogue_broker.py: test_rogue
M05 NULs, no UTF-8, exact lengths       | test_bad_input.py: test_same_bodies_over_mqtt; daemon/test_wire_json_vectors.c: test_every_vector_at_every_door
M06 the bodies of HTTP                  | test_bad_input.py: test_same_bodies_over_mqtt
M07 binary payloads                     | test_bad_input.py: test_same_bodies_over_mqtt; daemon/test_wire.c: test_raw
M08 duplicates                          | daemon/test_marks.c: exactly_once; test_kills.py: test_exactly_once
M09 out of order, gaps                  | daemon/test_marks.c: a_million_numbers_like_their_slow_twin; test_kills.py: test_exactly_once
M10 retained                            | test_bad_input.py: test_retained_buffer_is_not_learned; test_mqtt_out.py: test_retained_commands_are_refused
M11 QoS 0 and 2                         | test_rogue_broker.py: test_rogue -- subscribed at QoS 1; QoS 0 is outside the promise
M12 floods                              | test_rogue_broker.py: test_rogue; test_nodes.py: test_pending_is_bounded
M13 a million IDs                       | daemon/test_pending.c: test_bound; test_nodes.py: test_pending_is_bounded
M14 answers that are none               | test_rogue_broker.py: test_rogue -- a property that libmosquitto does not know ends habitd: docs/reliability.md
M15 lengths, cut packets                | test_rogue_broker.py: test_rogue
M16 broker away, late, flapping         | test_durability.py: test_without_a_broker test_broker_restarts; test_rogue_broker.py: test_all_recover
M17 session lost                        | test_durability.py: test_broker_forgets_everything
M18 client id taken                     | -- tests of the broker's faults (issue 6.4)
M19 TLS                                 | test_security_broker.py: test_verified_at_each_connect test_wrong_ca_from_the_start
M20 own topics come back                | test_bad_input.py: test_own_topics_come_back
M21 commands of a sensor                | test_mqtt_out.py: test_commands_are_off_by_default; test_security_broker.py: test_a_node_writes_its_own_topics_only
M22 the clock jumps                     | daemon/test_trust.c: large_steps; daemon/test_reporting.c: a_clock_that_jumps
M23 SIGKILL between commit and PUBACK   | test_kills.py: test_killed_under_load
M24 disk full in a burst                | test_call_faults.py: test_store_faults
C01 what is no file                     | test_bad_input.py: test_configuration_that_is_no_file; test_catalogue.py: test_configuration_is_a_pipe
C02 a secret that others can read       | test_security.py: test_not_with_broken_files; daemon/test_config.c: refuses_bad_files
C03 BOM, CRLF, NUL, UTF-16, long lines  | test_bad_input.py: test_broken_configuration test_configuration_that_is_no_text test_checked_configuration
C04 unknown, twice, misplaced           | test_bad_input.py: test_broken_configuration
C05 integers                            | test_bad_input.py: test_broken_configuration; daemon/test_text.c: unsigned_numbers
C06 durations                           | test_bad_input.py: test_broken_configuration; daemon/test_text.c: durations
C07 yes and no                          | test_bad_input.py: test_broken_configuration
C08 ports and addresses                 | test_bad_input.py: test_broken_configuration test_port_in_use; test_security.py: test_not_beyond_loopback_without
C09 paths                               | test_bad_input.py: test_broken_configuration test_store_without_a_folder
C10 patterns that overlap               | daemon/test_config.c: sees_overlaps_of_topics; test_bad_input.py: test_broken_configuration
C11 limits that contradict              | -- limits are compiled in; [gateway] machines is checked against its own: test_broken_configuration
C12 time zones                          | test_bad_input.py: test_broken_configuration
C13 weak tokens                         | test_security.py: test_token_commands -- habit makes them: nobody chooses one
C14 SIGHUP with each of these           | test_security.py: test_reload_is_all_or_nothing; test_catalogue.py: test_storm_of_signals
C15 includes                            | -- there are none
C16 environment against file            | -- the file alone counts; test_bad_input.py: test_password_is_not_printed for what is printed
K01 lengths                             | test_bad_input.py: test_knowledge_of_another_length; engine/test_block.c: every_truncation_is_refused
K02 magic, version                      | engine/test_mutants.c: sealed_nonsense_is_refused
K03 every flipped bit                   | engine/test_block.c: every_flipped_bit_is_refused
K04 counts, with the sum put right      | engine/test_mutants.c: sealed_nonsense_is_refused
K05 values, with the sum put right      | engine/test_mutants.c: sealed_nonsense_is_refused; engine/test_block.c: hostile_knowledge_never_leads_to_nonsense
K06 lines that always or never alarm    | engine/test_mutants.c: sealed_nonsense_is_refused
K07 another geometry                    | test_bad_input.py: test_knowledge_of_another_sensor
K08 another machine's, older            | test_episodes.py: test_uploaded_snapshots_wait -- taken where geometry, rate, unit and scale agree; what was there stays as a snapshot
K09 counters at their end               | engine/test_properties.c: the_counter_of_buffers_stays_at_its_end
K10 another byte order                  | engine/test_mutants.c: sealed_nonsense_is_refused -- one canonical form
K11 base64                              | -- knowledge travels as bytes
K12 import twice, while learning        | test_rest.py: test_knowledge_round_trip; test_power_cut.py: test_power_cut
K13 export, import, export              | engine/test_block.c: export_import_export_gives_the_same_bytes; test_rest.py: test_knowledge_round_trip
K14 data behind a block                 | test_bad_input.py: test_knowledge_of_another_length
K15 compression                         | -- there is none
K16 torn slots                          | firmware/test_save_cuts.c: every_unit_of_50_saves_then_every_unit_of_the_recovery
K17 erased and zeroed flash             | firmware/test_save.c: flash_that_is_erased_zeroed_or_full_of_other_bytes_holds_no_knowledge
K18 read errors                         | firmware/test_save_cuts.c: parts_whose_erased_units_cannot_be_read; firmware/test_save_ports.c: nrf52_refuses_what_it_cannot_do
K19 NULL, unaligned, too small          | engine/test_refusals.c: memory_that_does_not_fit_is_refused
K20 random blocks                       | engine/test_mutants.c: sealed_nonsense_is_refused -- and the fuzz targets; on emulated boards the same code runs
L01 usage                               | test_cli.py: test_wrong_usage_says_which_option_and_exits_2; test_bad_input.py: test_broken_arguments
L02 missing last argument               | test_cli.py: test_wrong_usage_says_which_option_and_exits_2
L03 numbers, locale                     | test_cli.py: test_numbers_are_read_strictly; daemon/test_text.c: numbers_in_another_locale
L04 files that are none                 | test_cli.py: test_what_cannot_be_read_is_a_failure test_a_full_disk_behind_stdout_is_a_failure
L05 output that is there already        | test_cli.py: test_an_output_is_complete_or_not_there
L06 CSV                                 | test_cli.py: test_bad_data_is_refused_with_its_place; test_bad_input.py: test_buffer
L07 closed descriptors                  | test_cli.py: test_what_is_printed_on_closed_files_goes_nowhere; test_catalogue.py: test_started_with_nothing_open
L08 empty environment, umask 000        | test_catalogue.py: test_started_with_nothing_open; test_bad_input.py: test_store_is_private
L09 a secret on the command line        | test_security.py: test_no_secret_leaks test_token_commands
L10 second instance                     | test_bad_input.py: test_store_in_use test_lock_of_the_dead
L11 signals                             | test_catalogue.py: test_storm_of_signals; test_call_faults.py: test_store_faults
L12 1970, 2038, 2106                    | daemon/test_trust.c: a_start_in_1970; daemon/test_report.c: later_than_32_bits
E01 NULL, uninitialised                 | engine/test_refusals.c: an_engine_that_is_not_there_is_refused_by_every_call
E02 NaN anywhere                        | engine/test_refusals.c: a_value_that_is_none_is_refused_wherever_it_stands
E03 extremes                            | engine/test_refusals.c: values_up_to_the_limit_are_taken
E04 constant windows                    | engine/test_detect.c: dead_and_clipped_axes_are_flagged
E05 detect before enough is learned     | engine/test_detect.c: not_ready_before_eight_buffers
E06 very many learns                    | engine/test_calibration.c: years_of_learning_neither_overflow_nor_freeze
E07 cancellation                        | engine/test_calibration.c: running_sums_agree_with_two_passes_in_double
E08 int16 full scale                    | engine/test_detect.c: int16_gives_the_same_bytes
E09 scores at the line                  | engine/test_detect.c: similarity_follows_its_definition
E10 re-entrancy                         | -- one caller at a time for each engine: engine.h says so; the daemon holds the machine's lock
E11 x86 against Cortex-M                | -- tests/golden and tests/board: golden vectors on the host, emulated users and boards
E12 stack and time                      | -- firmware/FOOTPRINT.md is made by the build and compared by tests/footprint
"""

ROWS = dict(re.findall(r"^([A-Z]\d\d) (.+)$", CATALOGUE, re.M))


def references(row):
    """(file, name) of each test that a row names."""
    for part in row.split("|")[1].split("--")[0].split(";"):
        file, _, names = part.strip().partition(":")
        yield from ((file, name) for name in names.split())


def test_every_entry_has_a_row():
    assert sorted(ROWS) == sorted(f"{letter}{number:02}" for letter, count in PARTS.items() for number in range(1, count + 1))


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the catalogue is not at hand: set HABIT_REFERENCE")
def test_every_entry_of_the_catalogue():
    entries = set(re.findall(r"^\| ([HMCKLE]\d\d) \|", REFERENCE.read_text(), re.M))
    assert entries == set(ROWS)


@pytest.mark.parametrize("entry", ROWS)
def test_row_names_tests_that_are_there(entry):
    found = list(references(ROWS[entry]))
    assert found or "--" in ROWS[entry], "neither a test nor a word"
    for file, name in found:
        path = REPOSITORY / "tests" / (file if "/" in file else f"system/{file}")
        text = path.read_text()
        assert re.search(rf"\b(test_)?{name}" if path.suffix == ".c" else rf"^def {name}\(", text, re.M), f"no {name} in {file}"


# ------------------------------------------------------------------------------------------- what has no other place

def test_pipelined_learns_that_are_cut(habitd):
    """A hundred learns in one write, the connection cut after some answers: what was answered is learned, and at most all."""
    import socket
    habitd.put_machine("m", buffer_size=8, axes=1, learn=100000)
    body = floats([0.5, -1.25, 2.0, -0.75, 1.5, -2.5, 0.25, -0.125])
    learn = (b"POST /v1/machines/m/learn HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
             b"Content-Length: 32\r\n\r\n" + body)
    with socket.create_connection(("127.0.0.1", int(habitd.url.rsplit(":", 1)[1])), 10) as link:
        link.sendall(learn * 100)
        got = b""
        while got.count(b"HTTP/1.1 200") < 50:
            got += link.recv(65536)
    time.sleep(0.5)
    assert got.count(b"HTTP/1.1 200") <= habitd.learned("m") <= 100


def test_deleted_twice(habitd):
    """The second time it is not there; made again, it knows nothing of before."""
    for _ in range(2):
        habitd.put_machine("m", buffer_size=8, axes=1, learn=100000)
        assert habitd.learned("m") == 0
        habitd.post("m", "learn", floats([0.5, -1.25, 2.0, -0.75, 1.5, -2.5, 0.25, -0.125]))
        assert habitd.request("DELETE", "/v1/machines/m").status_code == 204
        assert habitd.request("DELETE", "/v1/machines/m").status_code == 404


def peak(habitd):
    """Most bytes of memory that it ever had."""
    status = pathlib.Path(f"/proc/{habitd.child.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def bombs():
    size = 1048576 - 64
    yield "empty objects", b"[" + b"{}," * (size // 3) + b"{}]"
    yield "empty arrays", b"[" + b"[]," * (size // 3) + b"[]]"
    yield "depth", b"[" * size
    yield "keys", b"{" + b",".join(b'"%d":1' % i for i in range(65000)) + b"}"
    yield "one key", b'{"' + b"k" * size + b'":1}'
    yield "one string", b'{"data":"' + b"s" * size + b'"}'
    yield "one number", b"[" + b"1" * size + b"]"
    yield "long fractions", b"[" + b",".join([b"0." + b"1" * 500] * 1999) + b"]"
    yield "escapes", b'{"data":"' + b"\\u0041" * (size // 6) + b'"}'
    yield "numbers", b"[" + b"1," * 65000 + b"1]"
    yield "space", b" " * size + b"[1]"


@pytest.mark.parametrize("path", ["/v1/machines/m/detect", "/v1/machines/m", "/v1/machines/m/context"])
def test_json_bombs(habitd, path):
    """As large as a body may be: refused in little time, in little memory."""
    habitd.put_machine("m", buffer_size=8, axes=1)
    before = peak(habitd)
    for name, body in bombs():
        began = time.monotonic()
        method = "POST" if path.endswith("detect") else "PUT"
        answer = habitd.request(method, path, data=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, f"{name}: {answer.status_code}"
        assert time.monotonic() - began < 1, f"{name}: {time.monotonic() - began:.2f} s"
    grown = peak(habitd) - before
    print(f"{path}: {grown / 2**20:.1f} MiB at the most")
    most = (128 if "san" in BUILD.name else 32) << 20  # sanitizers keep what was freed
    assert grown < most, f"grown by {grown / 2**20:.0f} MiB"


def test_configuration_is_a_pipe(tmp_path):
    """Nobody ever writes into it: refused instead of waited for."""
    pipe = tmp_path / "habitd.conf"
    os.mkfifo(pipe)
    done = subprocess.run([HABITD, "--config", pipe, "--check-config"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=10, env=clean_environment(), check=False)
    assert done.returncode == 2 and str(pipe) in done.stderr


def test_started_with_nothing_open(tmp_path):
    """No standard files, no environment, umask 000: the database gets none of the three numbers, and is nobody else's."""
    store, conf = tmp_path / "habit.db", tmp_path / "habitd.conf"
    conf.write_text(configuration(store))

    def close_all():
        os.umask(0)
        for descriptor in (0, 1, 2):
            os.close(descriptor)

    child = subprocess.Popen([HABITD, "--config", conf], env={}, preexec_fn=close_all)  # pylint: disable=subprocess-popen-preexec-fn
    try:
        wait_until(lambda: child.poll() is not None or store.exists(), "it starts", 10)
        time.sleep(0.5)
        if child.poll() is None:
            open_files = {n: os.readlink(f"/proc/{child.pid}/fd/{n}") for n in os.listdir(f"/proc/{child.pid}/fd")}
            assert not any(str(store) in open_files.get(n, "") for n in "012"), open_files
            assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.glob("habit.db*"))
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == 0
        else:
            assert child.returncode == 1
    finally:
        child.kill()
        child.wait()


def test_storm_of_signals(habitd):
    """A thousand SIGHUPs with a broken file, and two SIGTERMs: the old configuration stays, the end is in order."""
    habitd.put_machine("m", buffer_size=8, axes=1)
    habitd.conf.write_text("[nonsense]\n")
    for _ in range(1000):
        habitd.child.send_signal(signal.SIGHUP)
    assert habitd.machine("m")["machine"] == "m"
    lines = len([line for line in habitd.log().splitlines() if "nonsense" in line])
    assert lines <= 1000
    habitd.child.send_signal(signal.SIGTERM)
    habitd.child.send_signal(signal.SIGTERM)
    assert habitd.child.wait(10) == 0
