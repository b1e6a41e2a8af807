#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Count the primes below a limit with clones of this machine, each with its share.

    primes.py [CLONES [LIMIT]]
"""
import json
import random
import sys

import vmfork


def primes(first, step, limit):
    """How many of first, first + step, ... below limit are prime."""
    return sum(1 for n in range(first, limit, step)
               if n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1)))


def work(vm, ticket, me):
    """A clone: its parameters say up to where; its ID and their number, which share."""
    limit = json.loads(vm.params())["limit"] if vm.api().features & 1 << 6 else LIMIT
    answer = {"primes": primes(me - 1, ticket.granted, limit), "random": random.random()}
    ticket.send(json.dumps(answer).encode())
    vm.exit(0)


def main():
    with vmfork.Machine() as vm, vm.ticket(CLONES) as ticket:
        if vm.api().features & 1 << 6:      # VMFORK_FEATURE_PARAMS
            ticket.set_params(json.dumps({"limit": LIMIT}).encode())
        me = ticket.clone()
        if me:
            work(vm, ticket, me)
        answers, well = [], 0
        for record in ticket:
            if isinstance(record, vmfork.Message):
                answers.append(json.loads(record.data))
            else:
                well += record.reason == "exited" and record.status == 0
        differ = len({a["random"] for a in answers}) == len(answers)
        print(f"{sum(a['primes'] for a in answers)} primes below {LIMIT}, by {well} clones,",
              "random numbers differ" if differ else "RANDOM NUMBERS ARE THE SAME")
        return 0 if well == ticket.granted and differ else 1


CLONES = int(sys.argv[1]) if len(sys.argv) > 1 else 4
LIMIT = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
if __name__ == "__main__":
    sys.exit(main())
