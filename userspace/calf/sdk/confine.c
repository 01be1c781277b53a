/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The second of two system call filters. The first one, the container's,
 * has to let the runtime finish and the C library start. This one is loaded
 * when both are done and before any byte from the network is read. libseccomp
 * allocates while it builds the filter and frees everything before
 * calf_confine() returns.
 */
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "userspace/calf/sdk/calf.h"
#include "userspace/common/log.h"

/* One system call and its reason per line. */
static const int allowed[] = {
	SCMP_SYS(read),		 /* frames, store responses */
	SCMP_SYS(write),	 /* frames, store requests, log lines */
	SCMP_SYS(ppoll),	 /* the event loop */
	SCMP_SYS(clock_gettime), /* a system call if the clock source has no vDSO */
	SCMP_SYS(getrandom),	 /* transaction ids, jitter */
	SCMP_SYS(rt_sigreturn),	 /* return from any handler, restarted calls */
	SCMP_SYS(exit),		 /* exit of the only thread */
	SCMP_SYS(exit_group),	 /* exit of the process */
};

int calf_confine(void)
{
	scmp_filter_ctx filter;
	int r = -ENOMEM;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		r = -errno;
		log_error("cannot set no_new_privs: %s", strerrordesc_np(-r));
		return r;
	}
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter)
		r = 0;
	for (size_t i = 0; !r && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r < 0)
		log_error("cannot load the system call filter: %s", strerrordesc_np(-r));
	return r;
}
