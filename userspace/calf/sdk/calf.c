/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/sdk/calf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"

#define FRAMES_PER_WAKEUP 16 /* so that timers and the store get their turn */

/* The metrics if there is no page for them. */
static uint64_t unseen_metrics[CALF_METRICS_MAX];

/* Without randomness nothing may be sent, so exit if there is none. */
static void system_random(void *bytes, size_t size)
{
	uint8_t *at = bytes;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			log_error("cannot read random bytes: %s", strerrordesc_np(errno));
			_exit(EXIT_FAILURE);
		}
		at += n;
		size -= (size_t)n;
	}
}

static int64_t system_wall_clock(void)
{
	return (int64_t)(clock_now_ns(CLOCK_REALTIME) / NS_PER_S);
}

/* The supervisor passes /dev/null to a calf whose description has no frame rules. It is
 * always readable, so it must not be watched. */
static bool is_null(int fd)
{
	const dev_t null = makedev(MEM_MAJOR, 3);
	struct stat st;

	return fd < 0 || (!fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == null);
}

static int set_nonblocking(int fd, const char *what)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && ((flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0))
		return 0;
	log_error("descriptor %d (%s): cannot set non-blocking: %s", fd, what,
		  strerrordesc_np(errno));
	return -errno;
}

static int map_metrics(struct calf *calf, int fd)
{
	struct report_page *page;

	calf->metrics = unseen_metrics;
	if (fd < 0)
		return 0;
	page = mmap(NULL, REPORT_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		log_error("descriptor %d (metrics): cannot map: %s", fd, strerrordesc_np(errno));
		return -errno;
	}
	calf->metrics = page->counters;
	log_keep_errors(page->error, sizeof(page->error), page->is_logged);
	return 0;
}

/* Handle up to FRAMES_PER_WAKEUP frames; if more are left, poll() returns
 * again. */
static int dispatch_frames(struct loop *loop, int fd, short revents, void *data)
{
	struct calf *calf = data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < FRAMES_PER_WAKEUP; i++) {
		/* One byte more, so that a frame that is too long is
		 * detected. */
		uint8_t frame[CALF_FRAME_MAX + CALF_TAGS_MAX + 1];
		ssize_t n = read(fd, frame, sizeof(frame));

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int r = n < 0 ? -errno : -ENODEV;

			log_error("frames: cannot read: %s", strerrordesc_np(-r));
			return r;
		}
		if ((size_t)n <= CALF_FRAME_MAX + CALF_TAGS_MAX && calf->frame_call)
			calf->frame_call(calf, frame, (size_t)n, calf->frame_data);
	}
	return 0;
}

int calf_init(struct calf *calf, const struct calf_fds *fds)
{
	int r;

	memset(calf, 0, sizeof(*calf));
	calf->fds = *fds;
	if (is_null(fds->frames))
		calf->fds.frames = -1;
	calf->random = system_random;
	calf->wall_clock = system_wall_clock;
	loop_init(&calf->loop);
	signal(SIGPIPE, SIG_IGN);
	r = map_metrics(calf, fds->metrics);
	if (!r && calf->fds.frames >= 0)
		r = set_nonblocking(fds->frames, "frames");
	if (!r)
		r = set_nonblocking(fds->control, "control");
	if (r < 0)
		return r;
	if (calf->fds.frames >= 0)
		r = loop_add_fd(&calf->loop, fds->frames, POLLIN, dispatch_frames, calf);
	if (!r)
		r = loop_add_fd(&calf->loop, fds->control, POLLIN, calf_store_dispatch, calf);
	if (r < 0)
		log_error("event loop: cannot watch the descriptors: %s", strerrordesc_np(-r));
	return r;
}

int calf_run(struct calf *calf)
{
	int r = loop_run(&calf->loop);

	return r < 0 ? r : calf->status;
}

void calf_stop(struct calf *calf, int status)
{
	calf->status = status;
	calf->loop.stop = true;
}

void calf_on_frame(struct calf *calf, calf_frame_fn call, void *data)
{
	calf->frame_call = call;
	calf->frame_data = data;
}

int calf_send_frame(struct calf *calf, const uint8_t *frame, size_t size)
{
	ssize_t n;

	if (calf->fds.frames < 0)
		return -ENODEV;
	do {
		n = write(calf->fds.frames, frame, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EMSGSIZE;
}

/* There is one writer. Readers of the page see a complete value, old or new. */
void calf_metric_set(struct calf *calf, size_t i_metric, uint64_t value)
{
	if (i_metric < CALF_METRICS_MAX)
		__atomic_store_n(&calf->metrics[i_metric], value, __ATOMIC_RELAXED);
}

void calf_metric_add(struct calf *calf, size_t i_metric, uint64_t count)
{
	if (i_metric < CALF_METRICS_MAX)
		calf_metric_set(calf, i_metric, calf->metrics[i_metric] + count);
}
