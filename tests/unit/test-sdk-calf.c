/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, frames, metrics, confinement. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/calf/sdk/calf.h"

static struct calf calf;
static struct calf_fds fds;
static int frames_fd, gateway_fd;

static uint32_t n_frames;
static size_t last_size;
static uint8_t last_frame[CALF_FRAME_MAX + CALF_TAGS_MAX];

static void on_frame(struct calf *calf_p, const uint8_t *frame, size_t size, void *data)
{
	cr_assert_eq(calf_p, &calf);
	cr_assert_eq(data, &n_frames);
	n_frames++;
	last_size = size;
	memcpy(last_frame, frame, size);
}

static void setup(void)
{
	int frames[2], control[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	fds = (struct calf_fds){ frames[0], control[0], memfd_create("metrics", 0) };
	frames_fd = frames[1];
	gateway_fd = control[1];
	cr_assert_eq(ftruncate(fds.metrics, 4096), 0);
	capture_begin();
	cr_assert_eq(calf_init(&calf, &fds), 0);
	calf_on_frame(&calf, on_frame, &n_frames);
}

TestSuite(calf, .init = setup);

Test(calf, descriptors_do_not_block)
{
	cr_assert(fcntl(fds.frames, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(fds.control, F_GETFL) & O_NONBLOCK);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
}

Test(calf, descriptors_that_are_missing)
{
	static const struct calf_fds bad[] = { { -1, 0, -1 }, { 0, -1, -1 }, { 0, 0, 999 } };

	for (size_t i = 0; i < 3; i++) {
		struct calf_fds some = bad[i];

		some.frames = some.frames == 0 ? fds.frames : 998;
		some.control = some.control == 0 ? fds.control : 998;
		cr_assert_eq(calf_init(&calf, &some), -EBADF, "row %zu", i);
	}
	cr_assert_not_null(
		strstr(capture_text(), "descriptor 998 (frames): cannot set non-blocking: "));
	cr_assert_not_null(strstr(capture_text(), "descriptor 999 (metrics): cannot map: "));
}

Test(calf, frames_in)
{
	uint8_t frame[CALF_FRAME_MAX + CALF_TAGS_MAX];

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	for (size_t size = 1; size <= sizeof(frame); size++) {
		cr_assert_eq(write(frames_fd, frame, size), (ssize_t)size);
		cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
		cr_assert_eq(n_frames, size);
		cr_assert_eq(last_size, size);
		cr_assert_eq(memcmp(last_frame, frame, size), 0);
	}
}

Test(calf, C4_12_frames_that_are_too_long)
{
	static uint8_t frame[65536];

	cr_assert_eq(write(frames_fd, frame, CALF_FRAME_MAX + CALF_TAGS_MAX + 1),
		     CALF_FRAME_MAX + CALF_TAGS_MAX + 1);
	cr_assert_eq(write(frames_fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_assert_eq(write(frames_fd, frame, 60), 60);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_assert_eq(n_frames, 1);
	cr_assert_eq(last_size, 60);
}

/* Many frames at once do not keep timers and the store waiting. */
Test(calf, frames_in_turns)
{
	for (int i = 0; i < 40; i++)
		cr_assert_eq(write(frames_fd, "frame", 5), 5);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_assert(n_frames > 0 && n_frames < 40);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_assert_eq(n_frames, 40);
}

Test(calf, end_of_the_frame_channel_is_an_error)
{
	close(frames_fd);
	cr_assert_eq(calf_run(&calf), -ENODEV);
	cr_assert_str_eq(capture_text(), "frames: cannot read: No such device\n");
}

Test(calf, frames_out)
{
	uint8_t frame[64];

	cr_assert_eq(calf_send_frame(&calf, (const uint8_t *)"hello", 5), 0);
	cr_assert_eq(recv(frames_fd, frame, sizeof(frame), 0), 5);
	close(frames_fd);
	cr_assert_eq(calf_send_frame(&calf, (const uint8_t *)"hello", 5), -EPIPE);
}

/* It gets /dev/null, which is always readable, or nothing at all. */
Test(calf, without_frames)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 2; i++) {
		fds.frames = i ? -1 : null;
		cr_assert_eq(calf_init(&calf, &fds), 0);
		calf_on_frame(&calf, on_frame, &n_frames);
		cr_expect_eq(loop_run_once(&calf.loop, 0), 0);
		cr_expect_eq(n_frames, 0);
		cr_expect_eq(calf_send_frame(&calf, (const uint8_t *)"hello", 5), -ENODEV);
	}
	close(gateway_fd);
	cr_expect_eq(calf_run(&calf), 0);
	cr_expect_str_eq(capture_text(), "");
}

Test(calf, full_frame_channel)
{
	static const uint8_t frame[CALF_FRAME_MAX];
	int r = 0;

	for (int i = 0; i < 100000 && r == 0; i++)
		r = calf_send_frame(&calf, frame, sizeof(frame));
	cr_assert_eq(r, -EAGAIN);
}

Test(calf, metrics_are_seen_from_outside)
{
	uint64_t page[CALF_METRICS_MAX];

	calf_metric_add(&calf, 0, 1);
	calf_metric_add(&calf, 0, 2);
	calf_metric_set(&calf, CALF_METRICS_MAX - 1, 7);
	calf_metric_set(&calf, CALF_METRICS_MAX, 8);
	calf_metric_add(&calf, CALF_METRICS_MAX, 8);
	cr_assert_eq(pread(fds.metrics, page, sizeof(page), 0), (ssize_t)sizeof(page));
	cr_assert_eq(page[0], 3);
	cr_assert_eq(page[CALF_METRICS_MAX - 1], 7);
}

Test(calf, last_error_is_seen_from_outside)
{
	struct report_page page;

	log_error("no %s", "way");
	cr_assert_eq(pread(fds.metrics, &page, sizeof(page), 0), (ssize_t)sizeof(page));
	cr_expect_str_eq(page.error, "no way");
	cr_expect_eq(page.counters[CALF_METRICS_MAX - 1], 0);
}

Test(calf, metrics_without_a_page)
{
	fds.metrics = -1;
	cr_assert_eq(calf_init(&calf, &fds), 0);
	calf_metric_add(&calf, 3, 5);
	cr_assert_eq(calf.metrics[3], 5);
}

Test(calf, stop)
{
	calf_stop(&calf, -EINVAL);
	cr_assert_eq(calf_run(&calf), -EINVAL);
}

Test(calf, C4_30_randomness_of_the_system)
{
	uint32_t a[4] = { 0 }, b[4] = { 0 };

	calf.random(a, sizeof(a));
	calf.random(b, sizeof(b));
	cr_assert_neq(memcmp(a, b, sizeof(a)), 0);
}

Test(calf, wall_clock_of_the_system)
{
	int64_t now = time(NULL);

	cr_assert(calf.wall_clock() >= now && calf.wall_clock() <= now + 60);
}

/* How a child ends that confines itself and then does `call`. */
static int confined(long (*call)(void))
{
	int status = 0;
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		if (calf_confine() < 0)
			_exit(99);
		/* no library code here that might call more */
		syscall(SYS_exit_group, call() < 0 ? 1 : 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static char byte;
static const struct timespec zero;

static long call_read(void)
{
	return syscall(SYS_read, fds.frames, &byte, 1) < 0 ? 0 : -1; /* EAGAIN */
}

static long call_write(void)
{
	return syscall(SYS_write, fds.frames, "x", 1);
}

static long call_ppoll(void)
{
	return syscall(SYS_ppoll, NULL, 0, &zero, NULL, 8);
}

static long call_clock_gettime(void)
{
	struct timespec now;

	return syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now);
}

static long call_getrandom(void)
{
	return syscall(SYS_getrandom, &byte, 1, 0);
}

Test(calf, confined_calls_that_work)
{
	static long (*const calls[])(void) = { call_read, call_write, call_ppoll,
					       call_clock_gettime, call_getrandom };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		cr_assert_eq(confined(calls[i]), 0, "call %zu", i);
}

static long call_openat(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY);
}

static long call_socket(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
}

static long call_ioctl(void)
{
	return syscall(SYS_ioctl, fds.frames, FIONREAD, &byte);
}

static long call_mmap(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long call_brk(void)
{
	return syscall(SYS_brk, NULL);
}

static long call_execve(void)
{
	return syscall(SYS_execve, "/", NULL, NULL);
}

static long call_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static long call_sendmsg(void)
{
	return syscall(SYS_sendmsg, fds.control, NULL, 0);
}

static long call_fcntl(void)
{
	return syscall(SYS_fcntl, fds.frames, F_GETFL);
}

static long call_kill(void)
{
	return syscall(SYS_kill, 0, 0);
}

static long call_prctl(void)
{
	return syscall(SYS_prctl, 0, 0, 0, 0, 0);
}

static long call_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long call_clock_settime(void)
{
	return syscall(SYS_clock_settime, -1, NULL);
}

Test(calf, confined_calls_that_end_the_process)
{
	static long (*const calls[])(void) = {
		call_openat, call_socket, call_ioctl,	      call_mmap,  call_brk,
		call_execve, call_clone,  call_sendmsg,	      call_fcntl, call_kill,
		call_prctl,  call_bpf,	  call_clock_settime,
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int status = confined(calls[i]);

		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "call %zu: %#x", i,
			  (unsigned int)status);
	}
}

static long call_confine_again(void)
{
	return calf_confine();
}

/* It cannot be undone, nor can a second filter be loaded. */
Test(calf, confined_for_good)
{
	int status = confined(call_confine_again);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
