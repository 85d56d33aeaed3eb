// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands of KVM_TDX_INIT_MEM_REGION that KVM must refuse, the order in which it
 * checks them, and the progress that it reports.  After each refusal the TD is built
 * and runs to its end.
 */
#include <signal.h>
#include <sys/time.h>

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cmd.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Two pages to add, below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA		0x1234600000ULL
#define TEST_SLOT		21
#define TEST_PAGES		2
/* A slot without guest_memfd, and a GPA without a slot. */
#define SHARED_GPA		0x1234700000ULL
#define SHARED_SLOT		22
#define NO_SLOT_GPA		0x1234800000ULL

/* Enough pages for signals to come while KVM adds them. */
#define MANY_GPA		0x1235000000ULL
#define MANY_SLOT		23
#define MANY_PAGES		1024
#define SIGNAL_PERIOD_US	500

static void guest_code(void)
{
	GUEST_DONE();
}

struct init_mem_region {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_tdx_cmd cmd;
	struct tdx_cmd_buffer buffer;	/* its operand */
};

static struct kvm_tdx_init_mem_region *region(struct init_mem_region *init)
{
	return init->buffer.data;
}

static void set_good_operand(struct init_mem_region *init)
{
	const struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)addr_gpa2hva(init->vm, TEST_GPA),
		.gpa = TEST_GPA,
		.nr_pages = TEST_PAGES,
	};

	tdx_mem_set_private(init->vm, TEST_GPA, TEST_PAGES * SZ_4K);
	tdx_cmd_buffer_set(&init->buffer, &region, sizeof(region));
	init->cmd = (struct kvm_tdx_cmd) {
		.id = KVM_TDX_INIT_MEM_REGION,
		.data = (u64)init->buffer.data,
	};
}

static void setup(struct init_mem_region *init)
{
	init->vm = tdx_vm_create(1);
	vm_userspace_mem_region_add(init->vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT,
				    TEST_PAGES, KVM_MEM_GUEST_MEMFD);
	vm_userspace_mem_region_add(init->vm, VM_MEM_SRC_ANONYMOUS, SHARED_GPA, SHARED_SLOT,
				    1, 0);
	init->vcpu = tdx_vcpu_add(init->vm, 0, guest_code);
	set_good_operand(init);
}

/* The TD is in the same state as if nothing had been refused. */
static void finish(struct init_mem_region *init)
{
	struct ucall uc;

	tdx_vm_finalize(init->vm);
	tdx_vcpu_run_to_ucall(init->vcpu, UCALL_DONE, &uc);
}

FIXTURE(refused)
{
	struct init_mem_region init;
};

FIXTURE_VARIANT(refused)
{
	void (*spoil)(struct init_mem_region *init);
	struct tdx_cmd_refusal refusal;
};

static void source_unaligned(struct init_mem_region *init)
{
	region(init)->source_addr += SZ_2K;
}

static void source_unmapped(struct init_mem_region *init)
{
	region(init)->source_addr = (u64)tdx_cmd_buffer_end(&init->buffer);
}

static void gpa_unaligned(struct init_mem_region *init)
{
	region(init)->gpa += SZ_2K;
}

static void no_pages(struct init_mem_region *init)
{
	region(init)->nr_pages = 0;
}

/* The last page ends at 2^64.  With one more page the end overflows. */
static void size_overflows(struct init_mem_region *init)
{
	region(init)->nr_pages = 0 - region(init)->gpa / SZ_4K;
}

static void nr_pages_max(struct init_mem_region *init)
{
	region(init)->nr_pages = ~0ull;
}

static void gpa_shared(struct init_mem_region *init)
{
	region(init)->gpa |= TDX_SHARED_BIT;
}

static void end_shared(struct init_mem_region *init)
{
	region(init)->gpa = TDX_SHARED_BIT - SZ_4K;
}

static void gpa_without_slot(struct init_mem_region *init)
{
	region(init)->gpa = NO_SLOT_GPA;
}

static void gpa_without_guest_memfd(struct init_mem_region *init)
{
	region(init)->gpa = SHARED_GPA;
}

/* The attributes say shared, although guest_memfd has memory for it. */
static void gpa_not_private(struct init_mem_region *init)
{
	tdx_mem_set_shared(init->vm, TEST_GPA, SZ_4K);
}

