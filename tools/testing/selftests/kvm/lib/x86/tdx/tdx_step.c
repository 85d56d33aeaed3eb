// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_left_over.h"
#include "tdx/tdx_random.h"
#include "tdx/tdx_step.h"
#include "tdx/tdx_step_answer.h"
#include "tdx/tdx_util.h"

/* Bytes after an operand that KVM must not write to. */
#define TAIL_SIZE	64
#define UNWRITTEN	0xa5

/* A slow host may need so many periods of the signal to get into the TD. */
#define MAX_SIGNALS	100

static const char *operand_name(unsigned int operand)
{
	if (operand < NR_TDX_OPERANDS)
		return tdx_operand_name(operand);

	return operand == TDX_OPERAND_BITS ? "with random bits" : "of a pattern";
}

void tdx_step_describe(const struct tdx_seq_step *step, char *text, size_t size)
{
	const char *vm = tdx_world_vm_name(step->vm);
	const char *beside = step->beside ? ", in a second thread" : "";

	if (step->kind == TDX_STEP_OP && step->vm == TDX_WORLD_WITNESS)
		snprintf(text, size, "%s: next stage", vm);
	else if (step->kind == TDX_STEP_OP)
		snprintf(text, size, "%s: %s, vCPU %u%s", vm, tdx_ops[step->row].name,
			 step->vcpu, beside);
	else if (step->kind == TDX_STEP_CAP)
		snprintf(text, size, "%s: %s, argument %s%s", vm, tdx_caps[step->row].name,
			 operand_name(step->operand), beside);
	else
		snprintf(text, size, "%s: %s%s%s, operand %s%s", vm,
			 tdx_ioctls[step->row].name,
			 tdx_ioctls[step->row].file == TDX_IOCTL_VCPU ? " of vCPU " : "",
			 tdx_ioctls[step->row].file != TDX_IOCTL_VCPU ? "" :
			 step->vcpu ? "1" : "0", operand_name(step->operand), beside);
}

/* A good operand of which up to three bits are turned. */
static void turn_bits(u8 *operand, size_t size, u64 number)
{
	struct tdx_random random;
	u64 i, nr, bit;

	tdx_random_start(&random, number, 0);
	nr = 1 + tdx_random_below(&random, 3);
	for (i = 0; i < nr; i++) {
		bit = tdx_random_below(&random, size * 8);
		operand[bit / 8] ^= 1 << bit % 8;
	}
}

static unsigned long make_operand(const struct tdx_seq_step *step, const struct tdx_ioctl *row,
				  const struct tdx_target *target)
{
	unsigned long operand;

	if (step->operand < NR_TDX_OPERANDS)
		return tdx_ioctl_operand(row, target, step->operand);

	operand = tdx_ioctl_operand(row, target, TDX_OPERAND_GOOD);
	if (!row->size) {
		turn_bits((u8 *)&operand, sizeof(operand), step->random);
		return operand;
	}
	if (step->operand == TDX_OPERAND_PATTERN)
		memset((void *)operand, TDX_LEFT_OVER, row->size);
	else
		turn_bits((u8 *)operand, row->size, step->random);
	tdx_step_tame(row, (void *)operand);
	return operand;
}

/* Returns what is wrong with what KVM has written, NULL if nothing. */
static const char *check_written(const struct tdx_ioctl *row, const u8 *operand, bool is_td,
				 int error)
{
	static __thread char text[64];
	const char *why;
	size_t i;

	for (i = error ? 0 : row->size; i < row->size + TAIL_SIZE; i++) {
		if (operand[i] != UNWRITTEN) {
			snprintf(text, sizeof(text), "byte %zu was written", i);
			return text;
		}
	}
	if (error || !is_td)
		return NULL;

	why = tdx_left_over_in(operand, row->size, &i);
	if (why)
		snprintf(text, sizeof(text), "byte %zu %s", i, why);
	return why ? text : NULL;
}

/* What comes of a step.  @wrong is NULL or says what is wrong besides the errno. */
struct outcome {
	int error;
	bool right;
	const char *wrong;
};

static void take_witness_ioctl(const struct tdx_seq_step *step, const struct tdx_ioctl *row,
			       const struct tdx_target *target, enum tdx_stage stage,
			       struct outcome *outcome)
{
	const int want = tdx_ioctl_answer(row, stage, step->operand);

	if (want == TDX_UNTRIED)
		return;
	outcome->error = tdx_ioctl_try(row, target, step->operand);
	outcome->right = want == TDX_ANY_ANSWER || want == outcome->error;
}

/* Whether a known bug of KVM does harm now. */
static bool must_not(const struct tdx_world *world, const struct tdx_seq_step *step,
		     const struct tdx_ioctl *row)
{
	if (!tdx_step_may_ioctl(row, step->vm != TDX_WORLD_PLAIN_VM,
				step->operand >= NR_TDX_OPERANDS))
		return true;

	/* Finding 2 */
	return row->number == KVM_PRE_FAULT_MEMORY && step->vm < TDX_WORLD_PLAIN_VM &&
	       READ_ONCE(world->vms[step->vm].shared) && tdx_leaks_page_tables();
}

