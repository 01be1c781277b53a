# SPDX-License-Identifier: Apache-2.0
.PHONY: lint lint-format lint-include lint-shell lint-docs lint-tests lint-state lint-literals lint-clang lint-cppcheck lint-tidy format

C_FILES = $(shell git ls-files '*.c' '*.h')

lint: lint-format lint-include lint-shell lint-docs lint-tests lint-state lint-literals lint-clang lint-cppcheck lint-tidy ## run all lint-* targets

format: ## format the C files
	clang-format -i $(C_FILES)

lint-format: ## find C files that "make format" would change
	$(call msg,LINT,format)
	$(Q)clang-format --dry-run --Werror $(C_FILES)

lint-include: ## check which directory includes which (tools/lint/includes)
	$(call msg,LINT,includes)
	$(Q)tools/lint/includes

lint-shell: ## run shellcheck on all shell scripts
	$(call msg,LINT,shell)
	$(Q)tools/lint/shell

lint-docs: ## check that paths, functions and make targets in the documents exist
	$(call msg,LINT,docs)
	$(Q)tools/lint/docs
	$(Q)tools/lint/targets

lint-tests: ## check that each test is named after what it tests
	$(call msg,LINT,tests)
	$(Q)tools/lint/tests

# Two uplinks in one process must not share the state of a handler.
HANDLER_OBJECTS = $(call objects,$(wildcard userspace/priv/handlers/*.c))
lint-state: $(HANDLER_OBJECTS) ## find variables at file scope in handlers
	$(call msg,LINT,state)
	$(Q)CC="$(CC)" tools/lint/state $(HANDLER_OBJECTS)

lint-literals: ## find pointers that outlive a compound literal
	$(call msg,LINT,literals)
	$(Q)tools/lint/literals

# Compile all files with a second compiler, with warnings as errors.
lint-clang: ## compile with clang
	$(call msg,LINT,"clang")
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang V=$(V) all > $(BUILD)/lint-clang.log \
		|| { cat $(BUILD)/lint-clang.log; exit 1; }

lint-cppcheck: ## run cppcheck on userspace/
	$(call msg,LINT,cppcheck)
	$(Q)cppcheck --quiet --std=c11 --enable=warning,portability --error-exitcode=1 \
		--inline-suppr --suppress=missingIncludeSystem --suppress=internalAstError \
		-I. -D_GNU_SOURCE "-DLIBBPF_OPTS(type,name,...)=struct type name" \
		-j 2 $(filter userspace/%.c,$(C_FILES))

# Run clang-tidy on one file at a time, because version 14 carries va_list state from
# one file to the next. Generated skeletons leak when they run out of memory, which
# we cannot fix.
USES_SKELETON = $(shell grep -l 'skel/' $(filter userspace/%.c,$(C_FILES)))
lint-tidy: $(BUILD)/compile_commands.json $(SKELETONS) ## run clang-tidy on userspace/
	$(call msg,LINT,clang-tidy)
	$(Q)printf '%s\n' $(filter-out $(USES_SKELETON),$(filter userspace/%.c,$(C_FILES))) | \
		xargs -P 2 -n 1 clang-tidy --quiet -p $(BUILD) 2>/dev/null
	$(Q)printf '%s\n' $(USES_SKELETON) | xargs -P 2 -n 1 clang-tidy --quiet -p $(BUILD) \
		--checks=-clang-analyzer-unix.Malloc 2>/dev/null
