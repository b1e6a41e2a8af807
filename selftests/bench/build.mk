# SPDX-License-Identifier: GPL-2.0-or-later
BENCH_GUEST_SRCS := $(addprefix selftests/bench/guest/,main.c agent.c loads.c memory.c ticker.c)
$(call guest_program,vmfork-bench-guest,$(BENCH_GUEST_SRCS),,-lpthread)

# QEMU resolves what the plugin calls when it loads it.
$(call shared,liboracle.so,selftests/bench/oracle/oracle.c,-fvisibility=hidden,)

.PHONY: bench bench-docs
bench: guest-image ## measure against other ways to clone (BENCH_RUNS=10 BENCH_ONLY=m2,m3 BENCH_QUICK=1)
	@selftests/bench/run $(B)/bench

bench-docs: ## copy the figures of the last `make bench` to Documentation/benchmarks
	@selftests/bench/publish $(B)/bench Documentation/benchmarks
