// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to an ioctl of a TD between the moment at which KVM looks and the moment
 * at which it acts.  KVM is stopped inside of each of its copies from and to userspace.
 * Meanwhile an operand that it has read changes, or another thread issues another ioctl,
 * punches a hole or closes a file.  Two tables say which locks KVM holds at each stop and
 * which ones each operation takes.  So each pair of the two has one of two outcomes: the
 * operation waits, and takes effect after the ioctl; or it goes on, and takes effect
 * before.  A model of the TD says how both end.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_ops.h"
#include "tdx/tdx_stop.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_thread.h"
#include "tdx/tdx_util.h"

/* Milliseconds in which even an emulated CPU gets to a stop, or to the end of an ioctl. */
#define PATIENCE_MS	20000

/* Objects at whose memory KVM stops. */
enum area {
	CMD,
	DATA,
	SOURCE,			/* page for KVM_TDX_INIT_MEM_REGION */
	NR_AREAS,
};

/* The guest_memfd at a stop of KVM_TDX_INIT_MEM_REGION. */
enum memfd {
	MEMFD_LATER,		/* KVM has not looked for it yet */
	MEMFD_HELD,		/* KVM has it: to close it is not its end */
	MEMFD_USED,
};

struct stop {
	enum tdx_op_id id;
	enum area area;
	size_t split;		/* bytes of the object that are in the first page */
	unsigned int page;
	enum tdx_stop_access access;
	u32 held;		/* TDX_LOCK_* */
	enum memfd memfd;
	bool unread;		/* KVM has not read the first page yet */
	bool second_first;	/* KVM has read the second page before the first one */
	int changed;		/* how it ends if what KVM has read changes */
};

struct call {
	struct tdx_op_td *td;
	enum tdx_op_id id;
	void *data;
	struct tdx_thread thread;
};

struct meeting {
	struct tdx_op_td td;
	struct tdx_stop areas[NR_AREAS];
	void *objects[NR_AREAS];
	struct call stopped;
	struct call other;
};

/* The stops at which other operations are tried. */
FIXTURE(time_of_check)
{
	struct meeting meeting;
};

FIXTURE_VARIANT(time_of_check)
{
	struct stop stop;
};

/* Further stops within the same copies: what is locked does not change there. */
FIXTURE(part_read)
{
	struct meeting meeting;
};

FIXTURE_VARIANT(part_read)
{
	struct stop stop;
};

