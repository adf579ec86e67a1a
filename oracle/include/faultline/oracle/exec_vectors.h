/* SPDX-License-Identifier: MIT */
/* Walk vectors put to an executor: tables wherever the vector wants them, in guest memory of their own. */
#ifndef FAULTLINE_ORACLE_EXEC_VECTORS_H
#define FAULTLINE_ORACLE_EXEC_VECTORS_H

#include <faultline/oracle/exec.h>
#include <faultline/oracle/vectors.h>

struct fl_vector_executor;

/* Unicorn with the memory that vectors need. FL_FAILED, FL_UNSUPPORTED: why [OUT] says why in one line. */
enum fl_status fl_vector_executor_open(struct fl_vector_executor **out, char why[256]);
void fl_vector_executor_close(struct fl_vector_executor *x);
/* "unicorn 2.1.1" */
const char *fl_vector_executor_name(const struct fl_vector_executor *x);

enum fl_vector_judged {
    FL_VECTOR_JUDGED,      /* *verdict [OUT] is whole */
    FL_VECTOR_UNSUPPORTED, /* the executor cannot do this one; *reason says why */
    FL_VECTOR_KNOWN,       /* it differs where it is known to; *reason is the deviation's id */
    FL_VECTOR_BROKEN       /* the executor misbehaved; *reason says how */
};
enum fl_vector_judged fl_vector_judge_executor(struct fl_vector_executor *x, const struct fl_vector *v,
                                               struct fl_vector_verdict *verdict, const char **reason);

#endif
