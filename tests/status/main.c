/* SPDX-License-Identifier: MIT */
/* `faultline campaign status` alone, as a program, for the tests of it. */
#include <argp.h>

#include "command.h"
#include "status/status.h"

int main(int argc, char **argv)
{
    argp_err_exit_status = EXIT_INPUT;
    return finish_output(campaign_status(argc, argv));
}
