// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <linux/sizes.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_ioctl.h"

/* Enough for the head of each operand and for TDX_OPERAND_ENTRIES entries of any. */
#define BUFFER_SIZE	SZ_128K

#define ANSWERS(_good, _zeros, _ones, _unmapped) \
	{ .good = (_good), .zeros = (_zeros), .ones = (_ones), .unmapped = (_unmapped) }
/* The same answer to each operand, and to each that has memory. */
#define ALL(error)		ANSWERS(error, error, error, error)
#define MAPPED(error)		ANSWERS(error, error, error, EFAULT)
/* For an argument that is a number and no address, and for one that KVM ignores. */
#define EACH(good, zeros, ones)	ANSWERS(good, zeros, ones, TDX_UNTRIED)
#define ONCE(error)		EACH(error, TDX_UNTRIED, TDX_UNTRIED)

#define SINCE(_stage, args...)	.since[0] = { .stage = (_stage), .answers = args }
#define THEN(_stage, args...)	.since[1] = { .stage = (_stage), .answers = args }

/* Without the name, which would be expanded before it becomes a string. */
#define HEAD(_file, _flow, _size)					\
	.file = TDX_IOCTL_##_file, .flow = TDX_IOCTL_##_flow, .size = (_size)

#define DEV_IOCTL(_name, _flow, type, _plain, _td, args...)		\
	{ .name = #_name, .number = _name, HEAD(DEV, _flow, sizeof(type)),	\
	  .plain = _plain, .td = _td, ##args },
#define DEV_VALUE(_name, _value, _plain, _td, args...)			\
	{ .name = #_name, .number = _name, HEAD(DEV, VALUE, 0),		\
	  .value = (_value), .plain = _plain, .td = _td, ##args },

#define VM_IOCTL(_name, _flow, type, _plain, _td, args...)		\
	{ .name = #_name, .number = _name, HEAD(VM, _flow, sizeof(type)),	\
	  .plain = _plain, .td = _td, ##args },
#define VM_VALUE(_name, _value, _plain, _td, args...)			\
	{ .name = #_name, .number = _name, HEAD(VM, VALUE, 0),		\
	  .value = (_value), .plain = _plain, .td = _td, ##args },
#define VM_NONE(_name, _plain, _td, args...)				\
	{ .name = #_name, .number = _name, HEAD(VM, NONE, 0),		\
	  .plain = ONCE(_plain), .td = ONCE(_td), ##args },

#define VCPU_IOCTL(_name, _flow, type, _plain, _td, args...)		\
	{ .name = #_name, .number = _name, HEAD(VCPU, _flow, sizeof(type)),	\
	  .plain = _plain, .td = _td, ##args },
#define VCPU_VALUE(_name, _value, _plain, _td, args...)			\
	{ .name = #_name, .number = _name, HEAD(VCPU, VALUE, 0),		\
	  .value = (_value), .plain = _plain, .td = _td, ##args },
#define VCPU_NONE(_name, _plain, _td, args...)				\
	{ .name = #_name, .number = _name, HEAD(VCPU, NONE, 0),		\
	  .plain = ONCE(_plain), .td = ONCE(_td), ##args },

const struct tdx_ioctl tdx_ioctls[] = {
#include "tdx/tdx_ioctl_vm.def"
#include "tdx/tdx_ioctl_vcpu.def"
};

const size_t tdx_nr_ioctls = ARRAY_SIZE(tdx_ioctls);

#define VM_CAP(_cap, _good, _plain, _td, args...)			\
	{ .name = #_cap, .cap = (_cap), .file = TDX_IOCTL_VM, .good = (_good), \
	  .plain = _plain, .td = _td, ##args },
#define VCPU_CAP(_cap, _good, _plain, _td, args...)			\
	{ .name = #_cap, .cap = (_cap), .file = TDX_IOCTL_VCPU, .good = (_good), \
	  .plain = _plain, .td = _td, ##args },

const struct tdx_cap tdx_caps[] = {
#include "tdx/tdx_cap.def"
};

const size_t tdx_nr_caps = ARRAY_SIZE(tdx_caps);

#define FLAG(_kind, _flag, _plain, _td)					\
	{ .name = #_flag, .flag = (_flag), .kind = TDX_FLAG_OF_##_kind, \
	  .plain = (_plain), .td = (_td) },

const struct tdx_flag tdx_flags[] = {
#include "tdx/tdx_flag.def"
};

const size_t tdx_nr_flags = ARRAY_SIZE(tdx_flags);

static const char * const operand_names[] = {
	[TDX_OPERAND_UNMAPPED] = "unmapped",
	[TDX_OPERAND_CUT] = "without its last byte",
	[TDX_OPERAND_ONES] = "all ones",
	[TDX_OPERAND_GOOD] = "good",
	[TDX_OPERAND_ZEROS] = "all zeros",
};

kvm_static_assert(ARRAY_SIZE(operand_names) == NR_TDX_OPERANDS);

const char *tdx_operand_name(enum tdx_operand operand)
{
	return operand < NR_TDX_OPERANDS ? operand_names[operand] : "unknown";
}

static int answer(const struct tdx_answers *answers, enum tdx_operand operand)
{
	switch (operand) {
	case TDX_OPERAND_GOOD:
		return answers->good;
	case TDX_OPERAND_ZEROS:
		return answers->zeros;
	case TDX_OPERAND_ONES:
		return answers->ones;
	default:
		return answers->unmapped;
	}
}

static const struct tdx_answers *answers_at(const struct tdx_answers *first,
					    const struct tdx_answers_since *since,
					    enum tdx_stage stage)
{
	int i;

	for (i = 0; i < TDX_ANSWER_CHANGES && since[i].stage; i++) {
		if (stage >= since[i].stage)
			first = &since[i].answers;
	}

	return first;
}

/* A VM knows no number, a vCPU and /dev/kvm refuse one like a bad operand. */
static int unknown_ioctl(enum tdx_ioctl_file file)
{
	return file == TDX_IOCTL_VM ? ENOTTY : EINVAL;
}

int tdx_ioctl_answer(const struct tdx_ioctl *ioctl, enum tdx_stage stage,
		     enum tdx_operand operand)
{
	if (operand == TDX_OPERAND_CUT && !ioctl->size)
		return TDX_UNTRIED;
	if (stage == TDX_STAGE_DEAD && ioctl->file != TDX_IOCTL_DEV)
		return EIO;
	if (ioctl->needs && !kvm_check_cap(ioctl->needs))
		return unknown_ioctl(ioctl->file);

	return answer(answers_at(&ioctl->td, ioctl->since, stage), operand);
}

int tdx_ioctl_plain_answer(const struct tdx_ioctl *ioctl, enum tdx_operand operand)
{
	if (operand == TDX_OPERAND_CUT && !ioctl->size)
		return TDX_UNTRIED;
	if (ioctl->needs && !kvm_check_cap(ioctl->needs))
		return unknown_ioctl(ioctl->file);

	return answer(&ioctl->plain, operand);
}

/* Memory that nothing is mapped after, for the operands of one thread. */
static void *buffer_end(void)
{
	static __thread void *buffer;

	if (!buffer) {
		buffer = kvm_mmap(BUFFER_SIZE + PAGE_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1);
		TEST_ASSERT_EQ(mprotect(buffer + BUFFER_SIZE, PAGE_SIZE, PROT_NONE), 0);
	}

	return buffer + BUFFER_SIZE;
}

static unsigned long fill(const struct tdx_target *target, size_t used, u8 byte,
			  tdx_operand_fn *fn)
{
	void *operand = buffer_end() - used;

	memset(operand, byte, used);
	if (fn)
		fn(target, operand);

	return (unsigned long)operand;
}

static unsigned long value(const struct tdx_ioctl *ioctl, enum tdx_operand operand)
{
	if (operand == TDX_OPERAND_GOOD)
		return ioctl->value;

	return operand == TDX_OPERAND_ONES ? ~0ul : 0;
}

unsigned long tdx_ioctl_operand(const struct tdx_ioctl *ioctl, const struct tdx_target *target,
				enum tdx_operand operand)
{
	if (!ioctl->size)
		return value(ioctl, operand);

	switch (operand) {
	case TDX_OPERAND_UNMAPPED:
		return (unsigned long)buffer_end();
	case TDX_OPERAND_CUT:
		return fill(target, ioctl->size - 1, 0, NULL);
	case TDX_OPERAND_ONES:
		return fill(target, BUFFER_SIZE, 0xff, NULL);
	case TDX_OPERAND_GOOD:
		return fill(target, BUFFER_SIZE, 0, ioctl->good);
	default:
		return fill(target, BUFFER_SIZE, 0, NULL);
	}
}

static int file_of(const struct tdx_target *target, enum tdx_ioctl_file file)
{
	switch (file) {
	case TDX_IOCTL_DEV:
		return target->kvm_fd;
	case TDX_IOCTL_VM:
		return target->vm->fd;
	default:
		return target->vcpu->fd;
	}
}

/* Zeros name file 0, which a runner of tests may have closed. */
static void use_file_0(void)
{
	static bool done;
	int fd;

	if (done)
		return;

	fd = open("/dev/null", O_RDONLY);
	TEST_ASSERT(fd >= 0 && !dup2(fd, 0), "/dev/null: %m");
	if (fd)
		close(fd);
	done = true;
}

int tdx_ioctl_issue(const struct tdx_ioctl *row, const struct tdx_target *target,
		    unsigned long operand)
{
	int r;

	use_file_0();
	r = ioctl(file_of(target, row->file), row->number, operand);
	if (r < 0)
		return errno;
	if (row->gives_fd)
		close(r);
	return 0;
}

int tdx_ioctl_try(const struct tdx_ioctl *row, const struct tdx_target *target,
		  enum tdx_operand operand)
{
	const int error = tdx_ioctl_issue(row, target, tdx_ioctl_operand(row, target, operand));
	int r;

	if (!error && row->undo && operand == TDX_OPERAND_GOOD) {
		r = tdx_ioctl_issue(row, target, fill(target, BUFFER_SIZE, 0, row->undo));
		TEST_ASSERT(!r, "%s: cannot be undone: %s", row->name, strerror(r));
	}

	return error;
}

int tdx_cap_answer(const struct tdx_cap *cap, enum tdx_stage stage, enum tdx_operand operand)
{
	if (operand == TDX_OPERAND_CUT)
		return TDX_UNTRIED;
	if (stage == TDX_STAGE_DEAD)
		return EIO;
	if (cap->needs && !kvm_check_cap(cap->needs))
		return EINVAL;

	return answer(answers_at(&cap->td, cap->since, stage), operand);
}

int tdx_cap_plain_answer(const struct tdx_cap *cap, enum tdx_operand operand)
{
	if (operand == TDX_OPERAND_CUT)
		return TDX_UNTRIED;
	if (cap->needs && !kvm_check_cap(cap->needs))
		return EINVAL;

	return answer(&cap->plain, operand);
}

int tdx_cap_try(const struct tdx_cap *cap, const struct tdx_target *target,
		enum tdx_operand operand)
{
	struct kvm_enable_cap enable = { .cap = cap->cap, .args = { cap->good } };

	if (operand == TDX_OPERAND_UNMAPPED)
		enable.flags = BIT(0);
	else if (operand != TDX_OPERAND_GOOD)
		enable.args[0] = operand == TDX_OPERAND_ONES ? ~0ull : 0;

	return ioctl(file_of(target, cap->file), KVM_ENABLE_CAP, &enable) < 0 ? errno : 0;
}
