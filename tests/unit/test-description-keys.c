/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the host. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/support-description.h"

TestSuite(description_keys, .init = setup, .fini = scratch_remove);

/* What a calf may do with the host's keys, it may ask for. */
Test(description_keys, F10_host_keys_to_read)
{
	static const char *const keys[] = {
		"  - {path: /link, type: text, access: [read, watch]}",
		"  - {path: /link/macs/, type: text, count: 2, access: [read]}",
		"  - {path: /status/, type: text, count: 8, access: [read, watch]}",
		"  - {path: /control/dhcp4/renew, type: text, access: [read, watch, delete]}",
		"  - {path: /control/dhcp4/, type: text, count: 8, access: [read, watch]}",
		"  - {path: /control/dhcp4/stop, type: text, access: [read, watch, delete]}",
		"  - {path: /control/ntp/renew, type: text, access: [read, watch], of: any}",
		"  - {path: /config/ntp/, type: text, count: 8, access: [read, watch], of: any}",
		"  - {path: /configuration, type: text, access: [write]}",
		"  - {path: /controls/renew, type: text, access: [write]}",
		"  - {path: /machine, type: text, access: [write]}",
		"  - {path: /hosts/, type: text, count: 8, access: [write, delete]}",
		"  - {path: /x/mac, type: mac, access: [write]}",
		"  - {path: /clock-state, type: text, access: [read, watch]}",
		"  - {path: /identity/duid, type: text, access: [read]}",
		"  - {path: /links, type: text, access: [write]}",
		"  - {path: /link/macs/, type: text, count: 2, access: [read], of: any}",
	};
	static struct description d;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		write_description(5, keys[i]);
		cr_expect_eq(description_load(scratch, &d), 0, "%s: %s", keys[i], capture_text());
	}
}

