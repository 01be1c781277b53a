/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to `calfpen run --help`. */
#include <stdio.h>

#include "userspace/priv/options.h"

static const char help_text[] =
	"Usage: calfpen run --interface NAME [OPTIONS]\n"
	"\n"
	"Runs network clients (calves) for one uplink, each in its own pen.\n"
	"\n"
	"  -i, --interface NAME    the uplink; required\n"
	"      --instance NAME     name of this instance; default: the uplink's name, in\n"
	"                          which capitals, dots and the like are replaced\n"
	"      --config FILE       configuration of this instance;\n"
	"                          default: /etc/calfpen/INSTANCE.yaml if it exists\n"
	"      --calf DIRECTORY    another calf to run, beside those of the configuration\n"
	"                          (default: dhcp4) or instead of the one that has its\n"
	"                          name: a directory with a calf.yaml; may be repeated\n"
	"      --runtime NAME      OCI runtime, a path or a name in PATH, e.g. runc;\n"
	"                          default: calfpen-pen, which is installed with calfpen\n"
	"      --cgroup-parent P   cgroup that holds the calves' cgroups; default: calfpen\n"
	"      --resolv-conf FILE  resolver file to write; overrides the configuration\n"
	"      --audit FILE        audit log, an absolute path; - is the standard output,\n"
	"                          none is no log;\n"
	"                          default: /var/log/calfpen/INSTANCE.audit.jsonl\n"
	"      --syslog            also send log lines and audit records to syslog\n"
	"      --state DIRECTORY   state that survives a reboot;\n"
	"                          default: /var/lib/calfpen/INSTANCE\n"
	"      --uid-base N        first of the 128 user ids of this instance; no accounts\n"
	"                          are needed; default: those it had, or the next free\n"
	"                          ones from 1879048192 on\n"
	"      --mode MODE         where frames are filtered: auto, native, tc or\n"
	"                          generic; overrides the configuration\n"
	"      --takeover          start even if another DHCP client uses the uplink, go on\n"
	"                          with its identity and its address, and remove its\n"
	"                          other addresses and routes when ours are set\n"
	"      --quarantine[=S]    drop all incoming frames but DHCP and ARP until there\n"
	"                          is a lease, for at most S seconds (default: 60);\n"
	"                          0 disables it; overrides the configuration\n"
	"      --quarantine-force  quarantine even if the uplink already has an address\n"
	"      --wait-interface[=S]\n"
	"                          wait until the uplink exists and can be used, for at\n"
	"                          most S seconds (default: forever); 0: do not wait;\n"
	"                          overrides the configuration\n"
	"      --verbose           log more\n"
	"  -h, --help              this text\n"
	"  -V, --version\n"
	"\n"
	"SIGTERM and SIGINT end the instance; SIGUSR2 and SIGHUP reopen the audit log.\n"
	"Exit status: 0 ended by a signal, 1 failure, 2 usage error. See calfpen(8).\n";

void options_print_help(void)
{
	fputs(help_text, stdout);
}
