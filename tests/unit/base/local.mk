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

check_PROGRAMS += %reldir%/check_printable
TESTS += %reldir%/check_printable
%canon_reldir%_check_printable_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_printable_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_base64
TESTS += %reldir%/check_base64
%canon_reldir%_check_base64_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_base64_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_fault
TESTS += %reldir%/check_fault
%canon_reldir%_check_fault_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_fault_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_log
TESTS += %reldir%/check_log
%canon_reldir%_check_log_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_log_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_private_file
TESTS += %reldir%/check_private_file
%canon_reldir%_check_private_file_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_private_file_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_mem
TESTS += %reldir%/check_mem
%canon_reldir%_check_mem_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_mem_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_argv
TESTS += %reldir%/check_argv
%canon_reldir%_check_argv_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_argv_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_xtext
TESTS += %reldir%/check_xtext
%canon_reldir%_check_xtext_CPPFLAGS = $(base_I) $(CHECK_CFLAGS)
%canon_reldir%_check_xtext_LDADD = $(base_LIBS) $(CHECK_LIBS)
