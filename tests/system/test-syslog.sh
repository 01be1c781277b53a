# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# timeout: 180
#
# Audit records and log lines, as real syslog daemons take them from /dev/log:
# facility, severity, program, process and the text, whole; and none is lost.

. tests/system/calfpen.sh

# record_of FILE KEY VERDICT - who wrote it how, of the first such record in
# FILE; fails without one, or where a record is not whole
record_of() {
	python3 - "$@" <<'END'
import json, sys
path, key, verdict = sys.argv[1:]
for line in open(path):
    fields = line.rstrip("\n").split("|", 4)
    if len(fields) < 5 or not fields[4].startswith("{"):
        continue
    record = json.loads(fields[4])  # whole, or this fails
    if record.get("path") == key and record["verdict"] == verdict:
        print("|".join(fields[:4]), record["subject"], record["verb"])
        break
else:
    sys.exit(1)
END
}

refused() {
	calfpen set /ip 10.0.0.1/24 2>/dev/null || true
}

# The module as Debian's rsyslog.conf loads it
start_rsyslog() {
	cat >"$LAB_DIR/rsyslog.conf" <<END
module(load="imuxsock")
template(name="fields" type="string" string="%syslogfacility-text%|%syslogseverity-text%|%programname%|%procid%|%msg:2:\$%\n")
action(type="omfile" file="$LAB_DIR/rsyslog.out" template="fields")
END
	start rsyslog rsyslogd -n -f "$LAB_DIR/rsyslog.conf" -i "$LAB_DIR/rsyslog.pid"
	wait_for 5 test -S /dev/log
}

test_rsyslog() {
	skip_if_missing rsyslogd
	private_dev
	start_rsyslog
	lease --syslog
	refused
	wait_for 5 record_of "$LAB_DIR/rsyslog.out" /ip EACCES
	assert_eq "authpriv|info|calfpen-$LAB_UPLINK|$(watcher_pid) dhcp4 commit" \
		"$(record_of "$LAB_DIR/rsyslog.out" /ip ok)"
	assert_eq "authpriv|warning|calfpen-$LAB_UPLINK|$(watcher_pid) operator write" \
		"$(record_of "$LAB_DIR/rsyslog.out" /ip EACCES)"
}

# has_line FILE REGEX
has_line() { grep -qE -- "$2" "$1"; }

# same_records FILE - all records of the audit log are in FILE, whole, once, in order
same_records() {
	python3 -c 'import sys
audit, syslog = sys.argv[1:]
records = [line[line.index("{\"time\""):] for line in open(syslog) if "{\"time\"" in line]
sys.exit(records != list(open(audit)))' "$audit" "$1"
}

test_U34_starts_with_rsyslog() {
	local out=$LAB_DIR/rsyslog.out line="daemon\\|info\\|calfpen-$LAB_UPLINK" supervisor gateway
	skip_if_missing rsyslogd
	private_dev
	start_rsyslog
	for _ in 1 2 3; do
		lease --syslog
		supervisor=$(supervisor_pid)
		gateway=$(gateway_pid)
		stop calfpen || fail "exit code $?"
		wait_for 5 same_records "$out"
	done
	# the lines that are on stderr, of each process that has any
	has_line "$out" "^$line\\|$supervisor\\|calfpen: instance $LAB_UPLINK running on" || fail "supervisor"
	has_line "$out" "^$line\\|$supervisor\\|calfpen: shutting down" || fail "the end"
	has_line "$out" "^$line\\|$gateway\\|dhcp4: calf: REBOOTING -> BOUND" || fail "calf"
	lease --syslog
	wait_for 5 has_line "$out" "^$line\\|$(gateway_pid)\\|dhcp4: calf: lease of "
	ip link set "$LAB_UPLINK" down
	wait_for 5 has_line "$out" "^daemon\\|(info|warning)\\|calfpen-$LAB_UPLINK\\|$(watcher_pid)\\|watcher: "
	kill -KILL "$(watcher_pid)"
	wait_for 5 has_line "$out" "^daemon\\|warning\\|calfpen-$LAB_UPLINK\\|.*\\|calfpen: watcher: was killed"
	assert_eq "$(grep -c . "$LAB_DIR/calfpen.log")" "$(grep -c "^daemon|" "$out")" "as many lines as on stderr"
}

# In the configuration it is the same; the first lines wait for it.
test_U34_in_the_configuration() {
	skip_if_missing rsyslogd
	private_dev
	start_rsyslog
	echo 'syslog: true' >"$LAB_DIR/config.yaml"
	lease --config "$LAB_DIR/config.yaml"
	stop calfpen || fail "exit code $?"
	wait_for 5 same_records "$LAB_DIR/rsyslog.out"
	has_line "$LAB_DIR/rsyslog.out" 'calfpen: instance' || fail "no lines"
	# what does not start says why there
	start calfpen calfpen run --interface none0 --syslog
	wait_for 5 has_line "$LAB_DIR/rsyslog.out" '^daemon\|err\|calfpen-none0\|.*\|calfpen: none0: '
}

