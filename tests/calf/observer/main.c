/* SPDX-License-Identifier: Apache-2.0 */
/* calf-observer: /observer/ip is what /ip is. */
#include <stdlib.h>
#include <unistd.h>

#include "userspace/calf/sdk/calf.h"
#include "userspace/common/log.h"

#define WATCHED "/ip"
#define WRITTEN "/observer/ip"

static void on_changed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)calf;
	(void)length;
	(void)data;
	if (status != CALF_OK)
		log_error(WRITTEN ": %s", text);
}

static void on_entry(struct calf *calf, const struct calf_entry *entry, void *data)
{
	(void)data;
	if (entry->kind == CALF_ENTRY_VALUE)
		(void)calf_store_write(calf, WRITTEN, entry->text, CALF_ANY, on_changed, NULL);
	else if (entry->kind == CALF_ENTRY_DELETED)
		(void)calf_store_delete(calf, WRITTEN, CALF_ANY, on_changed, NULL);
}

static void on_refused(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)length;
	(void)data;
	log_error(WATCHED ": %s", text);
	calf_stop(calf, status);
}

int main(void)
{
	static struct calf calf;

	log_init("observer", STDERR_FILENO, LOG_LEVEL_INFO);
	if (calf_init(&calf, &CALF_FDS_STANDARD) < 0 || calf_confine() < 0 ||
	    calf_store_watch(&calf, WATCHED, on_entry, on_refused, NULL) < 0)
		return EXIT_FAILURE;
	return calf_run(&calf) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
