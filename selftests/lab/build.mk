# SPDX-License-Identifier: GPL-2.0-or-later
.PHONY: deps guest-image
deps: ## install what building, running and testing take (Debian 12, root or sudo)
	@selftests/lab/deps.sh build run test

guest-image: modules user ## the Debian guest of the tests and of the demo (cached)
	@KDIR=$(KDIR) selftests/lab/guest-image.sh $(B)/lab
