/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the kernel objects of an instance are pinned, and the names of maps.
 * The directory has mode 0700 and the name of the instance.
 */
#ifndef CALFPEN_MAPS_PINS_H
#define CALFPEN_MAPS_PINS_H

#define PINS_ROOT "/sys/fs/bpf/calfpen"

/* Maps, by pin name. State that is kept across a restart: */
#define PIN_KV "kv"
#define PIN_CTL "ctl"
#define PIN_EVENTS "events"
#define PIN_DENIALS "denials"
#define PIN_SLOTS "slots"
#define PIN_FRAME_WITNESS "frame_witness"
/* Not adopted, because its subjects cannot be told: aside_kv, aside_ctl and so on. */
#define PIN_ASIDE_PREFIX "aside_"
/* kv, slots and ctl for more keys, until they replace those under their names: grown_kv,
 * grown_slots, and as the last one grown_ctl. */
#define PIN_GROWN_PREFIX "grown_"
/* Recreated at every start: */
#define PIN_UNDO "undo"
#define PIN_UNDO_VALUES "undo_values"
#define PIN_WATCHES "watches"
#define PIN_RINGS "rings"
#define PIN_WATCH_RIGHTS "watch_rights"
#define PIN_FRAME_RULES "frame_rules"
#define PIN_FRAME_HOST "frame_host"
#define PIN_FRAME_IDENTITY "frame_identity"
#define PIN_FRAME_XIDS "frame_xids"
#define PIN_FRAME_PEERS "frame_peers"
#define PIN_FRAME_WATCHED "frame_watched"
#define PIN_FRAME_BUCKETS "frame_buckets"
#define PIN_FRAME_COUNTERS "frame_counters"
#define PIN_FRAME_SAMPLERS "frame_samplers"
#define PIN_FRAME_SAMPLES "frame_samples"
#define PIN_FRAME_QUARANTINE "frame_quarantine"
#define PIN_FRAME_SLOT "frame_slot"
/* Per subject: acl_<subject>, staging_<subject>, and the program. */
#define PIN_ACL_PREFIX "acl_"
#define PIN_STAGING_PREFIX "staging_"
#define PIN_GATE_PREFIX "gate_"
#define PIN_RING_PREFIX "ring_"
/* Links of attached programs, or the program of a clsact filter, which has no
 * link. */
#define PIN_LINK_UPLINK "link_uplink"
#define PIN_FILTER_UPLINK "filter_uplink"
#define PIN_FILTER_CLOSED "filter_closed"
/* the ingress program of all taps */
#define PIN_FILTER_TAP "filter_tap"
/* without clsact: */
#define PIN_LINK_TAP_PREFIX "link_tap_"
/* per calf with frames: link_tap_ingress_<number> */
#define PIN_LINK_TAP_INGRESS_PREFIX "link_tap_ingress_"
#define PIN_LINK_TAP_EGRESS_PREFIX "link_tap_egress_"

/* Files of a running instance. */
#define RUN_ROOT "/run/calfpen"

#endif
