# SPDX-License-Identifier: GPL-2.0-or-later
# Suites that are to run on the debug kernel: DEBUG_SUITES, in this order. What they boot is in a
# folder of its own, so that build/lab stays what it was.
DEBUG_SUITES += selftests/debug/check-debug.sh selftests/debug/check-cma.sh $(addprefix selftests/host/check-, \
	hotplug.sh module.sh fork.sh avoid.sh identity.sh smp.sh checkpoint.sh)

.PHONY: check-debug
check-debug: user ## the suites on a kernel with KASAN, lockdep, kmemleak (built once: long)
	@selftests/lab/deps.sh build run test debug
	@KERNEL=debug selftests/lab/guest-image.sh $(abspath $(B))/lab-debug
	@LAB_GUEST=$(abspath $(B))/lab-debug LAB_MEMORY=$${LAB_MEMORY:-768M} E2E_TIGHT=$${E2E_TIGHT:-368M} \
		LAB_PATIENCE=$${LAB_PATIENCE:-600} $(RUN_SUITES)-debug --timeout 3600 $(DEBUG_SUITES)
