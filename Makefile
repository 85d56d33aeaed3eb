# SPDX-License-Identifier: GPL-2.0-only
#
#	make run	fetch a kernel, build it, boot it, run the TDX selftests
#	make check	the project's own checks, then the same
#	make check-long	the checks that take many minutes
#	make build	fetch and build only
#	make install	install the suite in the layout of kselftest
#	make package	a kselftest tarball and a boot image, in build/package/
#	make clean	remove kernels and consoles; downloads stay
#	make help	print this
#
# Variables say what to build and run, as in "make run KERNEL=7.2 TESTS=tdx_io_test".
# Documentation/dev-tools/tdxtest.rst explains them and the exit status.

TDXTEST = python3 tools/testing/tdxtest/tdxtest.py

BUILD_OPTIONS = $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(KDIR),--kdir '$(KDIR)') \
	$(foreach p,$(PATCHES),--patch '$(p)') $(if $(ABI),--abi '$(ABI)') \
	$(if $(DEBUG),--debug) $(if $(MIRROR),--mirror '$(MIRROR)') $(if $(BUILD),--build '$(BUILD)')
BOOT_OPTIONS = $(if $(CPUS),--cpus '$(CPUS)') $(if $(JOBS),--jobs '$(JOBS)') $(if $(V),--verbose) \
	$(if $(TRACE),--trace)

.PHONY: run check check-long build install package clean help python3 run-tool check-tool \
	long-tool
.NOTPARALLEL:

# make ends with 2 if a recipe fails, for any reason.  A failed test must end with 1.
# In question mode make ends with 1 if a target needs to be made.  That target is a
# file that only a passed run creates.
PASSED = $(or $(BUILD),build)/passed
ifneq ($(filter run check check-long,$(or $(MAKECMDGOALS),run)),)
MAKEFLAGS += --question
endif

# A recipe that runs in question mode also runs in a dry run, which must only print it.
DRY_RUN = $(findstring n,$(filter-out --%,$(firstword $(MAKEFLAGS))))

# The makes of the kernel must not inherit the question mode, so $(1) runs without it.
judge = +@$(if $(DRY_RUN),echo $(TDXTEST) $(1); exit 0;) mkdir -p $(dir $(PASSED)); rm -f $(PASSED); \
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(TDXTEST) $(1); s=$$?; \
	[ $$s != 0 ] || touch $(PASSED); [ $$s -le 1 ] || exit $$s

run: python3 run-tool $(PASSED)

check: python3 check-tool $(PASSED)

check-long: python3 long-tool $(PASSED)

run-tool:
	$(call judge,run $(BUILD_OPTIONS) $(BOOT_OPTIONS) $(if $(EXPECT),--expect '$(EXPECT)') \
		$(foreach e,$(ENV),--env '$(e)') \
		$(foreach t,$(TESTS),'$(t)'))

check-tool:
	$(call judge,check $(BUILD_OPTIONS) $(BOOT_OPTIONS))

long-tool:
	$(call judge,check-long $(BUILD_OPTIONS) $(BOOT_OPTIONS))

$(PASSED):
	@false

build: python3
	@$(TDXTEST) build $(BUILD_OPTIONS)

install: python3
	@$(TDXTEST) package $(BUILD_OPTIONS) --install '$(or $(INSTALL),$(or $(BUILD),build)/install)'

package: python3
	@$(TDXTEST) package $(BUILD_OPTIONS)

# The tool needs python3 to start, and installs everything else that is missing.
python3:
	+@command -v python3 >/dev/null || { \
		echo 'apt: will install python3 (runs the tool)'; \
		root=; [ "$$(id -u)" = 0 ] || root=sudo; \
		$$root apt-get update -q && \
		$$root apt-get install -q -y --no-install-recommends python3; \
	} || { echo 'python3 is missing and could not be installed' >&2; exit 125; }

clean:
	rm -rf $(or $(BUILD),build)/run $(or $(BUILD),build)/kernels

help:
	@sed -n '3,/^$$/s/^#[ \t]\{0,1\}//p' $(firstword $(MAKEFILE_LIST))
