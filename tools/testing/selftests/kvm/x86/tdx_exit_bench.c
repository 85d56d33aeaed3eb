// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures what exits of a TD cost, and what exits of a plain VM cost in the same boot.
 *
 * Each row is measured with n and with 2n operations in one KVM_RUN or one loop.  The
 * difference is the cost of n operations without what comes before and after them.  A
 * line of the output is
 *
 *	# bench NAME WHO OPERATIONS TSC-TICKS
 *
 * where WHO is td, vm or host.  "calibrate host" is a loop of two instructions per
 * operation: where the TSC counts instructions, as in an emulator, it gives the number
 * of instructions in a tick.  MapGPA over a large range is reported by
 *
 *	# range BYTES EXITS TSC-TICKS KIB
 *
 * where KIB is by how much the free memory of the host has shrunk, in KiB.
 */
#include <linux/sizes.h>

#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

#define NR_SAMPLES	7

/* Above the memory of any VM here and below the shared bit. */
#define RANGE_GPA	0x1000000000ULL
#define RANGE_GVA	0x1000000000ULL
#define RANGE_SLOT	21

#define SAMPLE_EXITS	200
#define SAMPLE_CALLS	500
#define SAMPLE_FAULTS	32
#define CALIBRATE_LOOPS	100000

enum operation {
	OP_EXIT,		/* a hypercall that userspace answers */
	OP_CALL,		/* a hypercall that KVM answers */
	OP_FAULT,		/* a page that KVM has to map */
};

/* Operations of the i-th sample. */
static u64 sample_size(u64 n, unsigned int i)
{
	return i & 1 ? 2 * n : n;
}

static void td_exit(u64 i)
{
	tdvmcall_map_gpa(RANGE_GPA, SZ_4K);
}

static void td_call(u64 i)
{
	struct tdcall_regs regs = { .r11 = TDVMCALL_GET_TD_VM_CALL_INFO };

	tdvmcall(&regs);
}

static void td_fault(u64 i)
{
	tdx_guest_accept_page(RANGE_GPA + i * SZ_4K);
}

static void vm_exit(u64 i)
{
	GUEST_ASSERT_EQ(kvm_hypercall(KVM_HC_MAP_GPA_RANGE, RANGE_GPA, 1, 0, 0), 0ul);
}

static void vm_call(u64 i)
{
	GUEST_ASSERT_EQ(kvm_hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0), 0ul);
}

static void vm_fault(u64 i)
{
	READ_ONCE(*(u64 *)(RANGE_GVA + i * SZ_4K));
}

static void guest_loop(void (*operation)(u64 i), u64 n)
{
	unsigned int sample;
	u64 i, done = 0;

	for (sample = 0; ; sample++) {
		GUEST_SYNC(sample);
		for (i = 0; i < sample_size(n, sample); i++)
			operation(done++);
	}
}

static void td_code(u64 operation, u64 n)
{
	static void (* const operations[])(u64 i) = { td_exit, td_call, td_fault };

	guest_loop(operations[operation], n);
}

static void vm_code(u64 operation, u64 n)
{
	static void (* const operations[])(u64 i) = { vm_exit, vm_call, vm_fault };

	guest_loop(operations[operation], n);
}

static const struct bench {
	const char *name;
	enum operation operation;
	u64 n;
} benches[] = {
	{ "hypercall_exit",	OP_EXIT,  SAMPLE_EXITS },
	{ "hypercall_in_kvm",	OP_CALL,  SAMPLE_CALLS },
	{ "page_fault",		OP_FAULT, SAMPLE_FAULTS },
};

/* Pages for all samples, and for the one that has begun when the last one ends. */
static u64 nr_pages(const struct bench *bench)
{
	return (NR_SAMPLES + 3) * 2 * bench->n;
}

static void add_memory(struct kvm_vm *vm, const struct bench *bench)
{
	const bool td = is_tdx_vm(vm);
	u64 pages = nr_pages(bench);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RANGE_GPA, RANGE_SLOT,
				    pages, td ? KVM_MEM_GUEST_MEMFD : 0);
	if (!td)
		virt_map(vm, RANGE_GVA, RANGE_GPA, pages);
}

/*
 * Switch posted interrupts off: a side effect of this option.  Bochs wants the
 * descriptor in a page of its own and otherwise refuses to enter the VM.  Compared to a
 * TD, whose interrupts are posted, this can only make the VM cheaper.
 */
static void disable_apicv(struct kvm_vcpu *vcpu)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_BLOCKIRQ,
	};

	vcpu_guest_debug_set(vcpu, &debug);
}

static struct kvm_vm *create(const struct bench *bench, bool td, struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm;

	if (td) {
		vm = tdx_vm_create(1);
		*vcpu = tdx_vcpu_add(vm, 0, td_code);
		tdx_vcpu_args_set(*vcpu, 2, (u64)bench->operation, bench->n);
	} else {
		vm = vm_create_with_one_vcpu(vcpu, vm_code);
		vcpu_args_set(*vcpu, 2, (u64)bench->operation, bench->n);
		disable_apicv(*vcpu);
	}

	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	if (bench->operation == OP_FAULT)
		add_memory(vm, bench);
	if (td)
		tdx_vm_finalize(vm);
	return vm;
}

/* Run to the guest's next ucall; gives the number of hypercall exits before it. */
static u64 run_sample(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 exits = 0;

	for (;;) {
		vcpu_run(vcpu);
		if (run->exit_reason != KVM_EXIT_HYPERCALL)
			break;
		run->hypercall.ret = 0;
		exits++;
	}
	return exits;
}

