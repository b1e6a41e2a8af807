// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-kvm-probe: says in one line what vmforkd's "auto" accelerator will be, and why. */
#include <stdio.h>

#include "kvm_probe.h"

int main(void)
{
	char why[256] = "";
	int r = kvm_probe(why, sizeof(why));

	printf("%s%s\n", why, r ? "; using tcg" : "");
	return r ? 1 : 0;
}
