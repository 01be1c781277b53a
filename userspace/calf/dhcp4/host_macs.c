/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/host_macs.h"

#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/path.h"
#include "userspace/common/value.h"

/* Returns the index of the key, or LINK_MACS_KEYS if it is none of these. */
static uint32_t find_key(const char *path)
{
	const char *name;
	uint32_t i_key = 0;

	if (!path_is_below(path, LINK_MACS_DIRECTORY) ||
	    strlen(path) != strlen(LINK_MACS_DIRECTORY "/000"))
		return LINK_MACS_KEYS;
	name = path + strlen(LINK_MACS_DIRECTORY "/");
	for (; *name >= '0' && *name <= '9'; name++)
		i_key = 10 * i_key + (uint32_t)(*name - '0');
	return *name == '\0' && i_key >= 1 && i_key <= LINK_MACS_KEYS ? i_key - 1 : LINK_MACS_KEYS;
}

static void take_key(struct host_macs *macs, uint32_t i_key, const struct calf_entry *entry)
{
	char text[LINK_MACS_TEXT + 1];
	uint8_t n_macs = 0;

	for (size_t at = 0; at < entry->length && n_macs < LINK_MACS_PER_KEY; n_macs++) {
		size_t left = entry->length - at;

		if (left < LINK_MACS_TEXT ||
		    (left > LINK_MACS_TEXT && entry->text[at + LINK_MACS_TEXT] != ' '))
			break;
		memcpy(text, entry->text + at, LINK_MACS_TEXT);
		text[LINK_MACS_TEXT] = '\0';
		if (value_parse_mac(text, macs->macs[i_key][n_macs]) < 0)
			break;
		at += LINK_MACS_TEXT + 1;
	}
	macs->n_macs[i_key] = n_macs;
	if (entry->length != (n_macs ? n_macs * (LINK_MACS_TEXT + 1u) - 1 : 0))
		log_warning("%s: not a list of MACs; using the first %u", entry->path, n_macs);
}

void host_macs_take(struct host_macs *macs, const struct calf_entry *entry)
{
	uint32_t i_key = find_key(entry->path);

	if (entry->kind == CALF_ENTRY_RESYNC) {
		macs->missing = (1u << LINK_MACS_KEYS) - 1;
	} else if (entry->kind == CALF_ENTRY_SYNCED) {
		for (uint32_t i = 0; i < LINK_MACS_KEYS; i++)
			if (macs->missing >> i & 1)
				macs->n_macs[i] = 0;
		macs->missing = 0;
	} else if (i_key == LINK_MACS_KEYS) {
		return;
	} else if (entry->kind == CALF_ENTRY_VALUE) {
		macs->missing &= ~(1u << i_key);
		take_key(macs, i_key, entry);
	} else if (entry->kind == CALF_ENTRY_DELETED) {
		macs->n_macs[i_key] = 0;
	}
}

bool host_macs_have(const struct host_macs *macs, const uint8_t mac[6])
{
	for (uint32_t i = 0; i < LINK_MACS_KEYS; i++)
		for (uint32_t j = 0; j < macs->n_macs[i]; j++)
			if (!memcmp(macs->macs[i][j], mac, sizeof(macs->macs[i][j])))
				return true;
	return false;
}
