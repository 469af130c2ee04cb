# All targets are safe to repeat, and to interrupt.

# Not PYTHON: who sets that for tools/setup.sh would get ours instead.
OURS = .venv/bin/python
RUFF = .venv/bin/ruff

# Debian's haproxy, ip and nft are where an ordinary user's PATH does not lead.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: help demo test check bench clean venv

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:  ## a load balancer that carries traffic, step by step; ONESHOT=1 ends after the tour
	@tools/setup.sh demo
	@ONESHOT=$(ONESHOT) $(OURS) -m tools.demo

test:  ## the whole test suite; says what was skipped, and why
	@tools/setup.sh test
	@tools/apart.sh $(OURS) -m pytest -q $(ARGS)

check:  ## linters, types, contracts between rooms, release notes
	@tools/setup.sh check
	@echo "==> ruff"
	@$(RUFF) check --quiet .
	@$(RUFF) format --check --quiet .
	@echo "==> mypy"
	@$(OURS) -m mypy
	@echo "==> contracts between rooms"
	@$(OURS) -m tools.contracts
	@echo "==> release notes"
	@.venv/bin/reno -q lint

bench:  ## measure what is claimed about speed; results go to benchmarks/results/
	@tools/setup.sh bench
	@$(OURS) -m benchmarks $(ARGS)

venv:  ## only install what everything else needs
	@tools/setup.sh venv

clean:  ## remove what the other targets left in this folder
	@tools/clean.sh
