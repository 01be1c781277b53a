/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of ISC's configuration language, in which dhclient.conf(5) and
 * dhclient.leases(5) are written. Pure. */
#ifndef CALFPEN_PRIV_MIGRATE_TOKEN_H
#define CALFPEN_PRIV_MIGRATE_TOKEN_H

#include "userspace/priv/migrate/read.h"

enum token_type {
	TOKEN_END = 0, /* of the text; also within a string */
	TOKEN_MARK,    /* one of ; { } ( ) , = */
	TOKEN_WORD,    /* "send", "1:0:a0:24", "10.77.0.1" */
	TOKEN_STRING,  /* without its quotes, escapes replaced */
};

/* Longer tokens are cut. Nothing that is used is this long. */
#define TOKEN_MAX 511

struct token {
	enum token_type type;
	char mark;
	size_t size;
	char bytes[TOKEN_MAX + 1]; /* a word ends with a NUL */
};

struct tokens {
	struct migrate_text text;
	size_t at;
};

/* Get the next token; comments are skipped. */
void token_next(struct tokens *tokens, struct token *token);

bool token_is_mark(const struct token *token, char mark);
bool token_is_word(const struct token *token, const char *word);
/* A word or a string with this text. */
bool token_is_name(const struct token *token, const char *name);

/* Skip the rest of a statement, of which `token` is the last token read: up to its ';',
 * or the end of its block "{ ... }". Stops before a '}' that ends the block around it.
 * Returns false at the end of the text. */
bool token_skip_statement(struct tokens *tokens, struct token *token);

#endif
