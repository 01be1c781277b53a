# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # lib.sh sets started; text for make
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
#
# tools/bench: ratios, goals, another commit as the base, and plots, all of a
# measurement whose numbers are files; and that clients are started and ended.

# make_tree - a git repository with our tools and a measurement "fake". Its program
# prints the next line of the file "values" of $numbers/SIDE at each call, where
# SIDE is a file of the tree, so that two commits differ. Called in the test's shell.
make_tree() {
	skip_if_missing git python3
	tree=$LAB_DIR/tree numbers=$LAB_DIR/numbers
	export NUMBERS=$numbers GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org
	export GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
	mkdir -p "$tree/tools/bench" "$numbers/old" "$numbers/new"
	cp tools/bench/{run,plot,support_rows.py,support_base.py} "$tree/tools/bench/"
	echo build >"$tree/.gitignore"
	printf 'bench-programs:\n\tinstall -D -m 755 fake $(BUILD)/bench/bin/fake\n' >"$tree/Makefile"
	cat >"$tree/fake" <<-'END'
		#!/bin/bash
		set -eu
		here=$NUMBERS/$(cat "$(dirname "$0")/../../../side")
		sed -n 1p "$here/values" | tr ';' '\n' | sed 's/^ *//'
		sed -i 1d "$here/values"
		echo "${here##*/}" >>"$NUMBERS/order"
	END
	cat >"$tree/tools/bench/fake.py" <<-'END'
		def measure(bench):
		    seen = bench.program("fake")
		    bench.row("time", "us", seen["time"], seen["peer"], "peer", "ratio <= 1.5")
		    bench.row("time", "us", seen["time"], seen["other"], "other")
		    bench.row("rate", "1/s", seen["rate"], seen["peer"], "peer", "ratio >= 0.5")
		    bench.row("alone", "us", seen["time"], goal="ours <= 4")
		    bench.skip("never", "it is not there", "ratio <= 1")
	END
	commit_as old
	sed -i 's/"alone"/"alone, renamed"/' "$tree/tools/bench/fake.py"
	commit_as new
	make -s -C "$tree" BUILD=build bench-programs
}

commit_as() {
	echo "$1" >"$tree/side"
	[ -d "$tree/.git" ] || git -C "$tree" init -q
	git -C "$tree" add -A
	git -C "$tree" commit -q -m "$1"
}

# values SIDE LINE... - "LABEL VALUE; ...", what each call prints
values() {
	printf '%s\n' "${@:2}" >"$numbers/$1/values"
}

bench() {
	"$tree/tools/bench/run" "$@"
}

# field MEASURE PEER FIELD - of a row of the result, as JSON
field() {
	python3 -c 'import json, sys
data = json.load(open(sys.argv[1]))
print(*[json.dumps(row[sys.argv[4]]) for row in data["rows"]
        if row["measure"] == sys.argv[2] and str(row["peer_name"]) == sys.argv[3]])' \
		"$tree/build/bench/fake.json" "$@"
}

worktrees() {
	git -C "$tree" worktree list | wc -l
}

# Three rounds. The machine is half as fast in the second one: the ratio is the same.
readonly three_rounds="time 3; time 6; time 4; peer 2; peer 4; peer 2; other 1; other 2; other 4; rate 1; rate 1; rate 9"

test_ratio_is_the_median_of_the_rounds() {
	local output
	make_tree
	values new "$three_rounds"
	output=$(bench fake)
	assert_eq 1.5 "$(field time peer ratio)"
	assert_eq '[1.5, 2.0]' "$(field time peer ratio_range)"
	assert_eq 4.0 "$(field time peer ours)"
	assert_eq '[3.0, 6.0]' "$(field time peer ours_range)"
	assert_eq '"lower"' "$(field time peer better)"
	assert_eq '"higher"' "$(field rate peer better)"
	# 4 of 4, 0.5 of 0.5: met; and the other way round
	assert_eq true "$(field time peer met)"
	assert_eq true "$(field rate peer met)"
	assert_eq true "$(field 'alone, renamed' None met)"
	assert_eq null "$(field time other met)"
	values new "time 5; peer 2; other 1; rate 0.9"
	output=$(bench fake)
	assert_eq false "$(field time peer met)"
	assert_eq false "$(field rate peer met)"
	assert_eq false "$(field 'alone, renamed' None met)"
	assert_match 'time .* 2\.5 +ratio <= 1\.5 +NOT MET by 67 %' "$output"
	assert_match 'skipped: it is not there' "$output"
}

