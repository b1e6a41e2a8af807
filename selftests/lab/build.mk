# SPDX-License-Identifier: GPL-2.0-or-later
# The verbs that install, test, show and judge. A folder adds its suites (programs that speak
# TAP) to CHECK_SUITES; they run in the order of their names.
PY ?= python3
RUN_SUITES = $(PY) selftests/run.py --logs $(B)/check

CHECK_SUITES += selftests/lab/lab-test.sh

$(call program,vmfork-guest-exec,selftests/lab/guest_exec.c)

.PHONY: deps guest-image guest-image-services demo check check-run style
deps: ## install what building, running and testing take (Debian 12, root or sudo)
	@selftests/lab/deps.sh build run test

guest-image: modules user ## the Debian guest of the tests and of the demo (cached)
	@KDIR=$(KDIR) selftests/lab/guest-image.sh $(B)/lab

guest-image-services: modules user ## the same with sshd, nginx and Python, for check-agent and check-bindings (cached)
	@SERVICES=1 KDIR=$(KDIR) selftests/lab/guest-image.sh $(B)/lab-services

# slow, and fetches kernels
BOOT_KERNELS := rt 6.12
.PHONY: check-kernels-boot check-guest
check-kernels-boot: modules user ## the module's tests in guests with PREEMPT_RT and with 6.12
	@for k in $(BOOT_KERNELS); do \
		KERNEL=$$k selftests/lab/guest-image.sh $(B)/lab-$$k && \
		LAB_GUEST=$(abspath $(B))/lab-$$k $(RUN_SUITES)-$$k selftests/host/check-module.sh || exit 1; \
	done

# one image serves all: the services in it are asleep in suites that do not want them
check-guest: user ## every suite that boots a guest, with KERNEL=6.12 (or rt) in it
	@test -n "$(KERNEL)" || { echo "check-guest: which KERNEL=?" >&2; exit 1; }
	@selftests/lab/deps.sh build run test
	@SERVICES=1 selftests/lab/guest-image.sh $(abspath $(B))/lab-$(KERNEL)-services
	@LAB_GUEST=$(abspath $(B))/lab-$(KERNEL)-services $(RUN_SUITES)-$(KERNEL) --timeout 1800 \
		$(sort $(filter selftests/host/%,$(CHECK_SUITES)))

demo: ## fork a Debian guest into 8 clones that answer a question about Debian's packages
	@examples/demo.sh

# Dependencies come first: what is to be built depends on what is installed.
check: ## install what is missing, build, run all tests that fit into 25 minutes
	@selftests/lab/deps.sh build run test
	@$(MAKE) --no-print-directory check-run

# unit-programs: folders that are read after this one have some, too
check-run: user modules guest-image guest-image-services unit-programs
	@$(RUN_SUITES) $(sort $(UNIT_TARGETS)) $(sort $(CHECK_SUITES))

style: ## checkpatch, codespell, shellcheck, mandoc, as far as they are installed
	@selftests/lab/style.sh