# start_reader SECONDS - read /dev/log, and wait so long after each message
start_reader() {
	rm -f /dev/log
	start reader python3 -uc 'import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
while True:
    sys.stdout.buffer.write(s.recv(16384).rstrip(b"\n") + b"\n")
    sys.stdout.buffer.flush()
    time.sleep(float(sys.argv[1]))' "$1"
	wait_for 5 test -S /dev/log
}

# Ten messages fit into its socket, by default
test_U34_slow_daemon() {
	private_dev
	start_reader 0.01
	lease --syslog
	wait_for 20 same_records "$LAB_DIR/reader.log"
	has_line "$LAB_DIR/reader.log" '^<30>calfpen-.*: dhcp4: calf: REQUESTING -> BOUND$' || fail "no lines"
}

# It comes after us, as at boot, and is restarted later.
test_U34_daemon_comes_later() {
	private_dev
	rm -f /dev/log
	lease --syslog
	assert_eq 1 "$(grep -c 'syslog: /dev/log: .*; messages wait until' "$LAB_DIR/calfpen.log")"
	start_reader 0
	wait_for 20 same_records "$LAB_DIR/reader.log"
	wait_for 5 has_line "$LAB_DIR/reader.log" 'dhcp4: calf: INIT -> SELECTING$'
	stop reader || true
	calfpen set /control/dhcp4/renew now
	refused
	start_reader 0
	wait_for 20 same_records "$LAB_DIR/reader.log"
	wait_for 5 has_line "$LAB_DIR/reader.log" 'dhcp4: calf: operator request: renew$'
}

# What it never takes is counted, by each process, and the end is not delayed.
test_U34_hanging_daemon() {
	local since
	private_dev
	start_reader 3600
	lease --syslog
	since=${EPOCHREALTIME//./}
	stop calfpen || fail "exit code $?"
	[ "$((${EPOCHREALTIME//./} - since))" -lt $((2000000 * patience)) ] || fail "delayed"
	assert_match 'watcher: syslog: lost [0-9]+ audit records and [0-9]+ lines' "$(<"$LAB_DIR/calfpen.log")"
}

# Under a service manager, which strips the levels of sd-daemon(3) from lines of stderr
test_U34_levels_for_journald() {
	start manager python3 -u -c 'import os, socket, subprocess, sys
theirs, ours = socket.socketpair()
status = os.fstat(theirs.fileno())
environment = dict(os.environ, JOURNAL_STREAM="%d:%d" % (status.st_dev, status.st_ino))
subprocess.Popen(sys.argv[1:], stdout=theirs, stderr=theirs, env=environment)
theirs.close()
for line in ours.makefile():
    sys.stdout.write(line)' calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP"
	wait_for 20 has_lease
	wait_for_line "$LAB_DIR/manager.log" '^<6>dhcp4: calf: REQUESTING -> BOUND$' 5
	ip link set "$LAB_UPLINK" down
	wait_for_line "$LAB_DIR/manager.log" '^<[46]>watcher: ' 5
	kill "$(supervisor_pid)"
	wait_for_line "$LAB_DIR/manager.log" '^<6>calfpen: shutting down' 5
	assert_eq "" "$(grep -v '^<[3467]>[a-z0-9]*: ' "$LAB_DIR/manager.log" || true)"
}

journal() {
	journalctl --directory="$LAB_DIR/journal" --output=json --no-pager 2>/dev/null |
		python3 -c 'import json, sys
for line in sys.stdin:
    r = json.loads(line)
    if r.get("_TRANSPORT") == "syslog":
        print("|".join(str(r.get(k)) for k in
            ("SYSLOG_FACILITY", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_PID", "MESSAGE")))' \
			>"$LAB_DIR/journal.out"
	record_of "$LAB_DIR/journal.out" "$@"
}

test_journald() {
	local journald=/lib/systemd/systemd-journald
	skip_if_missing "$journald" journalctl
	private_dev
	# It makes its sockets itself; /run and /etc are the lab's own
	mkdir -p "$LAB_DIR/journal" /run/systemd/journal /etc/systemd/journald.conf.d
	rm -rf /run/systemd/journal/* /run/log/journal /var/log/journal
	mkdir -p /run/log/journal
	mount --bind "$LAB_DIR/journal" /run/log/journal
	printf '[Journal]\nStorage=volatile\nForwardToConsole=no\nReadKMsg=no\nAudit=no\n' \
		>/etc/systemd/journald.conf.d/lab.conf
	start journald "$journald"
	wait_for 5 test -S /run/systemd/journal/dev-log
	ln -s /run/systemd/journal/dev-log /dev/log
	lease --syslog
	refused
	wait_for 5 journal /ip EACCES
	assert_eq "10|6|calfpen-$LAB_UPLINK|$(watcher_pid) dhcp4 commit" "$(journal /ip ok)"
	assert_eq "10|4|calfpen-$LAB_UPLINK|$(watcher_pid) operator write" "$(journal /ip EACCES)"
	assert_match "3\|6\|calfpen-$LAB_UPLINK\|$(gateway_pid)\|dhcp4: calf: REQUESTING -> BOUND" \
		"$(<"$LAB_DIR/journal.out")"
}