test_base_takes_turns() {
	local output
	make_tree
	values new "time 30; peer 2; other 1; rate 5" "time 4; peer 2; other 1; rate 5" "time 3; peer 2; other 1; rate 5"
	values old "time 10; peer 2; other 1; rate 4" "time 4; peer 2; other 1; rate 4" "time 2; peer 2; other 1; rate 4"
	output=$(bench --base HEAD~1 fake 2>"$LAB_DIR/progress.log")
	assert_eq 'new old old new new old' "$(paste -sd ' ' "$numbers/order")"
	# 30/10, 4/4, 3/2
	assert_eq 1.5 "$(field time peer base_ratio)"
	assert_eq '[1.0, 3.0]' "$(field time peer base_ratio_range)"
	assert_eq 4.0 "$(field time other base)"
	# all of our runs count, not only the last one, which would meet the goal
	assert_eq 4.0 "$(field time peer ours)"
	assert_eq '[3.0, 30.0]' "$(field time peer ours_range)"
	assert_eq 2.0 "$(field time peer ratio)"
	assert_eq false "$(field time peer met)"
	assert_eq '"new"' "$(field 'alone, renamed' None base_note)"
	assert_eq '"gone"' "$(field alone None base_note)"
	assert_match 'time +us .* 1\.50 \(1\.00\.\.3\.00\)' "$output"
	assert_match 'ours / base' "$output"
	assert_match $'\nalone, renamed [^\n]* new' "$output"
	assert_match $'\nalone  [^\n]* gone' "$output"
	assert_match "base $(git -C "$tree" rev-parse --short=12 HEAD~1)" "$(cat "$tree/build/bench/fake.svg")"
	assert_match 'to the base 1\.5 \(1\.\.3\)' "$(cat "$tree/build/bench/fake.svg")"
	assert_eq 1 "$(worktrees)" "a worktree is left"
	assert_eq "" "$(find "$tree/build/bench" -name 'base-*')"
}

test_base_without_the_measurement() {
	make_tree
	git -C "$tree" mv tools/bench/fake.py tools/bench/later.py
	commit_as new
	values new "$three_rounds"
	bench --base HEAD~2 later >"$LAB_DIR/out.log" 2>&1
	assert_eq new "$(cat "$numbers/order")"
	assert_match 'time .* new' "$(cat "$LAB_DIR/out.log")"
}

test_base_that_a_measurement_runs_itself() {
	make_tree
	cat >"$tree/tools/bench/fake.py" <<-'END'
		WITH_BASE = True
		def measure(bench):
		    both = bench.numbers("ours 4\nours 6\nbase 2\nbase 2\n")
		    assert (bench.base.build / "bench/bin/fake").exists()
		    bench.row("time", "us", both["ours"], base=both["base"])
	END
	bench --base HEAD~1 fake 2>/dev/null
	assert_eq 2.5 "$(field time None base_ratio)"
	assert_eq '[2.0, 3.0]' "$(field time None base_ratio_range)"
}

# refused BASE - the message
refused() {
	local rc=0
	bench --base "$1" fake >"$LAB_DIR/refused.log" 2>&1 || rc=$?
	assert_eq 1 "$rc"
	assert_eq 1 "$(worktrees)" "a worktree is left"
	assert_eq "" "$(cat "$numbers/order" 2>/dev/null)" "measured nevertheless"
	cat "$LAB_DIR/refused.log"
}

test_base_that_is_unknown() {
	make_tree
	assert_match 'run: base v9: no such commit in ' "$(refused v9)"
	assert_match 'run: base --all: no such commit in ' "$(refused --all)"
	# a blob
	assert_match 'run: base HEAD:fake: no such commit in ' "$(refused HEAD:fake)"
}

