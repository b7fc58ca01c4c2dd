/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool take_groups(const struct passwd *user)
{
    return user ? initgroups(user->pw_name, user->pw_gid) == 0 : setgroups(0, NULL) == 0;
}

/* What commands of its get to see. */
static void take_environment(const struct passwd *user)
{
    setenv("HOME", user->pw_dir, 1);
    setenv("USER", user->pw_name, 1);
    setenv("LOGNAME", user->pw_name, 1);
}

int owner_become(const char *directory, struct err *err)
{
    struct stat st;
    if (geteuid() != 0)
        return 0;
    if (stat(directory, &st) < 0)
        return err_set(err, "cannot look at the spool %s: %s", directory, strerror(errno));
    if (st.st_uid == 0)
        return 0;
    const struct passwd *user = getpwuid(st.st_uid);
    gid_t gid = user ? user->pw_gid : st.st_gid;
    if (!take_groups(user) || setresgid(gid, gid, gid) < 0 ||
        setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
        return err_set(err, "cannot become uid %lu, who owns the spool %s: %s",
                       (unsigned long)st.st_uid, directory, strerror(errno));
    if (user)
        take_environment(user);
    return 0;
}
