/* SPDX-License-Identifier: MIT */
/* A shared object that is no plug-in. */
int fl_test_nothing(void);

int fl_test_nothing(void)
{
    return 0;
}
