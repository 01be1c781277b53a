/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the role that reads the lease file of another DHCP client. A server wrote most
 * of that file, so the supervisor only opens it. This process exists for one file: it
 * has a uid of its own, no capability, no file that it could open and no memory that
 * could grow; it reads three descriptors and writes one struct migrate_identity.
 */
/*
 * system calls after confine_enter():
 *
 *   read        the files
 *   write       the result
 *   exit_group
 */
#include <errno.h>
#include <unistd.h>

#include "userspace/priv/confine/confine.h"
#include "userspace/priv/migrate/read.h"
#include "userspace/priv/roles.h"

struct buffers {
	char lease[MIGRATE_LEASE_MAX];
	char duid[MIGRATE_DUID_FILE_MAX];
	char configuration[MIGRATE_CONFIGURATION_MAX];
};

/* Read a file to its end. Returns 0, or -errno; -EFBIG if it has more than `max` bytes. */
static int read_text(int fd, char *buffer, size_t max, struct migrate_text *text)
{
	ssize_t n;
	char more;

	*text = (struct migrate_text){ .bytes = buffer };
	while ((n = read(fd, text->size < max ? buffer + text->size : &more,
			 text->size < max ? max - text->size : 1)) > 0) {
		if (text->size == max)
			return -EFBIG;
		text->size += (size_t)n;
	}
	return n < 0 ? -errno : 0;
}

static int read_files(struct buffers *buffers, struct migrate_files *files)
{
	int r = read_text(MIGRATE_FD_LEASE, buffers->lease, sizeof(buffers->lease), &files->lease);

	if (!r)
		r = read_text(MIGRATE_FD_DUID, buffers->duid, sizeof(buffers->duid), &files->duid);
	if (!r)
		r = read_text(MIGRATE_FD_CONFIGURATION, buffers->configuration,
			      sizeof(buffers->configuration), &files->configuration);
	return r;
}

int migrate_main(void)
{
	static struct buffers buffers;
	struct migrate_request request;
	struct migrate_identity identity;
	struct migrate_files files;
	int r;

	if (read(MIGRATE_FD_REQUEST, &request, sizeof(request)) != (ssize_t)sizeof(request))
		return ROLE_EXIT_FAILURE;
	if (confine_enter(ROLE_MIGRATE, request.uid, request.uid, false))
		return ROLE_EXIT_CONFINE;
	r = read_files(&buffers, &files);
	if (r)
		return ROLE_EXIT_FAILURE;
	migrate_read(&request, &files, &identity);
	return write(MIGRATE_FD_RESULT, &identity, sizeof(identity)) == (ssize_t)sizeof(identity) ?
		       ROLE_EXIT_OK :
		       ROLE_EXIT_FAILURE;
}
