check_PROGRAMS += %reldir%/check_buf
TESTS += %reldir%/check_buf
%canon_reldir%_check_buf_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_buf_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_clock
TESTS += %reldir%/check_clock
%canon_reldir%_check_clock_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_clock_LDADD = $(base_LIBS) $(CHECK_LIBS)
check_PROGRAMS += %reldir%/check_str
TESTS += %reldir%/check_str
%canon_reldir%_check_str_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_str_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_sockname
TESTS += %reldir%/check_sockname
%canon_reldir%_check_sockname_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_sockname_LDADD = $(base_LIBS) $(CHECK_LIBS)
