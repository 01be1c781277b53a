/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A request is deleted by its revision: if the operator writes the key
 * again meanwhile, that is a new request, which remains until it is carried
 * out. If the store does not accept the deletion, it is retried, because a
 * remaining request would be carried out by the next run.
 */
#include "userspace/calf/dhcp4/control.h"

#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"

#define LINK "/link"
#define CONTROL "/control/dhcp4"
#define RETRY_NS NS_PER_S

static const struct {
	const char *path;
	enum client_event_type type;
	const char *text;
} keys[_CONTROL_KEY_N] = {
	[CONTROL_RENEW] = { CONTROL "/renew", CLIENT_RENEW, "renew" },
	[CONTROL_RELEASE] = { CONTROL "/release", CLIENT_RELEASE, "release" },
	[CONTROL_STOP] = { CONTROL "/stop", CLIENT_STOP, "stop" },
};

static void on_deleted(struct calf *calf, int status, const char *text, size_t length, void *data);

static void delete_request(struct control_request *request)
{
	struct control *control = request->control;
	const char *path = keys[request - control->requests].path;

	if (request->revision == 0 || request->asked != 0)
		return;
	if (calf_store_delete(control->calf, path, request->revision, on_deleted, request) == 0)
		request->asked = request->revision;
	else
		loop_timer_set(&control->retry, control->calf->loop.now_ns() + RETRY_NS);
}

static void on_deleted(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct control_request *request = data;
	bool is_last = request->asked == request->revision;

	(void)length;
	request->asked = 0;
	if (status == CALF_LATER) {
		loop_timer_set(&request->control->retry, calf->loop.now_ns() + RETRY_NS);
		return;
	}
	if (status == CALF_REFUSED || status == CALF_FAILED)
		log_warning("cannot delete a completed operator request: %s", text);
	if (is_last)
		request->revision = 0;
	delete_request(request);
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	struct control *control = data;

	(void)loop;
	(void)now_ns;
	for (int i = 0; i < _CONTROL_KEY_N; i++)
		delete_request(&control->requests[i]);
	return 0;
}

bool control_is_idle(const struct control *control)
{
	for (int i = 0; i < _CONTROL_KEY_N; i++)
		if (control->requests[i].revision != 0)
			return false;
	return true;
}

static void on_link(struct calf *calf, const struct calf_entry *entry, void *data)
{
	struct control *control = data;

	(void)calf;
	host_macs_take(&control->host_macs, entry);
	if (entry->kind != CALF_ENTRY_VALUE || strcmp(entry->path, LINK) != 0)
		return;
	if (strcmp(entry->text, "up") == 0)
		control->call(CLIENT_LINK_UP, control->data);
	else if (strcmp(entry->text, "down") == 0)
		control->call(CLIENT_LINK_DOWN, control->data);
	else
		log_warning("%s: unknown value \"%s\"; ignoring it", LINK, entry->text);
}

static void on_request(struct calf *calf, const struct calf_entry *entry, void *data)
{
	struct control *control = data;

	(void)calf;
	for (int i = 0; entry->kind == CALF_ENTRY_VALUE && i < _CONTROL_KEY_N; i++) {
		if (strcmp(entry->path, keys[i].path) != 0)
			continue;
		log_info("operator request: %s", keys[i].text);
		control->call(keys[i].type, control->data);
		control->requests[i].revision = entry->revision;
		delete_request(&control->requests[i]);
	}
}

static void on_link_refused(struct calf *calf, int status, const char *text, size_t length,
			    void *data)
{
	(void)calf;
	(void)status;
	(void)length;
	(void)data;
	log_warning("cannot watch %s, assuming that the link is up: %s", LINK, text);
}

static void on_control_refused(struct calf *calf, int status, const char *text, size_t length,
			       void *data)
{
	(void)calf;
	(void)status;
	(void)length;
	(void)data;
	log_warning("cannot watch %s, operator requests will be ignored: %s", CONTROL, text);
}

int control_start(struct control *control, struct calf *calf,
		  void (*call)(enum client_event_type type, void *data), void *data)
{
	int r;

	*control = (struct control){ .calf = calf, .call = call, .data = data };
	for (int i = 0; i < _CONTROL_KEY_N; i++)
		control->requests[i].control = control;
	r = loop_add_timer(&calf->loop, &control->retry, on_retry, control);
	if (!r)
		r = calf_store_watch(calf, LINK, on_link, on_link_refused, control);
	if (!r)
		r = calf_store_watch(calf, CONTROL, on_request, on_control_refused, control);
	if (r < 0)
		log_error("cannot watch the link and operator requests: %s", strerrordesc_np(-r));
	return r;
}
