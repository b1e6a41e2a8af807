# SPDX-License-Identifier: GPL-2.0-or-later
# Suites that run in dom0: XEN_SUITES, in this order; benchmarks: BENCH_XEN.
BENCH_XEN ?= selftests/xen/bench-forks.sh selftests/xen/bench-pause.sh
XEN_SUITES ?= selftests/xen/check-hypervisor.sh selftests/xen/check-kills.sh \
	selftests/xen/check-forks.sh selftests/xen/check-precopy.sh selftests/xen/check-hvm.sh \
	selftests/xen/check-clones.sh selftests/xen/check-devices.sh selftests/xen/check-slow.sh \
	selftests/xen/check-memory.sh

ifdef HAVE_XEN
$(call program,vmfork-xen-mark-test,selftests/xen/mark_test.c hypervisor/xen/mark.c,-Ihypervisor/xen,$(XEN_LIBS))
$(call program,vmfork-xen-ballast,selftests/xen/ballast.c,,$(XEN_LIBS))
endif

# What is built depends on what is installed.
.PHONY: check-xen check-xen-run
check-xen: ## the suites on Xen: a nested lab, or XEN_HOST=local
	@[ "$${XEN_HOST:-lab}" = local ] || selftests/lab/deps.sh build run test xen
	@$(MAKE) --no-print-directory check-xen-run

.PHONY: bench-xen
bench-xen: user modules guest-image ## vmfork against xl save and restore, in the lab of check-xen (BENCH_RUNS=3)
	@XEN_LABS=1 XEN_LIMIT=$${XEN_LIMIT:-7200} \
		XEN_ENV="$$(env | sed -n 's/,/+/g; /^BENCH_[A-Z]*=/p' | tr '\n' ' ')LAB_PATIENCE=900" \
		selftests/xen/check-xen.sh $(BENCH_XEN)
	@selftests/xen/bench-table.py $(B)/check-xen/dom0.log $(B)/bench-xen

check-xen-run: user modules guest-image
	@selftests/xen/check-xen.sh $(XEN_SUITES)
