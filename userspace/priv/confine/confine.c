/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: dropping rights
 *
 * One function, one order, every step checked; a process in which a step failed must
 * exit. It restores no right and opens no descriptor.
 */
#include "userspace/priv/confine/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/priv/confine/confine-private.h"
#include "userspace/priv/roles.h"

#define CAPABILITIES_MAX 8

/* Most of it is mapped libraries: the files are read into 1.1 MB of static memory. */
#define SHORT_MEMORY_MAX (64u << 20)
#define SHORT_CPU_MAX_S 2 /* far more than parsing takes */

/* Capabilities to keep: in the permitted and the bounding set, all but the last n_inactive of
 * them also in the effective set. */
struct capability_set {
	cap_value_t values[CAPABILITIES_MAX];
	int n, n_inactive;
};

/* docs/threat-model.md gives the reason of each. */
static struct capability_set capabilities_of(enum role role, bool is_foreign)
{
	static const struct capability_set supervisor = { { CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN },
							  3,
							  0 };
	static const struct capability_set watcher = { { CAP_NET_ADMIN }, 1, 0 };
	static const struct capability_set launcher = {
		{ CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_NET_ADMIN /* the watcher's */ }, 4, 1
	};
	static const struct capability_set starter = { { CAP_SETUID, CAP_SETGID }, 2, 0 };
	struct capability_set set = { .n = 0 };

	if (role == ROLE_SUPERVISOR)
		set = supervisor;
	else if (role == ROLE_WATCHER)
		set = watcher;
	else if (role == ROLE_LAUNCHER)
		set = launcher;
	else if (role == ROLE_STARTER)
		set = starter;
	if (is_foreign && (role == ROLE_LAUNCHER || role == ROLE_STARTER))
		set.values[set.n++] = CAP_SYS_ADMIN;
	if (is_foreign && role == ROLE_LAUNCHER)
		set.n_inactive++;
	return set;
}

static bool keeps(const struct capability_set *set, cap_value_t value)
{
	for (int i = 0; i < set->n; i++)
		if (set->values[i] == value)
			return true;
	return false;
}

static int fail(const char *what, int error)
{
	log_error("cannot drop rights: %s: %s", what, strerror(error));
	return -error;
}

/* So that no program executed by this process can regain them. */
static int drop_bounding(const struct capability_set *set)
{
	for (cap_value_t value = 0; value < cap_max_bits(); value++)
		if (!keeps(set, value) && cap_drop_bound(value) < 0)
			return fail("bounding set", errno);
	if (cap_reset_ambient() < 0)
		return fail("ambient set", errno);
	return 0;
}

static int change_ids(uint32_t uid, uint32_t gid)
{
	if (setgroups(0, NULL) < 0)
		return fail("groups", errno);
	if (setresgid(gid, gid, gid) < 0)
		return fail("group id", errno);
	if (setresuid(uid, uid, uid) < 0)
		return fail("user id", errno);
	return 0;
}

/* Find a missing capability for the message. Returns its name, to be freed with
 * cap_free(), or NULL. */
static char *missing_name(const struct capability_set *set)
{
	cap_t now = cap_get_proc();
	char *name = NULL;

	for (int i = 0; now && !name && i < set->n; i++) {
		cap_flag_value_t value = CAP_CLEAR;

		if (cap_get_flag(now, set->values[i], CAP_PERMITTED, &value) == 0 &&
		    value == CAP_CLEAR)
			name = cap_to_name(set->values[i]);
	}
	cap_free(now);
	return name;
}

static int set_capabilities(const struct capability_set *set)
{
	cap_t wanted = cap_init();
	int error = 0;

	if (!wanted)
		return fail("capabilities", errno);
	if (set->n > 0 && (cap_set_flag(wanted, CAP_PERMITTED, set->n, set->values, CAP_SET) < 0 ||
			   cap_set_flag(wanted, CAP_EFFECTIVE, set->n - set->n_inactive,
					set->values, CAP_SET) < 0))
		error = errno;
	if (!error && cap_set_proc(wanted) < 0)
		error = errno;
	cap_free(wanted);
	if (error) {
		char *name = missing_name(set);

		fail(name ? name : "capabilities", error);
		cap_free(name);
	}
	return -error;
}

