# Each needs the tools' library and what that stands on.
tools_checks = \
	%reldir%/check_ask \
	%reldir%/check_canon \
	%reldir%/check_identity \
	%reldir%/check_intake \
	%reldir%/check_options \
	%reldir%/check_session \
	%reldir%/check_submission
check_PROGRAMS += $(tools_checks)
TESTS += $(tools_checks)
tools_check_I = $(base_I) $(mail_I) $(smtp_I) $(tools_I) $(CHECK_CFLAGS)
tools_check_LIBS = $(tools_LIBS) $(CHECK_LIBS)
%canon_reldir%_check_ask_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_ask_LDADD = $(tools_check_LIBS)
%canon_reldir%_check_canon_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_canon_LDADD = $(tools_check_LIBS)
%canon_reldir%_check_identity_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_identity_LDADD = $(tools_check_LIBS)
%canon_reldir%_check_intake_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_intake_LDADD = $(tools_check_LIBS)
%canon_reldir%_check_options_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_options_LDADD = $(tools_check_LIBS)
%canon_reldir%_check_session_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_session_LDADD = $(tools_check_LIBS)
%canon_reldir%_check_submission_CPPFLAGS = $(tools_check_I)
%canon_reldir%_check_submission_LDADD = $(tools_check_LIBS)

# The built programs against sockets that follow a script.
tools_scripts = \
	%reldir%/check_shim.py \
	%reldir%/check_tranterctl.py
TESTS += $(tools_scripts)
EXTRA_DIST += %reldir%/daemon.py $(tools_scripts)
