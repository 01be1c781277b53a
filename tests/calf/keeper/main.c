/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calf-keeper: writes two secrets, of which one is kept over a reboot, after it has said in
 * /keeper/found whether it could read what an earlier run of it has written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/calf/sdk/calf.h"
#include "userspace/common/log.h"

/* tests/system/test-secrets.sh looks for the two, joined by "-", everywhere: also in the copy of
 * this program that the runtime makes. */
static const char *const parts[] = { "hunter2", "Zq8vXw3LpR" };
static char secret[32];

#define PSK "/keeper/psk"
#define SESSION "/keeper/session"

static bool has_psk;

static void on_written(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)calf;
	(void)length;
	if (status != CALF_OK)
		log_error("%s: %s", (const char *)data, text);
}

static void tell(struct calf *calf, const char *path, const char *text)
{
	(void)calf_store_write(calf, path, text, CALF_ANY, on_written, (void *)(uintptr_t)path);
}

static void on_session(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	char found[32];

	(void)length;
	(void)data;
	(void)snprintf(found, sizeof(found), "psk=%s session=%s", has_psk ? "yes" : "no",
		       status == CALF_OK && !strcmp(text, secret) ? "yes" : "no");
	tell(calf, "/keeper/found", found);
	tell(calf, PSK, secret);
	tell(calf, SESSION, secret);
}

static void on_psk(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)length;
	(void)data;
	has_psk = status == CALF_OK && !strcmp(text, secret);
	(void)calf_store_read(calf, SESSION, on_session, NULL);
}

static void on_entry(struct calf *calf, const struct calf_entry *entry, void *data)
{
	(void)data;
	if (entry->kind == CALF_ENTRY_VALUE && !strcmp(entry->text, secret))
		tell(calf, "/keeper/watched", "yes");
}

int main(void)
{
	static struct calf calf;

	(void)snprintf(secret, sizeof(secret), "%s-%s", parts[0], parts[1]);
	log_init("keeper", STDERR_FILENO, LOG_LEVEL_INFO);
	if (calf_init(&calf, &CALF_FDS_STANDARD) < 0 || calf_confine() < 0 ||
	    calf_store_watch(&calf, PSK, on_entry, on_written, (void *)(uintptr_t)PSK) < 0 ||
	    calf_store_read(&calf, PSK, on_psk, NULL) < 0)
		return EXIT_FAILURE;
	return calf_run(&calf) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
