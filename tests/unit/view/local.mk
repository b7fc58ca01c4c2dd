view_checks = \
	%reldir%/check_listing \
	%reldir%/check_match \
	%reldir%/check_question \
	%reldir%/check_selection \
	%reldir%/check_show
check_PROGRAMS += $(view_checks)
TESTS += $(view_checks)
view_checks_CPPFLAGS = $(base_I) $(mail_I) $(store_I) $(view_I) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
view_checks_LDADD = $(view_LIBS) $(CHECK_LIBS)
%canon_reldir%_check_listing_CPPFLAGS = $(view_checks_CPPFLAGS)
%canon_reldir%_check_listing_LDADD = $(view_checks_LDADD)
%canon_reldir%_check_match_CPPFLAGS = $(view_checks_CPPFLAGS)
%canon_reldir%_check_match_LDADD = $(view_checks_LDADD)
%canon_reldir%_check_question_CPPFLAGS = $(view_checks_CPPFLAGS)
%canon_reldir%_check_question_LDADD = $(view_checks_LDADD)
%canon_reldir%_check_selection_CPPFLAGS = $(view_checks_CPPFLAGS)
%canon_reldir%_check_selection_LDADD = $(view_checks_LDADD)
%canon_reldir%_check_show_CPPFLAGS = $(view_checks_CPPFLAGS)
%canon_reldir%_check_show_LDADD = $(view_checks_LDADD)