static void expect_sync(struct kvm_vcpu *vcpu, u64 sample)
{
	struct ucall uc;

	TEST_ASSERT(get_ucall(vcpu, &uc) == UCALL_SYNC && uc.args[1] == sample,
		    "wanted UCALL_SYNC %lu, got ucall %lu, %s", sample, uc.cmd,
		    exit_reason_str(vcpu->run->exit_reason));
}

static void measure(const struct bench *bench, bool td)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(bench, td, &vcpu);
	u64 ticks[2], start, exits;
	unsigned int i;

	run_sample(vcpu);
	expect_sync(vcpu, 0);

	/* The first two samples do not count: the caches are cold. */
	for (i = 0; i < NR_SAMPLES + 2; i++) {
		const u64 size = sample_size(bench->n, i);

		start = rdtsc();
		exits = run_sample(vcpu);
		ticks[i & 1] = rdtsc() - start;

		expect_sync(vcpu, i + 1);
		TEST_ASSERT(exits == (bench->operation == OP_EXIT ? size : 0),
			    "%s: wanted %lu exits, got %lu", bench->name, size, exits);
		if (i > 2)
			ksft_print_msg("bench %s %s %lu %ld\n", bench->name,
				       td ? "td" : "vm", bench->n,
				       (long)(ticks[1] - ticks[0]));
	}

	kvm_vm_free(vm);
}

/* Powers of 8 from one chunk on, up to 4 TiB. */
#define FIRST_RANGE	TDX_MAP_GPA_MAX_LEN
#define LAST_RANGE	(4ULL << 40)

static void td_ranges(void)
{
	u64 size;

	for (size = FIRST_RANGE; size <= LAST_RANGE; size *= 8) {
		GUEST_SYNC(size);
		tdvmcall_map_gpa(TDX_SHARED_BIT, size);
	}

	GUEST_SYNC(0);
}

/* Free memory of the host, in KiB. */
static long free_memory(void)
{
	char line[128];
	long kib = -1;
	FILE *f;

	f = fopen("/proc/meminfo", "r");
	TEST_ASSERT(f, "Cannot open /proc/meminfo");
	while (kib < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemFree: %ld kB", &kib) != 1)
			kib = -1;
	}
	fclose(f);
	TEST_ASSERT(kib >= 0, "No MemFree in /proc/meminfo");
	return kib;
}

static void measure_ranges(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_vm_create(1);
	u64 size, start, ticks, exits;
	long memory;

	vcpu = tdx_vcpu_add(vm, 0, td_ranges);
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	tdx_vm_finalize(vm);
	run_sample(vcpu);

	for (size = FIRST_RANGE; size <= LAST_RANGE; size *= 8) {
		expect_sync(vcpu, size);
		memory = free_memory();
		start = rdtsc();
		exits = run_sample(vcpu);
		ticks = rdtsc() - start;
		ksft_print_msg("range %lu %lu %lu %ld\n", size, exits, ticks,
			       memory - free_memory());
		TEST_ASSERT(exits == size / TDX_MAP_GPA_MAX_LEN,
			    "wanted %llu exits, got %lu", size / TDX_MAP_GPA_MAX_LEN,
			    exits);
	}

	expect_sync(vcpu, 0);
	kvm_vm_free(vm);
}

/* A loop of 2 * @n instructions. */
static void calibrate_loop(u64 n)
{
	asm volatile("1:	dec	%0\n\t"
		     "jnz	1b" : "+r"(n) : : "cc");
}

static void measure_calibration(void)
{
	u64 start, ticks[2];
	unsigned int i, j;

	for (i = 0; i < NR_SAMPLES; i++) {
		for (j = 0; j < 2; j++) {
			start = rdtsc();
			calibrate_loop(sample_size(CALIBRATE_LOOPS, j));
			ticks[j] = rdtsc() - start;
		}
		ksft_print_msg("bench calibrate host %d %ld\n", CALIBRATE_LOOPS,
			       (long)(ticks[1] - ticks[0]));
	}
}

/* The simulated TDX module offers this file.  A real one does not. */
#define SEAMCALL_COST	"/sys/kernel/debug/tdx_sim/seamcall_cost"

static void measure_seamcall(void)
{
	unsigned long calls, ticks;
	unsigned int i;
	FILE *f;

	for (i = 0; i < NR_SAMPLES; i++) {
		f = fopen(SEAMCALL_COST, "r");
		if (!f) {
			ksft_test_result_skip("seamcall # the module does not tell\n");
			return;
		}
		TEST_ASSERT(fscanf(f, "%lu %lu", &calls, &ticks) == 2,
			    "wanted calls and ticks in " SEAMCALL_COST);
		fclose(f);
		ksft_print_msg("bench seamcall td %lu %lu\n", calls, ticks);
	}
	ksft_test_result_pass("seamcall\n");
}

int main(int argc, char **argv)
{
	unsigned int i;

	ksft_print_header();
	__TEST_REQUIRE(is_tdx_supported(), TDX_SKIP_REASON);
	ksft_set_plan(ARRAY_SIZE(benches) + 3);

	measure_calibration();
	ksft_test_result_pass("calibrate\n");

	for (i = 0; i < ARRAY_SIZE(benches); i++) {
		measure(&benches[i], false);
		measure(&benches[i], true);
		ksft_test_result_pass("%s\n", benches[i].name);
	}

	measure_seamcall();
	measure_ranges();
	ksft_test_result_pass("map_gpa_range\n");

	ksft_finished();
}
