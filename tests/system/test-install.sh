# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# make install, uninstall, install-strip and dist: what is installed runs without
# the tree that it was built in, and all of it can be removed again.

. tests/system/calfpen.sh

# run_make TARGET [VARIABLE=VALUE...] - in the tree, quietly
run_make() {
	make --no-print-directory -C "$TOP" "$@" >"$LAB_DIR/make.log" 2>&1 || {
		cat "$LAB_DIR/make.log" >&2
		fail "make $*"
	}
}

# install_to ROOT
install_to() {
	run_make install DESTDIR="$1" PREFIX=/usr
}

# files ROOT - every file below ROOT, with its mode
files() {
	(cd "$1" && find . -type f -printf '%m %p\n' | sort -k 2)
}

test_installed_programs_get_a_lease() {
	local root=$LAB_DIR/root
	install_to "$root"
	chmod -R a+rX "$LAB_DIR"
	PATH=$root/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin
	hash -r
	assert_eq "$root/usr/bin/calfpen" "$(command -v calfpen)"
	# the build tree is not there
	mount -t tmpfs none "$TOP/build"
	lease
	assert_match "$root/usr/lib/calfpen/" "$(readlink "/proc/$(supervisor_pid)/exe")"
	assert_match 'lease     bound' "$(calfpen status)"
	stop calfpen
}

test_installed_documents() {
	local root=$LAB_DIR/root page
	install_to "$root"
	for page in man8/calfpen.8 man5/calfpen.yaml.5; do
		[ -s "$root/usr/share/man/$page" ] || fail "no $page"
	done
	# shellcheck disable=SC1091
	(. "$root/usr/share/bash-completion/completions/calfpen" && complete -p calfpen)
}

test_prefix_is_an_alias() {
	install_to "$LAB_DIR/upper"
	run_make install DESTDIR="$LAB_DIR/lower" prefix=/usr
	assert_match '755 ./usr/bin/calfpen' "$(files "$LAB_DIR/lower")"
	assert_eq "$(files "$LAB_DIR/upper")" "$(files "$LAB_DIR/lower")"
	run_make install DESTDIR="$LAB_DIR/default"
	assert_match '755 ./usr/local/bin/calfpen' "$(files "$LAB_DIR/default")"
	run_make install DESTDIR="$LAB_DIR/man" PREFIX=/opt/calfpen mandir=/usr/share/man
	assert_match '644 ./usr/share/man/man8/calfpen.8' "$(files "$LAB_DIR/man")"
}

test_uninstall_leaves_nothing() {
	local root=$LAB_DIR/root
	install_to "$root"
	run_make uninstall DESTDIR="$root" PREFIX=/usr
	assert_eq "" "$(files "$root")" "files are left"
	assert_eq "" "$(find "$root" -name '*calf*')" "directories are left"
	# nothing there is no error
	run_make uninstall DESTDIR="$root" PREFIX=/usr
}

test_uninstall_keeps_what_is_not_ours() {
	local root=$LAB_DIR/root other
	other=$root/usr/lib/calfpen/calves/other/calf-other
	install_to "$root"
	install -D /dev/null "$other"
	install -D /dev/null "$root/usr/bin/other"
	run_make uninstall DESTDIR="$root" PREFIX=/usr
	assert_eq "$(printf '755 ./usr/bin/other\n755 ./usr/lib/calfpen/calves/other/calf-other')" \
		"$(files "$root")"
}

test_install_strip() {
	local root=$LAB_DIR/root plain=$LAB_DIR/plain program n=0
	skip_if_missing readelf
	install_to "$plain"
	run_make install-strip DESTDIR="$root" PREFIX=/usr
	assert_eq "$(files "$plain")" "$(files "$root")"
	for program in bin/calfpen lib/calfpen/calfpen-priv lib/calfpen/calfpen-gateway lib/calfpen/calfpen-pen \
		lib/calfpen/calves/dhcp4/calf-dhcp4; do
		assert_match '\.symtab' "$(readelf -SW "$plain/usr/$program")"
		assert_fails grep -qE '\.(symtab|debug_info)' <(readelf -SW "$root/usr/$program")
		n=$((n + 1))
	done
	assert_eq "$n" "$(files "$root" | grep -c '^755 ')" "programs"
	assert_match '^calfpen ' "$("$root/usr/bin/calfpen" --version)"
}

# The archive is all that is needed, with no git to ask.
test_dist_builds_without_git() {
	local build=$LAB_DIR/dist archive tree
	skip_if_missing git
	git -C "$TOP" rev-parse HEAD >/dev/null || skip "no git repository"
	run_make dist BUILD="$build"
	archive=$(echo "$build"/calfpen-*.tar.gz)
	mv "$archive" "$LAB_DIR/first.tar.gz"
	run_make dist BUILD="$build"
	cmp "$archive" "$LAB_DIR/first.tar.gz" || fail "two archives of one commit differ"

	tar -xzf "$archive" -C "$LAB_DIR"
	tree=$LAB_DIR/$(basename "$archive" .tar.gz)
	[ -f "$tree/Makefile" ] || fail "no Makefile in the archive"
	[ ! -e "$tree/.git" ] || fail ".git is in the archive"
	mkdir "$LAB_DIR/no-git"
	printf '#!/bin/sh\ntouch %s/called\nexit 127\n' "$LAB_DIR/no-git" >"$LAB_DIR/no-git/git"
	chmod +x "$LAB_DIR/no-git/git"
	PATH=$LAB_DIR/no-git:$PATH run_make -C "$tree" all
	[ ! -e "$LAB_DIR/no-git/called" ] || fail "git was called"
	[ -x "$tree/build/bin/calfpen" ] || fail "nothing was built"
}
