# SPDX-License-Identifier: GPL-2.0-only
#
#	make run	build a kernel, boot it in an emulator, run the TDX selftests
#	make check	the project's own tests, then the same
#	make check-long	the checks that take longer than a person waits
#	make build	only build
#	make install	install the suite in the layout of kselftest (INSTALL=DIR)
#	make package	a kselftest tarball and a boot image, in build/package/
#
# Choices, all optional:
#	KERNEL=7.2	a packaged kernel series (default: the newest)
#	KDIR=~/linux	a kernel tree of your own, 6.16 or later; never written to
#	TESTS="a_test b_test:case*"	tests, or cases of one (default: all)
#	ABI=legacy	generation of the MapGPA ABI: legacy, posted, merged, fixed, or
#			all (default: that of the kernel)
#	EXPECT=merged	expect another generation than the one that is built
#	PATCHES="fixes/..."	patches of patches/series that are not applied by themselves
#	DEBUG=1		a kernel that checks itself: KASAN, lockdep, UBSAN and more
#	ENV="NAME=VALUE"	environment of the tests, for cases that run on request only
#	CPUS=2		CPUs of the guest
#	JOBS=1		guests that share the tests and run side by side (default: one for
#			each CPU of this machine)
#	MIRROR=URI	the Debian mirror (default: the one that the system's apt names)
#	INSTALL=DIR	where make install puts the tests (default: build/install)
#	BUILD=DIR	where everything is built (default: build)
#	TRACE=1		trace SEAMCALLs and exits; a failed test prints the last ones; with a
#			kernel that is built apart
#	V=1		print the guest's whole console
#
# run and check end with 0 if all passed, 1 if a test failed or the kernel
# warned, 2 if there is no result; tdxtest.py tells bad usage from a failed build.

TDXTEST = python3 tools/testing/tdxtest/tdxtest.py

BUILD_OPTIONS = $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(KDIR),--kdir '$(KDIR)') \
	$(foreach p,$(PATCHES),--patch '$(p)') $(if $(ABI),--abi '$(ABI)') \
	$(if $(DEBUG),--debug) $(if $(MIRROR),--mirror '$(MIRROR)') $(if $(BUILD),--build '$(BUILD)')
BOOT_OPTIONS = $(if $(CPUS),--cpus '$(CPUS)') $(if $(JOBS),--jobs '$(JOBS)') $(if $(V),--verbose) \
	$(if $(TRACE),--trace)

.PHONY: run check check-long build install package python3 clean run-tool check-tool long-tool
.NOTPARALLEL:

# make ends with 2 for whatever went wrong in a recipe.  A test that failed is to
# be told from that: in question mode make ends with 1 for a target that would
# have to be made, which is the file that only a passed run leaves behind.
PASSED = $(or $(BUILD),build)/passed
ifneq ($(filter run check check-long,$(or $(MAKECMDGOALS),run)),)
MAKEFLAGS += --question
endif

# A recipe that is run in question mode is run in a dry run as well.
DRY_RUN = $(findstring n,$(filter-out --%,$(firstword $(MAKEFLAGS))))

# The kernel's makes are not to inherit the question: $(1) runs without.
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

# The tool installs whatever else is missing; it needs this to start.
python3:
	+@command -v python3 >/dev/null || { \
		echo 'apt: will install python3 (runs the tool)'; \
		root=; [ "$$(id -u)" = 0 ] || root=sudo; \
		$$root apt-get update -q && \
		$$root apt-get install -q -y --no-install-recommends python3; \
	} || { echo 'python3 is missing and could not be installed' >&2; exit 125; }

clean:
	rm -rf $(or $(BUILD),build)/run $(or $(BUILD),build)/kernels
