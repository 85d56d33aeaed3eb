# SPDX-License-Identifier: GPL-2.0-only
#
#	make run	fetch a kernel, build it, boot it, run the TDX selftests
#	make watch	run again whenever a source file changes
#	make td		boot a real Linux TD under QEMU on the kernel under test
#	make check	the project's own checks, then a run of the suite
#	make check-long	the checks that take many minutes
#	make build	fetch and build only
#	make install	install the suite in the layout of kselftest
#	make package	a kselftest tarball and a boot image, in build/package/
#	make clean	remove kernels and consoles; downloads stay
#	make help	print this
#
# Variables say what to build and run: make run KERNEL=7.2 TESTS=tdx_io_test
# Documentation/dev-tools/tdxtest.rst lists them and the exit status.

TDXTEST = python3 tools/testing/tdxtest/tdxtest.py

# A word of the shell, whatever is in it; and an option with the value of a variable.
quote = '$(subst ','\'',$(1))'
option = $(if $($(1)),--$(2) $(call quote,$($(1))))
# The shell leaves this to us: it stands in quotes there.
BUILD_FOLDER = $(patsubst ~/%,$(HOME)/%,$(BUILD))

BUILD_OPTIONS = $(call option,KERNEL,kernel) $(call option,KDIR,kdir) \
	$(foreach p,$(PATCHES),--patch $(call quote,$(p))) $(call option,ABI,abi) \
	$(call option,CONFIG,config) $(call option,LIBRARY,library) \
	$(if $(DEBUG),--debug) $(call option,MIRROR,mirror) $(call option,BUILD_FOLDER,build)
ONE_BOOT_OPTIONS = $(call option,CPUS,cpus) $(if $(V),--verbose) $(if $(TRACE),--trace)
BOOT_OPTIONS = $(ONE_BOOT_OPTIONS) $(call option,JOBS,jobs)
TD_OPTIONS = $(call option,SMP,smp) $(call option,MEMORY,memory) \
	$(foreach e,$(END),--end $(call quote,$(e))) \
	$(call option,GUEST_KERNEL,guest-kernel) $(call option,GUEST_INITRD,guest-initrd) \
	$(call option,GUEST_APPEND,guest-append) $(call option,FIRMWARE,firmware)

RUN_OPTIONS = $(BUILD_OPTIONS) $(BOOT_OPTIONS) $(call option,EXPECT,expect) \
	$(call option,REPEAT,repeat) $(if $(STRICT),--strict) \
	$(foreach e,$(ENV),--env $(call quote,$(e))) \
	$(foreach t,$(TESTS),$(call quote,$(t)))

.PHONY: run watch td check check-long build install package clean help python3 run-tool td-tool \
	check-tool long-tool
.NOTPARALLEL:

# make ends with 2 if a recipe fails, for any reason.  A failed test must end with 1.
# In question mode make ends with 1 if a target needs to be made.  That target is a
# file that only a passed run creates.
PASSED_FILE = $(or $(BUILD_FOLDER),build)/passed
# The tool refuses a folder whose name would be several targets, or a rule, here.
PASSED = $(if $(or $(word 2,$(BUILD_FOLDER)),$(findstring :,$(BUILD_FOLDER)),\
	$(findstring %,$(BUILD_FOLDER))),no/passed,$(PASSED_FILE))
ifneq ($(filter run td check check-long,$(or $(MAKECMDGOALS),run)),)
MAKEFLAGS += --question
endif

# A recipe that runs in question mode also runs in a dry run, which must only print it.
DRY_RUN = $(findstring n,$(filter-out --%,$(firstword $(MAKEFLAGS))))

# The makes of the kernel must not inherit the question mode, so $(1) runs without it.
judge = +@$(if $(DRY_RUN),echo $(TDXTEST) $(1); exit 0;) rm -f $(call quote,$(PASSED_FILE)); \
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(TDXTEST) $(1); s=$$?; \
	[ $$s != 0 ] || touch $(call quote,$(PASSED_FILE)); [ $$s -le 1 ] || exit $$s

run: python3 run-tool $(PASSED)

watch: python3
	@$(TDXTEST) run --watch $(RUN_OPTIONS)

td: python3 td-tool $(PASSED)

check: python3 check-tool $(PASSED)

check-long: python3 long-tool $(PASSED)

run-tool:
	$(call judge,run $(RUN_OPTIONS))

td-tool:
	$(call judge,td $(BUILD_OPTIONS) $(ONE_BOOT_OPTIONS) $(TD_OPTIONS))

check-tool:
	$(call judge,check $(BUILD_OPTIONS) $(BOOT_OPTIONS))

long-tool:
	$(call judge,check-long $(BUILD_OPTIONS) $(BOOT_OPTIONS))

$(PASSED):
	@false

build: python3
	@$(TDXTEST) build $(BUILD_OPTIONS)

install: python3
	@$(TDXTEST) package $(BUILD_OPTIONS) --install \
		$(call quote,$(or $(patsubst ~/%,$(HOME)/%,$(INSTALL)),$(or $(BUILD_FOLDER),build)/install))

package: python3
	@$(TDXTEST) package $(BUILD_OPTIONS)

# The tool needs python3 to start, and installs everything else that is missing.
python3:
	+@$(if $(DRY_RUN),:,sh tools/testing/tdxtest/python3.sh)

clean:
	cd $(call quote,$(or $(BUILD_FOLDER),build)) && rm -rf run kernels

help:
	@sed -n '3,/^$$/s/^#[ \t]\{0,1\}//p' $(firstword $(MAKEFILE_LIST))
