/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor hands over to the watcher, and its directory. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/common/report_page.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/watcher-private.h"

/* The counters of the report page: how many records wait for the syslog daemon, and the
 * revision of the next one in the change ring. */
enum { N_WAITING_SYSLOG, NEXT_REVISION };

/* What the supervisor has loaded: the files themselves may contain anything by now. */
static int take_loaded(struct watcher *watcher)
{
	int r = loaded_map(WATCHER_FD_LOADED, &watcher->loaded);

	if (r)
		log_error("cannot read the supervisor's configuration: %s", strerror(-r));
	return r;
}

/* The supervisor has entered all names that this run needs. */
static int take_names(struct watcher *watcher)
{
	static struct kv_ctl ctl;
	int r = bpf_map_lookup_elem(WATCHER_FD_CTL, &(uint32_t){ 0 }, &ctl);

	if (r)
		log_error("cannot read the names of the store's subjects: %s", strerror(-r));
	else
		watcher_audit_take_names(&watcher->audit, &ctl);
	return r;
}

/* For `calfpen status`: why a watcher does not start, or exited; and for the next watcher:
 * what it did not finish. */
static int open_report(struct watcher *watcher)
{
	struct report_page *page = mmap(NULL, REPORT_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
					WATCHER_FD_REPORT, 0);

	if (page == MAP_FAILED) {
		log_error("cannot map the report page: %m");
		return -EIO;
	}
	log_keep_errors(page->error, sizeof(page->error), page->is_logged);
	watcher->n_waiting = page->counters;
	gaps_init(&watcher->gaps, &page->counters[NEXT_REVISION]);
	return 0;
}

static int make_run_directory(struct watcher *watcher)
{
	char *path = watcher->context.run_directory;
	int r;

	(void)snprintf(path, PATH_MAX, RUN_ROOT "/%s", watcher->options->instance);
	r = directory_make_own(RUN_ROOT, 0711);
	if (!r)
		r = directory_make_own(path, 0711);
	if (r)
		log_error("%s: cannot create: %s", path, strerror(-r));
	/* Debian's convention for servers from DHCP: the client creates it. */
	if (!r && watcher->loaded.configuration->handlers.use_ntp &&
	    access("/etc/chrony", F_OK) == 0) {
		int r_chrony = directory_make(WATCHER_CHRONY_DIRECTORY, 0755);

		if (r_chrony)
			log_warning(WATCHER_CHRONY_DIRECTORY ": cannot create: %s",
				    strerror(-r_chrony));
	}
	return r;
}

/* The supervisor has logged if the log cannot be opened; what that means for records is
 * logged here. */
static int open_logs(struct watcher *watcher)
{
	const struct options *options = watcher->options;
	const struct configuration *configuration = watcher->loaded.configuration;
	const struct audit_settings settings = {
		.run_directory = watcher->context.run_directory,
		.max_size = configuration->audit_max_size,
		.n_files = configuration->audit_files,
		.may_lose = configuration->audit_may_lose,
		.syslog = &watcher->syslog,
	};
	struct audit *log = &watcher->audit.log;
	int r = syslog_inherit(&watcher->syslog, WATCHER_FD_SYSLOG, WATCHER_FD_SYSLOG_ASK,
			       options->instance);

	if (r)
		return r;
	outlet_share_waiting(&watcher->syslog.outlet, &watcher->n_waiting[N_WAITING_SYSLOG]);
	if (options->audit_fd)
		(void)audit_open_fd(log, WATCHER_FD_AUDIT, options->audit, &settings);
	else if (options_has_audit_file(options))
		(void)audit_open(log, options->audit, &settings);
	else
		audit_open_none(log, &settings);
	return 0;
}

int watcher_open(struct watcher *watcher)
{
	int r = open_report(watcher);

	if (!r)
		r = take_loaded(watcher);
	if (!r)
		r = take_names(watcher);
	if (!r)
		r = make_run_directory(watcher);
	if (!r)
		r = open_logs(watcher);
	return r;
}
