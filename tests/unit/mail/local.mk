mail_checks = \
	%reldir%/check_address \
	%reldir%/check_address_list \
	%reldir%/check_alias \
	%reldir%/check_date \
	%reldir%/check_fit \
	%reldir%/check_fixup \
	%reldir%/check_header \
	%reldir%/check_line_limit \
	%reldir%/check_mime \
	%reldir%/check_pattern \
	%reldir%/check_report \
	%reldir%/check_transfer
check_PROGRAMS += $(mail_checks)
TESTS += $(mail_checks)
mail_checks_CPPFLAGS = $(base_I) $(mail_I) $(CHECK_CFLAGS)
mail_checks_LDADD = $(mail_LIBS) $(CHECK_LIBS)
%canon_reldir%_check_address_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_address_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_address_list_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_address_list_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_alias_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_alias_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_date_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_date_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_fit_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_fit_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_fixup_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_fixup_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_header_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_header_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_line_limit_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_line_limit_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_mime_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_mime_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_pattern_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_pattern_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_report_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_report_LDADD = $(mail_checks_LDADD)
%canon_reldir%_check_transfer_CPPFLAGS = $(mail_checks_CPPFLAGS)
%canon_reldir%_check_transfer_LDADD = $(mail_checks_LDADD)
TESTS += %reldir%/check_pure.sh
EXTRA_DIST += %reldir%/check_pure.sh

check_PROGRAMS += %reldir%/check_report_asked
TESTS += %reldir%/check_report_asked
%canon_reldir%_check_report_asked_CPPFLAGS = $(base_I) $(mail_I) $(CHECK_CFLAGS)
%canon_reldir%_check_report_asked_LDADD = $(mail_LIBS) $(CHECK_LIBS)