/* What only the host writes, however it is spelled. */
static const struct {
	const char *replacement; /* of line 5 */
	const char *refused;
} host_rows[] = {
#define ONLY_HOST(_access, _path)                                                    \
	"5: access \"" _access "\" to \"" _path "\": only the host may; a calf may " \
	"read and watch it"
	{ "{path: /mac, type: mac, access: [read, write]}", ONLY_HOST("write", "/mac") },
	{ "{path: /mac, type: mac, access: [delete]}", ONLY_HOST("delete", "/mac") },
	{ "{path: /mac/, type: mac, count: 1, access: [write]}", ONLY_HOST("write", "/mac/") },
	{ "{path: /mac/x/y, type: mac, access: [write]}", ONLY_HOST("write", "/mac/x/y") },
	{ "{path: /link, type: text, access: [write]}", ONLY_HOST("write", "/link") },
	{ "{path: /link/, type: text, count: 4096, access: [write]}",
	  ONLY_HOST("write", "/link/") },
	{ "{path: /link/macs/, type: text, count: 9, access: [read, delete]}",
	  ONLY_HOST("delete", "/link/macs/") },
	{ "{path: /link/macs/000, type: text, access: [write]}",
	  ONLY_HOST("write", "/link/macs/000") },
	{ "{path: /address, type: ipv4-net, access: [write]}", ONLY_HOST("write", "/address") },
	{ "{path: /link-local, type: text, access: [read, write]}",
	  ONLY_HOST("write", "/link-local") },
	{ "{path: /ip6-state/, type: text, count: 4, access: [write]}",
	  ONLY_HOST("write", "/ip6-state/") },
	{ "{path: /ip6-state/x, type: text, access: [delete]}",
	  ONLY_HOST("delete", "/ip6-state/x") },
	{ "{path: /identity/, type: text, count: 4, access: [write]}",
	  ONLY_HOST("write", "/identity/") },
	{ "{path: /identity/duid, type: text, access: [write]}",
	  ONLY_HOST("write", "/identity/duid") },
	{ "{path: /clock-state, type: text, access: [write]}", ONLY_HOST("write", "/clock-state") },
	{ "{path: /host/, type: text, count: 1, access: [write]}", ONLY_HOST("write", "/host/") },
	{ "{path: /host/name, type: text, access: [delete]}", ONLY_HOST("delete", "/host/name") },
	{ "{path: /status/, type: text, count: 1, access: [write]}",
	  ONLY_HOST("write", "/status/") },
	{ "{path: /status/quarantine, type: text, access: [write]}",
	  ONLY_HOST("write", "/status/quarantine") },
	{ "{path: /status/metrics/, type: text, count: 2, access: [delete]}",
	  ONLY_HOST("delete", "/status/metrics/") },
#define ONLY_OPERATOR(_path)                                                                 \
	"5: access \"write\" to \"" _path "\": only the operator and the supervisor may; a " \
	"calf may read, watch and delete it"
	{ "{path: /control/dhcp4/renew, type: text, access: [read, write, delete]}",
	  ONLY_OPERATOR("/control/dhcp4/renew") },
	{ "{path: /control/dhcp4/a/b, type: text, access: [write]}",
	  ONLY_OPERATOR("/control/dhcp4/a/b") },
#define NO_REQUEST(_path)                                                                    \
	"5: access \"write\" to \"" _path "\": only the operator and the supervisor may; a " \
	"calf may read and watch it"
	{ "{path: /control/dhcp4/, type: text, count: 3, access: [write]}",
	  NO_REQUEST("/control/dhcp4/") },
	{ "{path: /control/dhcp4/a/b/, type: text, count: 3, access: [write]}",
	  NO_REQUEST("/control/dhcp4/a/b/") },
/* "stop" would be among them */
#define NAME_EACH(_path) "5: access \"delete\" to directory \"" _path "\": name each request"
	{ "{path: /control/dhcp4/, type: text, count: 4, access: [read, watch, delete]}",
	  NAME_EACH("/control/dhcp4/") },
	{ "{path: /control/dhcp4/a/, type: text, count: 4, access: [delete]}",
	  NAME_EACH("/control/dhcp4/a/") },
#define NOT_OWN(_path)                                                                      \
	"5: path \"" _path "\": requests to this calf are below /control/dhcp4/; those to " \
	"another calf require \"of: any\""
	{ "{path: /control, type: text, access: [read]}", NOT_OWN("/control") },
	{ "{path: /control/, type: text, count: 3, access: [read]}", NOT_OWN("/control/") },
	{ "{path: /control/renew, type: text, access: [read, delete]}", NOT_OWN("/control/renew") },
	{ "{path: /control/dhcp4, type: text, access: [read]}", NOT_OWN("/control/dhcp4") },
	{ "{path: /control/dhcp/renew, type: text, access: [read]}",
	  NOT_OWN("/control/dhcp/renew") },
	{ "{path: /control/dhcp46/renew, type: text, access: [read]}",
	  NOT_OWN("/control/dhcp46/renew") },
#define FROM_OPTIONS(_path) \
	"5: path \"" _path "\": /config and keys below it are created from options"
	{ "{path: /config, type: text, access: [read]}", FROM_OPTIONS("/config") },
	{ "{path: /config/x, type: mac, access: [read]}", FROM_OPTIONS("/config/x") },
	{ "{path: /config/, type: mac, access: [read], count: 1}", FROM_OPTIONS("/config/") },
	{ "{path: /config/ntp/x, type: mac, access: [read]}",
	  FROM_OPTIONS("/config/ntp/x") "; those of another calf require \"of: any\"" },
	{ "{path: /config/ntp/, type: mac, access: [read], count: 1}",
	  FROM_OPTIONS("/config/ntp/") "; those of another calf require \"of: any\"" },
	{ "{path: /config/dhcp4/x, type: mac, access: [read]}", FROM_OPTIONS("/config/dhcp4/x") },
	{ "{path: /config/dhcp4/x, type: mac, access: [read], of: any}",
	  FROM_OPTIONS("/config/dhcp4/x") },
	{ "{path: /config/dhcp4/, type: mac, access: [read], count: 1, of: any}",
	  FROM_OPTIONS("/config/dhcp4/") },
	{ "{path: /mac, type: mac, access: [read], persistent: true}",
	  "5: persistent is not allowed for \"/mac\", which belongs to the host" },
};

Test(description_keys, F10_host_keys)
{
	static struct description d;
	char line[256], expected_text[1024];

	for (size_t i = 0; i < sizeof(host_rows) / sizeof(host_rows[0]); i++) {
		snprintf(line, sizeof(line), "  - %s", host_rows[i].replacement);
		write_description(5, line);
		capture_begin();
		cr_expect(description_load(scratch, &d) == -EINVAL, "accepted: %s", line);
		snprintf(expected_text, sizeof(expected_text), "%s/%s:%s\n", scratch,
			 DESCRIPTION_FILE, host_rows[i].refused);
		cr_expect_str_eq(capture_text(), expected_text);
	}
}

