# SPDX-License-Identifier: GPL-2.0-or-later
# libFuzzer targets: selftests/fuzz/fuzz_NAME.c, with FUZZ_SRCS_NAME (what it tests) and
# FUZZ_LIBS_NAME set in any build.mk. Inputs to begin with: selftests/fuzz/seeds/NAME/.
FUZZ_SECONDS ?= 20
FUZZ_CC ?= clang
FUZZ_NAMES := $(patsubst selftests/fuzz/fuzz_%.c,%,$(wildcard selftests/fuzz/fuzz_*.c))

FUZZ_SRCS_pager_request := $(addprefix hypervisor/pager/,request.c slots.c)

.PHONY: fuzz fuzz-sources
fuzz-sources:

# Always built anew: what it tests is known only when its recipe runs.
$(B)/fuzz/%: selftests/fuzz/fuzz_%.c fuzz-sources
	@mkdir -p $(@D)
	@echo "  FUZZCC  $@"
	@$(FUZZ_CC) $(CPPFLAGS_ALL) -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $< $(FUZZ_SRCS_$*) $(FUZZ_LIBS_$*)

fuzz: $(addprefix $(B)/fuzz/,$(FUZZ_NAMES)) ## libFuzzer targets, FUZZ_SECONDS each (20)
	@set -e; for n in $(FUZZ_NAMES); do \
		echo "  FUZZ    $$n"; \
		mkdir -p $(B)/fuzz/corpus/$$n; \
		$(B)/fuzz/$$n -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 \
			-print_final_stats=1 -artifact_prefix=$(B)/fuzz/$$n- \
			$(B)/fuzz/corpus/$$n $$(ls -d selftests/fuzz/seeds/$$n 2>/dev/null); \
	done