static void take_ioctl(struct tdx_world *world, const struct tdx_seq_step *step,
		       struct outcome *outcome)
{
	const struct tdx_ioctl *row = &tdx_ioctls[step->row];
	const bool is_td = step->vm != TDX_WORLD_PLAIN_VM;
	struct tdx_world_shell shell;
	struct tdx_target target;
	unsigned long operand;

	if (!tdx_world_target(world, step->vm, step->vcpu, row->file, &shell, &target) ||
	    must_not(world, step, row))
		return;
	if (step->vm == TDX_WORLD_WITNESS) {
		take_witness_ioctl(step, row, &target, world->witness.stage, outcome);
		return;
	}

	operand = make_operand(step, row, &target);
	/* Only the operation ends by itself. */
	if (row->number == KVM_RUN && !operand)
		return;
	if (row->flow == TDX_IOCTL_OUT && step->operand > TDX_OPERAND_CUT)
		memset((void *)operand, UNWRITTEN, row->size + TAIL_SIZE);
	outcome->error = tdx_ioctl_issue(row, &target, operand);
	outcome->right = tdx_step_ioctl_answer(row, is_td, step->operand, outcome->error);
	if (row->flow == TDX_IOCTL_OUT && step->operand > TDX_OPERAND_CUT)
		outcome->wrong = check_written(row, (u8 *)operand, is_td, outcome->error);
}

static void take_cap(struct tdx_world *world, const struct tdx_seq_step *step,
		     struct outcome *outcome)
{
	const struct tdx_cap *cap = &tdx_caps[step->row];
	const bool is_td = step->vm != TDX_WORLD_PLAIN_VM;
	struct tdx_world_shell shell;
	struct tdx_target target;
	int want;

	if (!tdx_world_target(world, step->vm, step->vcpu, cap->file, &shell, &target) ||
	    !tdx_step_may_cap(cap, is_td))
		return;
	if (step->vm == TDX_WORLD_WITNESS) {
		want = tdx_cap_answer(cap, world->witness.stage, step->operand);
		if (want == TDX_UNTRIED)
			return;
		outcome->error = tdx_cap_try(cap, &target, step->operand);
		outcome->right = outcome->error == want;
		return;
	}

	outcome->error = tdx_cap_try(cap, &target, step->operand);
	outcome->right = tdx_step_cap_answer(cap, is_td, step->operand, outcome->error);
}

static void take_op(struct tdx_world *world, const struct tdx_seq_step *step, bool exact,
		    struct outcome *outcome)
{
	const bool is_td = step->vm != TDX_WORLD_PLAIN_VM;
	int r, i, want = 0;

	/* The model has no slot elsewhere, which this would add after the deletion. */
	if (exact && step->row == TDX_OP_MOVE_SLOT && !world->vms[step->vm].td.model.slot)
		return;
	r = tdx_world_do(world, step->vm, step->vcpu, step->row);
	if (r == TDX_WORLD_NOTHING)
		return;
	if (exact) {
		want = tdx_model_op(&world->vms[step->vm].td.model, step->row);
		for (i = 0; i < MAX_SIGNALS && r == -EINTR && want != -EINTR; i++)
			r = tdx_world_do(world, step->vm, step->vcpu, step->row);
	}
	outcome->error = -r;
	if (step->vm == TDX_WORLD_WITNESS)
		outcome->right = true;
	else if (exact)
		outcome->right = r == want;
	else
		outcome->right = tdx_step_op_answer(step->row, is_td, outcome->error);
}

int tdx_step_take(struct tdx_world *world, const struct tdx_seq_step *step, bool exact,
		  char *text, size_t size)
{
	struct outcome outcome = { .right = true };

	if (step->kind == TDX_STEP_OP)
		take_op(world, step, exact, &outcome);
	else if (step->kind == TDX_STEP_CAP)
		take_cap(world, step, &outcome);
	else
		take_ioctl(world, step, &outcome);

	if (outcome.right && !outcome.wrong)
		return 0;
	tdx_step_describe(step, text, size);
	snprintf(text + strlen(text), size - strlen(text), ": got %s%s%s",
		 outcome.error ? strerror(outcome.error) : "success",
		 outcome.wrong ? ", and " : "", outcome.wrong ?: "");
	return 1;
}

bool tdx_step_ends_file(const struct tdx_seq_step *step)
{
	return step->kind == TDX_STEP_OP &&
	       (step->row == TDX_OP_CLOSE_VM || step->row == TDX_OP_CLOSE_VCPU ||
		step->row == TDX_OP_CLOSE_MEMFD || step->row == TDX_OP_PUNCH_HOLE);
}