/* An operand that breaks two rules shows which one is checked first. */
static void source_unaligned_and_unmapped(struct init_mem_region *init)
{
	source_unmapped(init);
	source_unaligned(init);
}

static void no_slot_and_source_unmapped(struct init_mem_region *init)
{
	gpa_without_slot(init);
	source_unmapped(init);
}

static void not_private_and_source_unmapped(struct init_mem_region *init)
{
	gpa_not_private(init);
	source_unmapped(init);
}

/* Faults of the command itself.  Bit 0 of the flags is legal. */
FIXTURE_VARIANT_ADD(refused, flags_bit_1) {
	.refusal = { .flags = BIT(1), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(refused, flags_bit_31) {
	.refusal = { .flags = BIT(31), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(refused, hw_error) {
	.refusal = { .given = 1, .error = EINVAL },
};

FIXTURE_VARIANT_ADD(refused, no_operand) {
	.refusal = { .no_operand = true, .error = EFAULT },
};

FIXTURE_VARIANT_ADD(refused, flags_without_operand) {
	.refusal = { .flags = BIT(1), .no_operand = true, .error = EINVAL },
};

#define REFUSED(_spoil, _error)						\
	FIXTURE_VARIANT_ADD(refused, _spoil) {				\
		.spoil = _spoil, .refusal = { .error = _error },	\
	}

REFUSED(source_unaligned, EINVAL);
REFUSED(source_unmapped, EFAULT);
REFUSED(gpa_unaligned, EINVAL);
REFUSED(no_pages, EINVAL);
REFUSED(size_overflows, EINVAL);
REFUSED(nr_pages_max, EINVAL);
REFUSED(gpa_shared, EINVAL);
REFUSED(end_shared, EINVAL);
REFUSED(gpa_without_slot, EINVAL);
REFUSED(gpa_without_guest_memfd, EINVAL);
REFUSED(gpa_not_private, EINVAL);
REFUSED(source_unaligned_and_unmapped, EINVAL);
REFUSED(no_slot_and_source_unmapped, EINVAL);
REFUSED(not_private_and_source_unmapped, EFAULT);

FIXTURE_SETUP(refused)
{
	setup(&self->init);
}

FIXTURE_TEARDOWN(refused)
{
	kvm_vm_free(self->init.vm);
}

TDX_TEST_F(refused, then_carried_out)
{
	struct init_mem_region *init = &self->init;

	if (variant->spoil)
		variant->spoil(init);
	tdx_cmd_refused(init->vcpu->fd, &init->cmd, &variant->refusal);

	set_good_operand(init);
	tdx_cmd_carried_out(init->vcpu->fd, &init->cmd);
	finish(init);
}

/* KVM advances the region by what it has added, however the command ends. */
FIXTURE(region)
{
	struct init_mem_region init;
};

FIXTURE_SETUP(region)
{
	setup(&self->init);
}

FIXTURE_TEARDOWN(region)
{
	kvm_vm_free(self->init.vm);
}

static void check_region(struct init_mem_region *init, u64 done, u64 left)
{
	const u64 source = (u64)addr_gpa2hva(init->vm, TEST_GPA);
	const char *name = "KVM_TDX_INIT_MEM_REGION";

	tdx_assert_value(name, "pages done", done, "source_addr", source + done * SZ_4K,
			 region(init)->source_addr);
	tdx_assert_value(name, "pages done", done, "gpa", TEST_GPA + done * SZ_4K,
			 region(init)->gpa);
	tdx_assert_value(name, "pages done", done, "nr_pages", left,
			 region(init)->nr_pages);
}

TDX_TEST_F(region, measured)
{
	self->init.cmd.flags = KVM_TDX_MEASURE_MEMORY_REGION;
	tdx_cmd_carried_out(self->init.vcpu->fd, &self->init.cmd);
	check_region(&self->init, TEST_PAGES, 0);
	finish(&self->init);
}

/* The pages up to the end of the slot are added. */
TDX_TEST_F(region, beyond_slot)
{
	const struct tdx_cmd_refusal no_slot = { .error = EINVAL };

	region(&self->init)->nr_pages = TEST_PAGES + 1;
	tdx_cmd_refused(self->init.vcpu->fd, &self->init.cmd, &no_slot);
	check_region(&self->init, TEST_PAGES, 1);
	finish(&self->init);
}

TDX_TEST_F(region, page_twice)
{
	const struct tdx_cmd_refusal there_already = { .error = EIO };

	tdx_cmd_carried_out(self->init.vcpu->fd, &self->init.cmd);
	set_good_operand(&self->init);
	tdx_cmd_refused(self->init.vcpu->fd, &self->init.cmd, &there_already);
	check_region(&self->init, 0, TEST_PAGES);
	finish(&self->init);
}

static void handle_signal(int sig)
{
}

static void set_signal_period(suseconds_t period)
{
	const struct itimerval timer = {
		.it_value.tv_usec = period,
		.it_interval.tv_usec = period,
	};

	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/*
 * A signal ends the command between two pages.  When it is repeated it goes on there:
 * no page is left out, and none is added twice, which would be an error.
 */
TDX_TEST_F(region, interrupted)
{
	struct init_mem_region *init = &self->init;
	const struct sigaction action = { .sa_handler = handle_signal };
	struct kvm_tdx_init_mem_region many = { .gpa = MANY_GPA, .nr_pages = MANY_PAGES };
	u64 source, done = 0, before, nr_signals = 0, period = SIGNAL_PERIOD_US;
	int r, error;

	vm_userspace_mem_region_add(init->vm, VM_MEM_SRC_ANONYMOUS, MANY_GPA, MANY_SLOT,
				    MANY_PAGES, KVM_MEM_GUEST_MEMFD);
	tdx_mem_set_private(init->vm, MANY_GPA, MANY_PAGES * SZ_4K);
	source = (u64)addr_gpa2hva(init->vm, MANY_GPA);
	many.source_addr = source;
	init->cmd.data = (u64)&many;

	TEST_ASSERT_EQ(sigaction(SIGALRM, &action, NULL), 0);
	set_signal_period(period);

	do {
		before = done;
		r = ioctl(init->vcpu->fd, KVM_MEMORY_ENCRYPT_OP, &init->cmd);
		error = errno;
		done = MANY_PAGES - many.nr_pages;

		TEST_ASSERT(!r || (r == -1 && error == EINTR),
			    "after %lu pages: wanted success or EINTR, got %s", done,
			    strerror(error));
		tdx_assert_value("interrupted", "pages done", done, "gpa",
				 MANY_GPA + done * SZ_4K, many.gpa);
		tdx_assert_value("interrupted", "pages done", done, "source_addr",
				 source + done * SZ_4K, many.source_addr);

		nr_signals += !!r;
		/* A slow machine may need all of its time slice to get there. */
		if (r && done == before)
			set_signal_period(period *= 2);
	} while (r);

	set_signal_period(0);
	tdx_assert_value("interrupted", "pages", MANY_PAGES, "done", MANY_PAGES, done);
	TEST_ASSERT(nr_signals, "no signal ended the command");
	finish(init);
}

/*
 * A KVM that takes the attributes of a guest_memfd's memory may add a page without a source
 * as it is, which is a change of its own.  Others have nothing to copy.
 */
TDX_TEST_F(region, no_source)
{
	const int error = tdx_kvm_lacks(TDX_KVM_NO_SOURCE_EINVAL) ? EOPNOTSUPP : EINVAL;
	const bool may_add = tdx_mem_has_memfd_attributes(self->init.vm);
	int r;

	region(&self->init)->source_addr = 0;
	r = ioctl(self->init.vcpu->fd, KVM_MEMORY_ENCRYPT_OP, &self->init.cmd);
	if (may_add && !r) {
		tdx_assert_value("no source", "pages", TEST_PAGES, "pages left", 0,
				 region(&self->init)->nr_pages);
	} else {
		TEST_ASSERT(r == -1 && errno == error, "wanted %s, got %s", strerror(error),
			    r ? strerror(errno) : "success");
		tdx_assert_value("no source", "pages", TEST_PAGES, "pages left", TEST_PAGES,
				 region(&self->init)->nr_pages);
	}
	tdx_assert_value("no source", "pages", TEST_PAGES, "source_addr", 0,
			 region(&self->init)->source_addr);
	finish(&self->init);
}

TDX_TEST_MAIN()
