# SPDX-License-Identifier: GPL-2.0-only
#
#	make run	build a kernel, boot it in an emulator, run the TDX selftests
#	make check	the project's own tests, then the same
#	make build	only build
#
# Choices, all optional:
#	KERNEL=7.2	a packaged kernel series (default: the newest)
#	KDIR=~/linux	a kernel tree of your own, 6.16 or later; never written to
#	TESTS="a_test b_test:case*"	tests, or cases of one (default: all)
#	CPUS=2		CPUs of the guest
#	MIRROR=URI	the Debian mirror (default: the one that the system's apt names)
#	BUILD=DIR	where everything is built (default: build)
#	V=1		print the guest's whole console

TDXTEST = python3 tools/testing/tdxtest/tdxtest.py

BUILD_OPTIONS = $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(KDIR),--kdir '$(KDIR)') \
	$(if $(MIRROR),--mirror '$(MIRROR)') $(if $(BUILD),--build '$(BUILD)')
BOOT_OPTIONS = $(if $(CPUS),--cpus '$(CPUS)') $(if $(V),--verbose)

.PHONY: run check build python3 clean

run: python3
	@$(TDXTEST) run $(BUILD_OPTIONS) $(BOOT_OPTIONS) $(foreach t,$(TESTS),'$(t)')

check: python3
	@$(TDXTEST) check $(BUILD_OPTIONS) $(BOOT_OPTIONS)

build: python3
	@$(TDXTEST) build $(BUILD_OPTIONS)

# The tool installs whatever else is missing; it needs this to start.
python3:
	@command -v python3 >/dev/null || { \
		echo 'apt: will install python3 (runs the tool)'; \
		root=; [ "$$(id -u)" = 0 ] || root=sudo; \
		$$root apt-get update -q && \
		$$root apt-get install -q -y --no-install-recommends python3; \
	} || { echo 'python3 is missing and could not be installed' >&2; exit 125; }

clean:
	rm -rf $(or $(BUILD),build)/run $(or $(BUILD),build)/kernels
