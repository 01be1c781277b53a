/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compromised calf: tries what the sandbox must prevent, reports each attempt in
 * a log line "hostile: WHAT: RESULT", and finally sends a malformed control
 * message.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void report(const char *what, long result)
{
	char line[128];
	int size = snprintf(line, sizeof(line), "hostile: %s: %s\n", what,
			    result < 0 ? "refused" : "ALLOWED");

	if (write(2, line, (size_t)size) < 0)
		_exit(3);
}

int main(void)
{
	union bpf_attr attr = { 0 };
	int one = 1, persist = 1;
	uint32_t malformed[] = { 0xffffffff, 0xffffffff };
	char *shell[] = { NULL };

	report("ioctl on the tap", ioctl(3, TUNSETPERSIST, &persist));
	report("socket", socket(AF_INET, SOCK_DGRAM, 0));
	report("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
	report("netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
	report("setsockopt", setsockopt(4, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one)));
	report("bpf", syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr)));
	report("mount", mount("none", "/", "tmpfs", 0, NULL));
	report("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	report("file", open("/file", O_CREAT | O_WRONLY, 0600));
	report("setuid", setuid(0) ? -1 : (getuid() == 0 && mkdir("/made", 0700) == 0 ? 0 : -1));
	report("execve", execve("/bin/sh", shell, shell));
	report("descriptor 6", fcntl(6, F_GETFD));
	report("line with\tcontrol \033[31m bytes", -1);
	if (write(4, malformed, sizeof(malformed)) != (ssize_t)sizeof(malformed))
		report("control message", -1);
	for (;;)
		pause();
}
