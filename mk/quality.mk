# SPDX-License-Identifier: Apache-2.0
.PHONY: lint lint-format lint-include lint-shell lint-docs lint-tests lint-state lint-clang lint-cppcheck lint-tidy format

C_FILES = $(shell git ls-files '*.c' '*.h')

lint: lint-format lint-include lint-shell lint-docs lint-tests lint-state lint-clang lint-cppcheck lint-tidy ## every lint-* below

format: ## rewrite the C files in the house format
	clang-format -i $(C_FILES)

lint-format: ## C files that "make format" would change
	$(call msg,LINT,format)
	$(Q)clang-format --dry-run --Werror $(C_FILES)

lint-include: ## which part includes which (tools/lint/includes)
	$(call msg,LINT,includes)
	$(Q)tools/lint/includes

lint-shell: ## shellcheck on every shell script
	$(call msg,LINT,shell)
	$(Q)tools/lint/shell

lint-docs: ## paths, functions and make targets that documents and messages name
	$(call msg,LINT,docs)
	$(Q)tools/lint/docs
	$(Q)tools/lint/targets

lint-tests: ## a test is named after what it tests (tools/lint/tests)
	$(call msg,LINT,tests)
	$(Q)tools/lint/tests

# Two uplinks in one process must not share what a handler remembers.
HANDLER_OBJECTS = $(call objects,$(wildcard userspace/priv/handlers/*.c))
lint-state: $(HANDLER_OBJECTS) ## variables at file scope in handlers
	$(call msg,LINT,state)
	$(Q)CC="$(CC)" tools/lint/state $(HANDLER_OBJECTS)

# The second compiler sees every file of ours with warnings as errors.
lint-clang: ## the warnings of clang
	$(call msg,LINT,"clang")
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang V=$(V) all > $(BUILD)/lint-clang.log \
		|| { cat $(BUILD)/lint-clang.log; exit 1; }

lint-cppcheck: ## cppcheck on userspace/
	$(call msg,LINT,cppcheck)
	$(Q)cppcheck --quiet --std=c11 --enable=warning,portability --error-exitcode=1 \
		--inline-suppr --suppress=missingIncludeSystem --suppress=internalAstError \
		-I. -D_GNU_SOURCE "-DLIBBPF_OPTS(type,name,...)=struct type name" \
		-j 2 $(filter userspace/%.c,$(C_FILES))

# One file a run: clang-tidy 14 carries va_list state from one to the next.
# Generated skeletons leak when they run out of memory; not ours to mend.
USES_SKELETON = $(shell grep -l 'skel/' $(filter userspace/%.c,$(C_FILES)))
lint-tidy: $(BUILD)/compile_commands.json $(SKELETONS) ## clang-tidy on userspace/
	$(call msg,LINT,clang-tidy)
	$(Q)printf '%s\n' $(filter-out $(USES_SKELETON),$(filter userspace/%.c,$(C_FILES))) | \
		xargs -P 2 -n 1 clang-tidy --quiet -p $(BUILD) 2>/dev/null
	$(Q)printf '%s\n' $(USES_SKELETON) | xargs -P 2 -n 1 clang-tidy --quiet -p $(BUILD) \
		--checks=-clang-analyzer-unix.Malloc 2>/dev/null
