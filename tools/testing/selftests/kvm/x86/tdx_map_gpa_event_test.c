// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for the TD while userspace handles its TDG.VP.VMCALL<MapGPA>.  When a chunk is
 * done and others are left, KVM lets the TD take a pending event: the TD gets RETRY,
 * and in R11 the next chunk.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TEST_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)
/* Four full chunks and a short one. */
#define TEST_SIZE	(SZ_8M + SZ_4K)
#define NR_CHUNKS	5

#define MSI_VECTOR	0xa5

static u64 nr_nmis;

static void guest_nmi(struct ex_regs *regs)
{
	nr_nmis++;
}

/* Interrupts stay disabled, as they are when a TD starts. */
static void guest_code(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15)
{
	tdx_guest_enable_apic();

	for (;;) {
		tdvmcall_guest_issue(r10, r11, r12, r13, r14, r15);
		GUEST_SYNC1(nr_nmis);
	}
}

static void inject_nmi(struct kvm_vcpu *vcpu)
{
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
}

static void inject_msi(struct kvm_vcpu *vcpu)
{
	tdx_vcpu_signal_msi(vcpu, MSI_VECTOR);
}

struct event {
	const char *name;
	void (*inject)(struct kvm_vcpu *vcpu);
	u64 nmis;		/* that the TD takes for each event */
};

TDX_FIXTURE(map_gpa_event);

FIXTURE_VARIANT(map_gpa_event)
{
	struct event event;
};

FIXTURE_VARIANT_ADD(map_gpa_event, nmi) {
	.event = { .name = "nmi", .inject = inject_nmi, .nmis = 1 },
};

FIXTURE_VARIANT_ADD(map_gpa_event, msi) {
	.event = { .name = "msi", .inject = inject_msi, .nmis = 0 },
};

FIXTURE_SETUP(map_gpa_event)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	vm_install_exception_handler(self->vm, NMI_VECTOR, guest_nmi);
	tdx_map_gpa_enable_exits(self->vm);
}

static struct tdx_map_gpa_call event_call(const char *name, u64 exits, u64 ret, u64 r10, u64 r11)
{
	struct tdx_map_gpa_call call = {
		.name = name,
		.gpa = TEST_GPA,
		.size = TEST_SIZE,
		.nr_exits = exits,
		.ret = ret,
		.r10 = r10,
		.r11 = r11,
	};

	return call;
}

/* A call of which @done chunks are answered with 0 before an event stops it. */
static struct tdx_map_gpa_call stopped_call(const char *name, u64 done)
{
	return event_call(name, done, 0, TDVMCALL_STATUS_RETRY,
			  TEST_GPA + done * TDX_MAP_GPA_MAX_LEN);
}

static struct tdx_map_gpa_call whole_call(const char *name)
{
	return event_call(name, NR_CHUNKS, 0, TDVMCALL_STATUS_SUCCESS, TDVMCALL_MAP_GPA);
}

static void check_nmis(struct kvm_vcpu *vcpu, const char *name, u64 want)
{
	struct ucall uc;

	vcpu_run(vcpu);
	tdx_vcpu_get_sync(vcpu, name, &uc);
	tdx_assert_value(name, "after the", 1, "NMIs taken by the TD", want, uc.args[0]);
}

/* The event comes while userspace handles the last of the call's exits. */
static void test_event(struct kvm_vcpu *vcpu, const struct event *event,
		       const struct tdx_map_gpa_call *call)
{
	tdx_map_gpa_launch(vcpu, call);
	tdx_map_gpa_run_exits(vcpu, call);
	event->inject(vcpu);
	tdx_map_gpa_finish(vcpu, call);
	check_nmis(vcpu, event->name, event->nmis);
}

TDX_TEST_F(map_gpa_event, after_first_chunk)
{
	struct tdx_map_gpa_call call = stopped_call(variant->event.name, 1);

	test_event(self->vcpu, &variant->event, &call);
}

TDX_TEST_F(map_gpa_event, after_middle_chunk)
{
	struct tdx_map_gpa_call call = stopped_call(variant->event.name, 3);

	test_event(self->vcpu, &variant->event, &call);
}