#define __STOP(_fixture, _name, _id, _area, ...)				\
	FIXTURE_VARIANT_ADD(_fixture, _name) {					\
		.stop = { .id = TDX_OP_ ## _id, .area = _area, __VA_ARGS__ },	\
	}
#define STOP(...)	__STOP(time_of_check, __VA_ARGS__)
#define PART(...)	__STOP(part_read, __VA_ARGS__)
#define WHOLE		.page = 1
#define BEFORE(_split)	.page = 0, .split = (_split)
#define AFTER(_split)	.page = 1, .split = (_split)
#define WRITE		.access = TDX_STOP_WRITE
#define HOLDS(_locks)	.held = (_locks)

/* Before the command itself is read, after id and flags, and after the address. */
#define CMD_STOPS(_name, _id, _held)						\
	STOP(_name ## _cmd, _id, CMD, WHOLE, HOLDS(_held));			\
	PART(_name ## _cmd_data, _id, CMD, AFTER(8), HOLDS(_held)); \
	PART(_name ## _cmd_hw_error, _id, CMD, AFTER(16), HOLDS(_held))

CMD_STOPS(capabilities, CAPABILITIES, 0);
STOP(capabilities_nent, CAPABILITIES, DATA, AFTER(TDX_CAPS_HEADER), .unread = true);
STOP(capabilities_written, CAPABILITIES, DATA, BEFORE(TDX_CAPS_HEADER), WRITE);
PART(capabilities_entries_written, CAPABILITIES, DATA, AFTER(TDX_CAPS_HEADER), WRITE);

CMD_STOPS(init_vm, INIT_VM, 0);
STOP(init_vm_nent, INIT_VM, DATA, AFTER(TDX_INIT_VM_HEADER), HOLDS(TDX_STATE_LOCKS),
	.unread = true);
STOP(init_vm_params, INIT_VM, DATA, BEFORE(TDX_INIT_VM_HEADER), HOLDS(TDX_STATE_LOCKS),
	.second_first = true, .changed = -EINVAL);
STOP(init_vm_entries, INIT_VM, DATA, AFTER(TDX_INIT_VM_HEADER + TDX_CPUID_HEADER),
	HOLDS(TDX_STATE_LOCKS));
STOP(init_vm_written, INIT_VM, CMD, WHOLE, WRITE, HOLDS(TDX_STATE_LOCKS));

CMD_STOPS(finalize_vm, FINALIZE_VM, 0);
STOP(finalize_vm_written, FINALIZE_VM, CMD, WHOLE, WRITE, HOLDS(TDX_STATE_LOCKS));

CMD_STOPS(init_vcpu, INIT_VCPU, 0);

CMD_STOPS(init_mem_region, INIT_MEM_REGION, 0);
STOP(region, INIT_MEM_REGION, DATA, WHOLE, HOLDS(TDX_STATE_LOCKS));
PART(region_gpa, INIT_MEM_REGION, DATA, AFTER(8), HOLDS(TDX_STATE_LOCKS));
PART(region_nr_pages, INIT_MEM_REGION, DATA, AFTER(16), HOLDS(TDX_STATE_LOCKS));
STOP(region_source, INIT_MEM_REGION, SOURCE, WHOLE, HOLDS(TDX_STATE_LOCKS),
	.memfd = MEMFD_HELD);
STOP(region_written, INIT_MEM_REGION, DATA, WHOLE, WRITE, HOLDS(TDX_STATE_LOCKS),
	.memfd = MEMFD_USED);

/* KVM reads this command twice, the first time without a lock. */
CMD_STOPS(get_cpuid, GET_CPUID, 0);
TDX_FINDING(28, "part_read.get_cpuid_cmd_data.reads_once");
TDX_FINDING(28, "part_read.get_cpuid_cmd_hw_error.reads_once");
STOP(get_cpuid_nent, GET_CPUID, DATA, BEFORE(TDX_CPUID_HEADER), HOLDS(TDX_LOCK_VCPU));
STOP(get_cpuid_nent_written, GET_CPUID, DATA, BEFORE(TDX_CPUID_HEADER), WRITE,
	HOLDS(TDX_LOCK_VCPU));
STOP(get_cpuid_entries_written, GET_CPUID, DATA, AFTER(TDX_CPUID_HEADER), WRITE,
	HOLDS(TDX_LOCK_VCPU));

STOP(set_cpuid2_nent, SET_CPUID2, DATA, BEFORE(TDX_CPUID_HEADER), HOLDS(TDX_LOCK_VCPU));
STOP(set_cpuid2_entries, SET_CPUID2, DATA, AFTER(TDX_CPUID_HEADER), HOLDS(TDX_LOCK_VCPU));

STOP(attributes, SET_ATTRIBUTES, DATA, WHOLE);
PART(attributes_size, SET_ATTRIBUTES, DATA, AFTER(8));
PART(attributes_attributes, SET_ATTRIBUTES, DATA, AFTER(16));
PART(attributes_flags, SET_ATTRIBUTES, DATA, AFTER(24));

STOP(slot, DELETE_SLOT, DATA, WHOLE);
PART(slot_gpa, DELETE_SLOT, DATA, AFTER(8));
PART(slot_size, DELETE_SLOT, DATA, AFTER(16));
PART(slot_address, DELETE_SLOT, DATA, AFTER(24));

static struct tdx_op_td prototype;

static void open_areas(struct meeting *meeting)
{
	int i;

	meeting->td = prototype;
	for (i = 0; i < NR_AREAS; i++)
		tdx_stop_open(&meeting->areas[i]);
}

static void close_areas(struct meeting *meeting)
{
	int i;

	for (i = 0; i < NR_AREAS; i++)
		tdx_stop_close(&meeting->areas[i]);
}

FIXTURE_SETUP(time_of_check)
{
	if (!tdx_stop_supported())
		SKIP(return, TDX_STOP_SKIP_REASON);
	open_areas(&self->meeting);
}

FIXTURE_TEARDOWN(time_of_check)
{
	close_areas(&self->meeting);
}

FIXTURE_SETUP(part_read)
{
	if (!tdx_stop_supported())
		SKIP(return, TDX_STOP_SKIP_REASON);
	open_areas(&self->meeting);
}

FIXTURE_TEARDOWN(part_read)
{
	close_areas(&self->meeting);
}

static int make_call(void *arg)
{
	struct call *call = arg;

	return tdx_op_issue(call->td, call->id, call->data);
}

static void start(struct call *call)
{
	tdx_thread_start(&call->thread, make_call, call);
}

/* Build the TD, and let a thread issue the ioctl up to the stop. */
static void reach(struct meeting *meeting, const struct stop *stop)
{
	static char operand[TDX_OP_OPERAND_SIZE];
	struct tdx_stop *areas = meeting->areas, *area = &areas[stop->area];
	void **objects = meeting->objects;
	struct call *call = &meeting->stopped;
	struct kvm_tdx_cmd cmd;
	size_t size;

	tdx_op_td_build(&meeting->td, stop->id);

	objects[SOURCE] = tdx_stop_put(&areas[SOURCE], tdx_op_source, PAGE_SIZE, 0);
	size = tdx_op_operand(&meeting->td, stop->id, operand, objects[SOURCE]);
	objects[DATA] = tdx_stop_put(&areas[DATA], operand, size,
				     stop->area == DATA ? stop->split : 0);
	cmd = tdx_op_cmd(stop->id, objects[DATA]);
	objects[CMD] = tdx_stop_put(&areas[CMD], &cmd, sizeof(cmd),
				    stop->area == CMD ? stop->split : 0);

	tdx_stop_arm(area, stop->page, stop->access);
	call->td = &meeting->td;
	call->id = stop->id;
	call->data = objects[cmd.id == TDX_NO_CMD ? DATA : CMD];
	start(call);
	TEST_ASSERT(tdx_stop_wait(area, PATIENCE_MS), "%s does not stop, or ends: %s",
		    tdx_ops[stop->id].name,
		    call->thread.done ? strerror(-call->thread.result) : "it does not");
}

/* Let the thread go on, and return how its ioctl ends. */
static int leave(struct meeting *meeting, const struct stop *stop)
{
	tdx_stop_release(&meeting->areas[stop->area]);
	TEST_ASSERT(tdx_thread_done(&meeting->stopped.thread, PATIENCE_MS), "%s does not end",
		    tdx_ops[stop->id].name);
	return tdx_thread_join(&meeting->stopped.thread);
}

static void invert(char *bytes, size_t size)
{
	while (size--)
		*bytes++ ^= 0xff;
}

/* Change all that KVM has read: if it reads it again it finds something else. */
static void change_what_was_read(struct meeting *meeting, const struct stop *stop)
{
	struct kvm_tdx_cmd *cmd = meeting->objects[CMD];
	struct kvm_tdx_init_vm *params = meeting->objects[DATA];

	if (stop->area != CMD)
		invert((char *)cmd, sizeof(*cmd));
	if (stop->area == SOURCE)
		invert(meeting->objects[DATA], sizeof(struct kvm_tdx_init_mem_region));
	else if (stop->second_first)
		params->cpuid.nent--;
	else if (stop->page && !stop->unread)
		invert(meeting->objects[stop->area], stop->split);
}

static void check_end(const struct stop *stop, const char *while_stopped, enum tdx_op_id id,
		      int want, int got)
{
	TEST_ASSERT(want == got, "%s, and meanwhile %s: %s: wanted %s, got %s",
		    tdx_ops[stop->id].name, while_stopped, tdx_ops[id].name,
		    strerror(-want), strerror(-got));
}

static void check_region(const struct meeting *meeting)
{
	const struct kvm_tdx_init_mem_region *region = meeting->objects[DATA];

	TEST_ASSERT(region->source_addr == (u64)meeting->objects[SOURCE] + PAGE_SIZE &&
		    !region->nr_pages,
		    "KVM_TDX_INIT_MEM_REGION advanced another region than it has read");
}

/* What KVM has read once is not read again. */
static void test_reads_once(struct meeting *meeting, const struct stop *stop)
{
	int got;

	reach(meeting, stop);
	change_what_was_read(meeting, stop);
	got = leave(meeting, stop);
	check_end(stop, "what it has read changes", stop->id, stop->changed, got);
	if (stop->area == SOURCE)
		check_region(meeting);

	if (meeting->td.vcpu >= 0)
		check_end(stop, "what it has read changes", TDX_OP_RUN,
			  stop->id == TDX_OP_FINALIZE_VM ? -EFAULT : -EINVAL,
			  tdx_op_issue(&meeting->td, TDX_OP_RUN, NULL));
	tdx_op_td_destroy(&meeting->td);
}

TDX_TEST_F(time_of_check, reads_once)
{
	test_reads_once(&self->meeting, &variant->stop);
}

TDX_TEST_F(part_read, reads_once)
{
	test_reads_once(&self->meeting, &variant->stop);
}

/* Returns true if the other operation has to wait for the stopped one. */
static bool has_to_wait(const struct stop *stop, enum tdx_op_id id)
{
	if (id == TDX_OP_CLOSE_MEMFD && stop->memfd == MEMFD_HELD)
		return false;
	return stop->held & tdx_ops[id].locks;
}

/*
 * Returns true if the stopped ioctl takes effect before the other operation.  A file that
 * is closed is gone at once, also where its last user still waits for a lock.
 */
static bool is_first(const struct stop *stop, enum tdx_op_id id)
{
	return id == TDX_OP_CLOSE_MEMFD ? stop->memfd != MEMFD_LATER : has_to_wait(stop, id);
}

/* Finding 6: KVM warns of a TD that is finalized without a vCPU. */
static bool warns(struct tdx_model model, const struct stop *stop, enum tdx_op_id id)
{
	return id == TDX_OP_FINALIZE_VM && !model.vcpu_initialized &&
	       (model.initialized || has_to_wait(stop, id));
}

/* Do @id while KVM is stopped, and check how both end. */
static void pair(struct meeting *meeting, const struct stop *stop, enum tdx_op_id id)
{
	static char operand[TDX_OP_OPERAND_SIZE];
	struct kvm_tdx_cmd cmd = tdx_op_cmd(id, operand);
	const char *name = tdx_ops[id].name;
	const bool waits = has_to_wait(stop, id), first = is_first(stop, id);
	int want_stopped, want, got_stopped, got;
	struct tdx_model model;

	reach(meeting, stop);
	model = meeting->td.model;
	tdx_op_operand(&meeting->td, id, operand, tdx_op_source);
	meeting->other = (struct call) {
		.td = &meeting->td, .id = id,
		.data = cmd.id == TDX_NO_CMD ? (void *)operand : &cmd,
	};
	start(&meeting->other);
	if (waits)
		TEST_ASSERT(tdx_thread_waits(&meeting->other.thread),
			    "%s is stopped: wanted %s to wait for it, but it ended: %s",
			    tdx_ops[stop->id].name, name, strerror(-meeting->other.thread.result));
	else
		TEST_ASSERT(tdx_thread_done(&meeting->other.thread, PATIENCE_MS),
			    "%s is stopped: wanted %s to go on, but it waits",
			    tdx_ops[stop->id].name, name);

	got_stopped = leave(meeting, stop);
	TEST_ASSERT(tdx_thread_done(&meeting->other.thread, PATIENCE_MS), "%s does not end", name);
	got = tdx_thread_join(&meeting->other.thread);

	/* As if they came one after the other. */
	want = first ? 0 : tdx_model_op(&model, id);
	want_stopped = tdx_model_op(&model, stop->id);
	if (first)
		want = tdx_model_op(&model, id);
	check_end(stop, name, stop->id, want_stopped, got_stopped);
	check_end(stop, name, id, want, got);

	if (meeting->td.vcpu >= 0)
		check_end(stop, name, TDX_OP_RUN, tdx_model_op(&model, TDX_OP_RUN),
			  tdx_op_issue(&meeting->td, TDX_OP_RUN, NULL));
	tdx_op_td_destroy(&meeting->td);
}

/* A check counts only together with the lock under which it is made. */
TDX_TEST_F(time_of_check, others)
{
	const struct stop *stop = &variant->stop;
	const bool has_vcpu = stop->id != TDX_OP_INIT_VM;
	struct meeting *meeting = &self->meeting;
	struct tdx_model model;
	enum tdx_op_id id;

	tdx_op_td_build(&meeting->td, stop->id);
	model = meeting->td.model;
	tdx_op_td_destroy(&meeting->td);

	for (id = 0; id < TDX_NR_OPS; id++) {
		if (!has_vcpu && tdx_ops[id].of_vcpu)
			continue;
		if (!warns(model, stop, id))
			pair(meeting, stop, id);
	}
}

TDX_TEST_MAIN_AFTER(tdx_op_td_init(&prototype))