test_base_that_does_not_build() {
	make_tree
	printf 'bench-programs:\n\t@echo it is broken; exit 1\n' >"$tree/Makefile"
	commit_as new
	assert_match 'cannot build it: .*it is broken' "$(refused HEAD)"
}

test_base_outside_of_git() {
	make_tree
	rm -r "$tree/.git"
	bench --base HEAD fake >"$LAB_DIR/refused.log" 2>&1 && fail "no error"
	assert_match "is not a git repository" "$(cat "$LAB_DIR/refused.log")"
}

test_base_is_removed_after_a_signal() {
	make_tree
	# wait in the measurement
	mkfifo "$numbers/new/values"
	start bench "$tree/tools/bench/run" --base HEAD~1 fake
	wait_for_line "$LAB_DIR/bench.log" 'pair 1 of 3' 10
	wait_for 10 pgrep -f "sed -n 1p $numbers/new/values"
	assert_eq 2 "$(worktrees)"
	stop bench && fail "not ended by the signal"
	assert_eq 1 "$(worktrees)"
	assert_fails pgrep -f "$tree/tools/bench/run"
	# and one that could not remove it
	rm "$numbers/new/values"
	values new "$three_rounds"
	values old "$three_rounds"
	git -C "$tree" worktree add -q --detach "$tree/build/bench/base-$(git -C "$tree" rev-parse --short=12 HEAD~1)" HEAD~1
	BENCH_PAIRS=1 bench --base HEAD~1 fake >/dev/null 2>&1
	assert_eq 1 "$(worktrees)"
}

test_plot_says_what_it_shows() {
	local plot
	make_tree
	values new "$three_rounds"
	echo '# changed' >>"$tree/Makefile"
	bench fake >/dev/null
	plot=$(cat "$tree/build/bench/fake.svg")
	assert_match "commit $(git -C "$tree" rev-parse --short=12 HEAD) and changes, $(date -u +%Y)-[0-9-]+ [0-9:]+ UTC" "$plot"
	assert_match "$(nproc) CPUs, .*Linux $(uname -r)" "$plot"
	assert_match '>less is better: left of 1 is good<.*>← better<.*>time / peer<' "$plot"
	assert_match '>more is better: right of 1 is good<.*>better →<.*>rate / peer<' "$plot"
	assert_match '>1\.5 \(1\.5\.\.2\): 4 us, peer 2<' "$plot"
	assert_eq "" "$(grep -o '>[^<]* / [^<]*</text>' "$tree/build/bench/fake.svg" | sort | uniq -d)"
	# a whisker is three lines, of the rows that have a spread: all four
	assert_eq 12 "$(grep -c 'stroke="#222"' "$tree/build/bench/fake.svg")"
}

test_rows_have_names_of_their_own() {
	make_tree
	values new "$three_rounds"
	sed -i 's/"other")/"peer")/' "$tree/tools/bench/fake.py"
	bench fake >"$LAB_DIR/out.log" 2>&1 && fail "two rows with one name"
	assert_match "two rows \('time', 'peer'\)" "$(cat "$LAB_DIR/out.log")"
}

# A client is measured from its exec, and its processes end before the next one.
test_clients_leave_nothing() {
	local label
	tools/bench/start-clients 1 "$LAB_DIR" "$TOP/build" >"$LAB_DIR/out.log"
	for label in ours_ms ours_kib; do
		grep -qE "^$label [1-9][0-9.]*$" "$LAB_DIR/out.log" || fail "no $label: $(cat "$LAB_DIR/out.log")"
	done
	# more than the supervisor alone
	[ "$(sed -n 's/^ours_kib //p' "$LAB_DIR/out.log")" -gt 3000 ] || fail "processes are missing"
	assert_eq "" "$(ip -4 address show dev "$LAB_UPLINK")"
	assert_eq "" "$(find /var/lib/calfpen /run/calfpen -mindepth 1)"
	assert_fails pgrep 'calfpen|udhcpc|dhclient|dhcpcd'
}

test_clients_run_only_in_the_lab() {
	assert_fails env -u LAB tools/bench/start-clients 1 "$LAB_DIR" build 2>"$LAB_DIR/refused.log"
	assert_match 'runs only in tools/lab' "$(cat "$LAB_DIR/refused.log")"
}
