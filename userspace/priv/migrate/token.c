/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/migrate/token.h"

#include <string.h>

#define MARKS ";{}(),="

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static bool has_more(const struct tokens *tokens)
{
	return tokens->at < tokens->text.size;
}

static char peek(const struct tokens *tokens)
{
	return tokens->text.bytes[tokens->at];
}

static bool is_mark(char c)
{
	return c != '\0' && strchr(MARKS, c);
}

static void skip_blanks(struct tokens *tokens)
{
	bool in_comment = false;

	for (; has_more(tokens); tokens->at++) {
		char c = peek(tokens);

		if (c == '\n')
			in_comment = false;
		else if (c == '#')
			in_comment = true;
		else if (!in_comment && !is_blank(c))
			return;
	}
}

static void append(struct token *token, char c)
{
	if (token->size < TOKEN_MAX)
		token->bytes[token->size++] = c;
}

static int digit_of(char c, int base)
{
	int digit = c >= '0' && c <= '9' ? c - '0' :
		    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		    c >= 'A' && c <= 'F' ? c - 'A' + 10 :
					   base;

	return digit < base ? digit : -1;
}

/* Read up to `n_max` digits of a character's code. */
static char read_code(struct tokens *tokens, int base, int n_max)
{
	unsigned int code = 0;

	for (int i = 0; i < n_max && has_more(tokens) && digit_of(peek(tokens), base) >= 0; i++)
		code = code * (unsigned int)base +
		       (unsigned int)digit_of(tokens->text.bytes[tokens->at++], base);
	return (char)code;
}

static char read_escape(struct tokens *tokens)
{
	char c = tokens->text.bytes[tokens->at++];

	switch (c) {
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 'b':
		return '\b';
	case 'x':
		return read_code(tokens, 16, 2);
	default:
		if (digit_of(c, 8) < 0)
			return c;
		tokens->at--;
		return read_code(tokens, 8, 3);
	}
}

static void read_string(struct tokens *tokens, struct token *token)
{
	while (has_more(tokens)) {
		char c = tokens->text.bytes[tokens->at++];

		if (c == '"') {
			token->type = TOKEN_STRING;
			return;
		}
		append(token, c == '\\' && has_more(tokens) ? read_escape(tokens) : c);
	}
}

static void read_word(struct tokens *tokens, struct token *token)
{
	token->type = TOKEN_WORD;
	while (has_more(tokens) && !is_blank(peek(tokens)) && !is_mark(peek(tokens)) &&
	       peek(tokens) != '"' && peek(tokens) != '#')
		append(token, tokens->text.bytes[tokens->at++]);
}

void token_next(struct tokens *tokens, struct token *token)
{
	*token = (struct token){ .type = TOKEN_END };
	skip_blanks(tokens);
	if (!has_more(tokens))
		return;
	if (peek(tokens) == '"') {
		tokens->at++;
		read_string(tokens, token);
	} else if (is_mark(peek(tokens))) {
		token->type = TOKEN_MARK;
		token->mark = tokens->text.bytes[tokens->at++];
	} else {
		read_word(tokens, token);
	}
}

bool token_is_mark(const struct token *token, char mark)
{
	return token->type == TOKEN_MARK && token->mark == mark;
}

static bool is_text(const struct token *token, const char *text)
{
	return token->size == strlen(text) && memcmp(token->bytes, text, token->size) == 0;
}

bool token_is_word(const struct token *token, const char *word)
{
	return token->type == TOKEN_WORD && is_text(token, word);
}

bool token_is_name(const struct token *token, const char *name)
{
	return (token->type == TOKEN_WORD || token->type == TOKEN_STRING) && is_text(token, name);
}

bool token_skip_statement(struct tokens *tokens, struct token *token)
{
	size_t depth = 0;

	for (;; token_next(tokens, token)) {
		if (token->type == TOKEN_END)
			return false;
		if (depth == 0 && token_is_mark(token, ';'))
			return true;
		if (token_is_mark(token, '{'))
			depth++;
		if (!token_is_mark(token, '}'))
			continue;
		if (depth == 0) {
			tokens->at--;
			return true;
		}
		if (--depth == 0)
			return true;
	}
}