/* So that neither uid 0 nor a change of ids gives any capability, for ever. */
static int lock_securebits(enum role role)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
				   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
				   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	/* A program that another role executes, or that it becomes, needs what NOROOT denies. */
	if (role != ROLE_SUPERVISOR)
		return 0;
	return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ? fail("securebits", errno) : 0;
}

static int limit(int resource, rlim_t value)
{
	const struct rlimit limits = { value, value };

	if (setrlimit((__rlimit_resource_t)resource, &limits) < 0)
		return fail("resource limits", errno);
	return 0;
}

static bool has_own_ids(enum role role)
{
	return role == ROLE_GATEWAY || role == ROLE_CHRONY || role == ROLE_MIGRATE ||
	       role == ROLE_ASKED;
}

/* Does the role answer one question and exit? */
static bool is_short(enum role role)
{
	return role == ROLE_MIGRATE || role == ROLE_ASKED;
}

/* Set limits that a filter cannot express. RLIMIT_FSIZE is not set, because descriptor
 * 2 may be a file. */
static int set_limits(enum role role)
{
	int r = 0;

	if (role == ROLE_SUPERVISOR || role == ROLE_STARTER)
		return 0;
	r = limit(RLIMIT_CORE, 0);
	if (!r && has_own_ids(role)) {
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
			return fail("dumpable", errno);
		r = limit(RLIMIT_NPROC, 0);
		if (!r) /* as many as ppoll() gets */
			r = limit(RLIMIT_NOFILE, LOOP_FDS_MAX);
		if (!r)
			r = limit(RLIMIT_MEMLOCK, 0);
	}
	if (!r && is_short(role))
		r = limit(RLIMIT_AS, SHORT_MEMORY_MAX);
	if (!r && is_short(role))
		r = limit(RLIMIT_CPU, SHORT_CPU_MAX_S);
	return r;
}

/* Die with the supervisor. Call it after the change of ids, which clears the setting.
 * (A gateway also polls the supervisor's pidfd: the kernel checks whether the dying
 * parent may send the signal, and a supervisor may not send one to another uid.) */
static int follow_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fail("parent death signal", errno);
	if (getppid() != parent)
		raise(SIGKILL);
	return 0;
}

int confine_reduce(enum role role, bool is_foreign)
{
	const struct capability_set set = capabilities_of(role, is_foreign);
	int r = drop_bounding(&set);

	return r ? r : set_capabilities(&set);
}

int confine_enter(enum role role, uint32_t uid, uint32_t gid, bool is_foreign)
{
	const struct capability_set set = capabilities_of(role, is_foreign);
	const pid_t parent = getppid();
	int r;

	if (geteuid() != 0) {
		log_error("cannot drop rights: not root; start calfpen as root");
		return -EPERM;
	}
	if ((role == ROLE_GATEWAY || is_short(role)) && (uid == 0 || uid == UINT32_MAX)) {
		log_error("cannot drop rights: this role needs a user id of its own");
		return -EINVAL;
	}
	r = drop_bounding(&set);
	if (!r)
		r = lock_securebits(role);
	if (!r)
		r = has_own_ids(role) ? change_ids(uid, gid) : change_ids(0, 0);
	if (!r)
		r = set_capabilities(&set);
	if (!r)
		r = set_limits(role);
	if (!r && role != ROLE_SUPERVISOR && role != ROLE_STARTER)
		r = follow_parent(parent);
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = fail("no_new_privs", errno);
	if (!r && role == ROLE_CHRONY) {
		r = confine_landlock(CHRONY_FD_DIRECTORY);
		if (r < 0)
			fail("Landlock", -r);
	}
	if (!r) {
		r = confine_policy_load(role, is_foreign);
		if (r < 0)
			fail("seccomp", -r);
	}
	return r;
}