TDX_TEST_F(map_gpa_event, before_last_chunk)
{
	struct tdx_map_gpa_call call = stopped_call(variant->event.name, NR_CHUNKS - 1);

	test_event(self->vcpu, &variant->event, &call);
}

/* Nothing is left to retry. */
TDX_TEST_F(map_gpa_event, after_last_chunk)
{
	struct tdx_map_gpa_call call = whole_call(variant->event.name);

	test_event(self->vcpu, &variant->event, &call);
}

/*
 * The TD has taken the event, or has it in its virtual APIC, which KVM does not look
 * at: the event does not stop the next call.
 */
TDX_TEST_F(map_gpa_event, stops_one_call)
{
	struct tdx_map_gpa_call first = stopped_call(variant->event.name, 1);
	struct tdx_map_gpa_call second = whole_call(variant->event.name);

	test_event(self->vcpu, &variant->event, &first);

	tdvmcall_launch(self->vcpu, variant->event.name);
	tdx_map_gpa_run_exits(self->vcpu, &second);
	tdx_map_gpa_finish(self->vcpu, &second);
	check_nmis(self->vcpu, variant->event.name, variant->event.nmis);
}

/* Each event stops the call during which it comes. */
TDX_TEST_F(map_gpa_event, stops_every_call)
{
	u64 done;

	for (done = 1; done < NR_CHUNKS; done++) {
		struct tdx_map_gpa_call call = stopped_call(variant->event.name, done);

		if (done == 1)
			tdx_map_gpa_launch(self->vcpu, &call);
		else
			tdvmcall_launch(self->vcpu, variant->event.name);

		tdx_map_gpa_run_exits(self->vcpu, &call);
		variant->event.inject(self->vcpu);
		tdx_map_gpa_finish(self->vcpu, &call);
		check_nmis(self->vcpu, variant->event.name, variant->event.nmis * done);
	}
}

/* The TD has the event that came before the call already. */
TDX_TEST_F(map_gpa_event, before_call)
{
	struct tdx_map_gpa_call call = whole_call(variant->event.name);

	tdx_map_gpa_launch(self->vcpu, &call);
	variant->event.inject(self->vcpu);
	tdx_map_gpa_run_exits(self->vcpu, &call);
	tdx_map_gpa_finish(self->vcpu, &call);
	check_nmis(self->vcpu, variant->event.name, variant->event.nmis);
}

/* The error of userspace takes precedence: R11 is the refused chunk. */
static void test_refusal(struct kvm_vcpu *vcpu, const struct event *event,
			 enum tdx_map_gpa_outcome outcome)
{
	struct tdx_map_gpa_call call = stopped_call(event->name, 2);

	call.nr_exits++;
	call.ret = tdx_map_gpa_answer(tdx_map_gpa_gen(), outcome);
	call.r10 = tdx_map_gpa_outcome_status(outcome);
	test_event(vcpu, event, &call);
}

TDX_TEST_F(map_gpa_event, with_retry)
{
	if (tdx_map_gpa_skips(TDX_MAP_GPA_RETRY))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	test_refusal(self->vcpu, &variant->event, TDX_MAP_GPA_RETRY);
}

TDX_TEST_F(map_gpa_event, with_invalid_operand)
{
	if (tdx_map_gpa_skips(TDX_MAP_GPA_INVALID))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	test_refusal(self->vcpu, &variant->event, TDX_MAP_GPA_INVALID);
}

TDX_TEST_F(map_gpa_event, with_unknown_answer)
{
	struct tdx_map_gpa_call call = stopped_call(variant->event.name, 2);

	if (tdx_map_gpa_skips(TDX_MAP_GPA_RUN_EINVAL))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	call.ret = tdx_map_gpa_answer(tdx_map_gpa_gen(), TDX_MAP_GPA_RUN_EINVAL);

	tdx_map_gpa_launch(self->vcpu, &call);
	tdx_map_gpa_run_exits(self->vcpu, &call);
	variant->event.inject(self->vcpu);
	tdx_map_gpa_run_fails(self->vcpu, &call);
}

TDX_TEST_MAIN()