/* Whose text is for the calf alone that writes it. */
Test(description_keys, secret)
{
	static const struct {
		const char *replacement;
		const char *refused; /* NULL: accepted */
		bool is_secret;
	} rows[] = {
		{ "{path: /psk, type: text, access: [read, write], secret: true}", NULL, true },
		{ "{path: /psk, type: hex, access: [write], secret: true, persistent: true}", NULL,
		  true },
		{ "{path: /eap/, type: text, count: 4, access: [write, delete], secret: true}",
		  NULL, true },
		{ "{path: /psk, type: text, access: [read], secret: false}", NULL, false },
		{ "{path: /psk, type: text, access: [write]}", NULL, false },
#define NO_WRITER "5: secret requires access \"write\": it is for the calf that writes the key"
		{ "{path: /psk, type: text, access: [read, watch], secret: true}", NO_WRITER,
		  true },
		{ "{path: /psk, type: text, access: [delete], secret: true}", NO_WRITER, true },
		{ "{path: /psk, type: text, access: [read], secret: true, of: any}", NO_WRITER,
		  true },
		{ "{path: /mac, type: mac, access: [read], secret: true}", NO_WRITER, true },
		{ "{path: /psk, type: text, access: [write], secret: true, of: any}",
		  "5: \"of: any\" is not allowed with access \"write\": a calf may only read and "
		  "watch the keys of others",
		  true },
		{ "{path: /psk, type: text, access: [write], secret: maybe}",
		  "5: secret must be true or false", true },
	};
	static struct description d;
	char line[256], expected_text[1024];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "  - %s", rows[i].replacement);
		write_description(5, line);
		capture_begin();
		cr_expect_eq(description_load(scratch, &d), rows[i].refused ? -EINVAL : 0, "%s",
			     line);
		snprintf(expected_text, sizeof(expected_text), "%s/%s:%s\n", scratch,
			 DESCRIPTION_FILE, rows[i].refused ? rows[i].refused : "");
		cr_expect_str_eq(capture_text(), rows[i].refused ? expected_text : "");
		if (!rows[i].refused)
			cr_expect_eq(d.keys[0].secret, rows[i].is_secret, "%s", line);
	}
}

/* Keys of other calves, to read and watch. */
Test(description_keys, of_any)
{
	static struct description d;

	write_description(5, "  - {path: /ntp/, type: ipv4, count: 8, access: [read], of: any}\n"
			     "  - {path: /ip, type: ipv4-net, access: [read, watch], of: any}");
	cr_assert_eq(description_load(scratch, &d), 0, "%s", capture_text());
	cr_assert(d.n_keys == 7 && d.keys_of_any[0] && d.keys_of_any[1]);
	for (uint32_t i = 2; i < d.n_keys; i++)
		cr_assert(!d.keys_of_any[i], "%s", d.keys[i].path);
}

static const struct {
	const char *replacement; /* of line 5 */
	const char *refused;
} of_rows[] = {
	{ "{path: /ntp/, type: ipv4, count: 8, access: [read], of: all}",
	  "5: of \"all\" is not one of: any" },
	{ "{path: /ntp/, type: ipv4, count: 8, access: [read], of: }",
	  "5: of \"\" is not one of: any" },
	{ "path: /ip\n    type: ipv4\n    access: [read, write]\n    of: any",
	  "8: \"of: any\" is not allowed with access \"write\": a calf may only read and watch the "
	  "keys of others" },
	{ "{path: /ntp/, type: ipv4, count: 8, access: [read, delete], of: any}",
	  "5: \"of: any\" is not allowed with access \"delete\": a calf may only read and watch the "
	  "keys of others" },
	{ "{path: /ip, type: ipv4, access: [read], persistent: true, of: any}",
	  "5: \"of: any\" is not allowed with persistent: the calf that writes a key says whether "
	  "it is saved" },
};

Test(description_keys, of_refused)
{
	static struct description d;
	char line[256], expected_text[1024];

	for (size_t i = 0; i < sizeof(of_rows) / sizeof(of_rows[0]); i++) {
		snprintf(line, sizeof(line), "  - %s", of_rows[i].replacement);
		write_description(5, line);
		capture_begin();
		cr_expect(description_load(scratch, &d) == -EINVAL, "accepted: %s", line);
		snprintf(expected_text, sizeof(expected_text), "%s/%s:%s\n", scratch,
			 DESCRIPTION_FILE, of_rows[i].refused);
		cr_expect_str_eq(capture_text(), expected_text);
	}
}
