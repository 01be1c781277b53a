# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# What `make install` leaves is whole: it runs without the tree that it was
# built in.

. tests/system/calfpen.sh

# install_to ROOT
install_to() {
	make --no-print-directory -C "$TOP" install DESTDIR="$1" PREFIX=/usr >"$LAB_DIR/install.log"
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
