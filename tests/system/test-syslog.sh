# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Audit records, as real syslog daemons take them from /dev/log: facility,
# severity, program, process and the record itself, whole.

. tests/system/calfpen.sh

# A /dev of our own: the lab's is the machine's.
private_dev() {
	local node
	mkdir -p "$LAB_DIR/dev/net" "$LAB_DIR/dev/pts"
	for node in null zero full random urandom tty net/tun; do
		: >"$LAB_DIR/dev/$node"
		mount --bind "/dev/$node" "$LAB_DIR/dev/$node"
	done
	mount --rbind /dev/pts "$LAB_DIR/dev/pts"
	ln -s /proc/self/fd "$LAB_DIR/dev/fd"
	mount --rbind "$LAB_DIR/dev" /dev
}

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

test_rsyslog() {
	skip_if_missing rsyslogd
	private_dev
	# The module as Debian's rsyslog.conf loads it
	cat >"$LAB_DIR/rsyslog.conf" <<END
module(load="imuxsock")
template(name="fields" type="string" string="%syslogfacility-text%|%syslogseverity-text%|%programname%|%procid%|%msg:2:\$%\n")
action(type="omfile" file="$LAB_DIR/rsyslog.out" template="fields")
END
	start rsyslog rsyslogd -n -f "$LAB_DIR/rsyslog.conf" -i "$LAB_DIR/rsyslog.pid"
	wait_for 5 test -S /dev/log
	lease --syslog
	refused
	wait_for 5 record_of "$LAB_DIR/rsyslog.out" /ip EACCES
	assert_eq "authpriv|info|calfpen-$LAB_UPLINK|$(watcher_pid) dhcp4 commit" \
		"$(record_of "$LAB_DIR/rsyslog.out" /ip ok)"
	assert_eq "authpriv|warning|calfpen-$LAB_UPLINK|$(watcher_pid) operator write" \
		"$(record_of "$LAB_DIR/rsyslog.out" /ip EACCES)"
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
}
