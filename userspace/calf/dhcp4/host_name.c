/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/host_name.h"

#include <string.h>

#include "userspace/common/host_name.h"
#include "userspace/common/log.h"

static void set(struct host_name *host_name, const char *name)
{
	host_name->is_missing = false;
	settings_values_set_host_name(host_name->values, name, host_name->sender);
}

static void on_entry(struct calf *calf, const struct calf_entry *entry, void *data)
{
	struct host_name *host_name = data;
	bool is_key = strcmp(entry->path, HOST_NAME_KEY) == 0;
	bool is_gone = (entry->kind == CALF_ENTRY_SYNCED && host_name->is_missing) ||
		       (entry->kind == CALF_ENTRY_DELETED && is_key);

	(void)calf;
	if (entry->kind == CALF_ENTRY_RESYNC)
		host_name->is_missing = true;
	else if (is_gone)
		set(host_name, "");
	else if (entry->kind == CALF_ENTRY_VALUE && is_key)
		set(host_name, entry->text);
}

static void on_refused(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)calf;
	(void)status;
	(void)length;
	(void)data;
	log_warning("cannot watch %s, changes of the host name will be ignored: %s", HOST_NAME_KEY,
		    text);
}

int host_name_follow(struct host_name *host_name, struct calf *calf,
		     const struct settings_values *values, struct message_sender *sender)
{
	int r;

	*host_name = (struct host_name){ .values = values, .sender = sender };
	if (!values->sends_host_name && !values->sends_host_fqdn)
		return 0;
	r = calf_store_watch(calf, HOST_NAME_KEY, on_entry, on_refused, host_name);
	if (r < 0)
		log_error("cannot watch %s: %s", HOST_NAME_KEY, strerrordesc_np(-r));
	return r;
}
