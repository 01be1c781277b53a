/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/settings.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/log.h"

#define RETRY_NS 100000000ull
#define START_DELAY_MAX_MS 10000
#define FIRST_RETRANSMISSION_MIN_MS 1000
#define FIRST_RETRANSMISSION_MAX_MS 5000

static int take_mac(struct client_config *config, const char *text)
{
	static const struct message_policy policy;
	uint8_t mac[6];
	int r = value_parse_mac(text, mac);

	if (r == 0)
		message_sender_init(&config->sender, mac, &policy);
	return r;
}

/* Option 12 is a name without domain: some servers choke on a qualified one. */
static int take_host_name(struct client_config *config, const char *text)
{
	size_t length = strcspn(text, ".");

	if (!value_is_hostname(text) || length >= sizeof(config->sender.host_name))
		return -EBADMSG;
	memcpy(config->sender.host_name, text, length);
	config->sender.host_name[length] = '\0';
	return 0;
}

static int take_broadcast(struct client_config *config, const char *text)
{
	uint32_t number;
	int r = value_parse_uint(text, 0, 1, &number);

	if (r == 0)
		config->broadcast = number == 1;
	return r;
}

static int take_start_delay(struct client_config *config, const char *text)
{
	return value_parse_uint(text, 0, START_DELAY_MAX_MS, &config->start_delay_ms);
}

static int take_first_retransmission(struct client_config *config, const char *text)
{
	return value_parse_uint(text, FIRST_RETRANSMISSION_MIN_MS, FIRST_RETRANSMISSION_MAX_MS,
				&config->first_retransmission_ms);
}

/* In the order of reading; only the first must be there. */
static const struct {
	const char *path;
	int (*take)(struct client_config *config, const char *text);
} keys[] = {
	{ "/mac", take_mac },
	{ "/config/hostname", take_host_name },
	{ "/config/broadcast", take_broadcast },
	{ "/config/start_delay", take_start_delay },
	{ "/config/first_retransmission", take_first_retransmission },
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static void read_next(struct settings *settings);

static void on_response(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct settings *settings = data;
	const char *path = keys[settings->i_key].path;

	if (status == -EAGAIN) {
		loop_timer_set(&settings->retry, calf->loop.now_ns() + RETRY_NS);
		return;
	}
	if (status == 0 &&
	    (strlen(text) != length || keys[settings->i_key].take(&settings->config, text) < 0)) {
		log_error("%s is \"%s\"", path, text);
		calf_stop(calf, -EINVAL);
		return;
	}
	if (status < 0 && (status != -ENOENT || settings->i_key == 0)) {
		log_error("%s: %s", path, text);
		calf_stop(calf, status);
		return;
	}
	settings->i_key++;
	read_next(settings);
}

static void read_next(struct settings *settings)
{
	int r;

	if (settings->i_key == N_KEYS) {
		loop_remove_timer(&settings->calf->loop, &settings->retry);
		settings->done(settings->data);
		return;
	}
	r = calf_store_read(settings->calf, keys[settings->i_key].path, on_response, settings);
	if (r < 0) {
		log_error("%s: %s", keys[settings->i_key].path, strerrordesc_np(-r));
		calf_stop(settings->calf, r);
	}
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	read_next(data);
	return 0;
}

int settings_read(struct settings *settings, struct calf *calf, void (*done)(void *data),
		  void *data)
{
	int r;

	*settings = (struct settings){
		.calf = calf,
		.config = {
			.start_delay_ms = CLIENT_START_DELAY_MS,
			.first_retransmission_ms = CLIENT_FIRST_RETRANSMISSION_MS,
		},
		.done = done,
		.data = data,
	};
	r = loop_add_timer(&calf->loop, &settings->retry, on_retry, settings);
	if (r < 0) {
		log_error("event loop: %s", strerrordesc_np(-r));
		return r;
	}
	read_next(settings);
	return calf->status;
}
