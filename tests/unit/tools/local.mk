# Each needs the tools' library and what that stands on.
tools_checks = \
	%reldir%/check_ask
check_PROGRAMS += $(tools_checks)
TESTS += $(tools_checks)
tools_check_I = $(base_I) $(mail_I) $(smtp_I) $(tools_I) $(CHECK_CFLAGS)
tools_check_LIBS = $(tools_LIBS) $(CHECK_LIBS)
%canon_reldir%_check_ask_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_ask_LDADD = $(tools_check_LIBS)
